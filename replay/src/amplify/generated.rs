//! Loads of a generator.

use super::{Amplify, LoadSource, SourceError};
use crate::{generate::Generator, load::BlockLoad};

/// Generated loads, amplified. The generator knows who its users are, so it makes copies itself: each group
/// of users draws keys of its own, where the copies of a trace repeat what one group did.
#[derive(Debug)]
pub struct GeneratedSource {
    generator: Generator,
    amplify: Amplify,
}

impl GeneratedSource {
    /// The loads that `generator` draws from now on.
    pub const fn new(generator: Generator, amplify: Amplify) -> Self {
        Self { generator, amplify }
    }
}

impl LoadSource for GeneratedSource {
    fn next(&mut self) -> Result<Option<BlockLoad>, SourceError> {
        let Amplify { blocks, copies, .. } = self.amplify;
        Ok(Some(match (blocks, copies) {
            (1, 1) => self.generator.next_block(),
            (1, copies) => self.generator.next_cloned(copies),
            (blocks, 1) => self.generator.next_merged(blocks),
            (blocks, copies) => self.generator.next_mixed(blocks, copies),
        }))
    }

    fn remaining(&self) -> Option<u64> {
        None
    }
}
