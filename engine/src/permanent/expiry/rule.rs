//! What a sweep may cut, and what not.

use super::ExpiryError;
use alloy_primitives::B256;
use core::fmt;
use thinstate_formats::BlockNumber;

/// An entry that a rule may spare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateKey {
    /// keccak256 of the address.
    pub account: B256,
    /// keccak256 of the slot's number; `None` for the account itself.
    pub slot: Option<B256>,
}

/// What expires.
#[derive(Clone, Copy)]
pub struct ExpiryRule<'a> {
    /// What was last written before this block is cold. Blocks that can still be undone are never
    /// reached, whatever is given.
    pub written_before: BlockNumber,
    /// Fewest entries that are worth a stub (2 or more).
    pub entries_min: usize,
    /// Most entries that one stub may stand for: a rebuild reads and hashes so many.
    pub entries_max: usize,
    /// Whether stubs count as cold entries, so that they merge. A read of what is under several
    /// then costs a rebuild for each.
    pub merge_stubs: bool,
    /// What is kept however cold it is.
    pub spare: Option<&'a (dyn Fn(StateKey) -> bool + Sync)>,
}

impl ExpiryRule<'_> {
    /// The rule that everything expires that was last written before this block, with the
    /// parameters of `docs/adr/0008-last-written-block-and-expiry.md`.
    pub const fn written_before(written_before: BlockNumber) -> Self {
        Self {
            written_before,
            entries_min: 2,
            entries_max: 64,
            merge_stubs: true,
            spare: None,
        }
    }

    /// Least cap with which every subtree of `entries_max` entries can be seen at once.
    pub const fn cap_min(&self) -> usize {
        4 * (self.entries_max + 1)
    }

    pub(super) fn check(&self, cap: usize) -> Result<(), ExpiryError> {
        let bad = |name, expected: String, got: usize| ExpiryError::BadRule {
            name,
            expected,
            got,
        };
        if self.entries_min < 2 {
            return Err(bad("entries_min", "2 or more".to_owned(), self.entries_min));
        }
        if !(self.entries_min..=4096).contains(&self.entries_max) {
            let expected = format!("{} to 4096", self.entries_min);
            return Err(bad("entries_max", expected, self.entries_max));
        }
        if cap < self.cap_min() {
            return Err(bad("cap", format!("{} or more", self.cap_min()), cap));
        }
        Ok(())
    }
}

impl fmt::Debug for ExpiryRule<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExpiryRule")
            .field("written_before", &self.written_before)
            .field("entries_min", &self.entries_min)
            .field("entries_max", &self.entries_max)
            .field("merge_stubs", &self.merge_stubs)
            .field("spares", &self.spare.is_some())
            .finish()
    }
}
