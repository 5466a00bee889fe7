//! Loads with the numbers that a store expects.

use super::{LoadSource, SourceError};
use crate::load::BlockLoad;
use thinstate_formats::BlockNumber;

/// Loads of a source, numbered one by one from a block on: a store takes consecutive blocks only, and an
/// amplified slot is one block to it.
#[derive(Debug)]
pub struct Numbered<S> {
    source: S,
    next: BlockNumber,
    /// Whether the roots of the source are those of the state.
    whole: bool,
    /// Whether code is read and deployed.
    code: bool,
}

impl<S: LoadSource> Numbered<S> {
    /// The loads of `source`, the first of which becomes block `first`.
    pub const fn new(source: S, first: BlockNumber) -> Self {
        Self {
            source,
            next: first,
            whole: true,
            code: true,
        }
    }

    /// The same, on a state that is not all of the source's: its roots do not hold.
    #[must_use]
    pub fn without_roots(self) -> Self {
        Self {
            whole: false,
            ..self
        }
    }
}

impl<S> Numbered<S> {
    /// The same, with code or without it.
    #[must_use]
    pub fn with_code(self, code: bool) -> Self {
        Self { code, ..self }
    }
}

impl<S: LoadSource> LoadSource for Numbered<S> {
    fn next(&mut self) -> Result<Option<BlockLoad>, SourceError> {
        let Some(mut load) = self.source.next()? else {
            return Ok(None);
        };
        load.number = self.next;
        load.state_root = load.state_root.filter(|_| self.whole);
        if !self.code {
            load.code_reads.clear();
            load.code_writes.clear();
        }
        self.next.0 += 1;
        Ok(Some(load))
    }

    fn remaining(&self) -> Option<u64> {
        self.source.remaining()
    }

    fn skip(&mut self, slots: u64) -> Result<(), SourceError> {
        self.next.0 += slots;
        self.source.skip(slots)
    }
}
