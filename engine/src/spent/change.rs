//! What a block changes, and what is staged of it.

use super::{FieldId, SpentError, fields::SpentBits, words::Words};
use alloy_primitives::B256;
use thinstate_formats::bits::{StagedBits, Word};

/// What one block does to one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BitChange {
    /// The field. A block names each at most once.
    pub field: FieldId,
    /// Bits it has from now on. A field that is not there is created; one that is cut must have no
    /// bit set in what is cut off.
    pub len: Option<u64>,
    /// Bits to set, in any order. They must be clear.
    pub set: Vec<u64>,
    /// Bits to clear, in any order. They must be set.
    pub clear: Vec<u64>,
    /// The field is to be gone, with all its bits; all else is ignored.
    pub remove: bool,
}

impl BitChange {
    /// A change of this field that changes nothing yet.
    pub const fn of(field: FieldId) -> Self {
        Self {
            field,
            len: None,
            set: Vec::new(),
            clear: Vec::new(),
            remove: false,
        }
    }
}

/// What a commit cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SpentWork {
    /// Hashes computed.
    pub hashes: u64,
    /// Words of 256 bits that change.
    pub words: u64,
    /// Bits set or cleared.
    pub bits: u64,
    /// Bytes of the journal's entry.
    pub journal_bytes: u64,
}

/// A commit that is ready: its journal is in the batch.
#[derive(Debug)]
pub struct StagedSpent {
    pub(super) commit: u64,
    pub(super) fields: Vec<(FieldId, StagedField)>,
    pub(super) root: B256,
    pub(super) work: SpentWork,
    /// First commit that the journal has from now on.
    pub(super) kept_from: u64,
}

impl StagedSpent {
    /// The root over all fields, once this is committed.
    pub const fn root(&self) -> B256 {
        self.root
    }

    /// What it cost.
    pub const fn work(&self) -> SpentWork {
        self.work
    }
}

/// What becomes of a field.
#[derive(Debug)]
pub(super) enum StagedField {
    Removed,
    Changed {
        /// Words and nodes of a field that is new, all zero.
        created: Option<Box<SpentBits>>,
        words: Vec<(u64, Word)>,
        bits: Box<StagedBits>,
        digest: B256,
    },
}

/// Words of a field that change, by applying bits in the order given.
pub(super) fn changed_words(
    words: &Words,
    change: &BitChange,
    len: u64,
) -> Result<Vec<(u64, Word)>, SpentError> {
    let field = change.field;
    let set = change.set.iter().map(|index| (*index, true));
    let clear = change.clear.iter().map(|index| (*index, false));
    let mut bits: Vec<(u64, bool)> = set.chain(clear).collect();
    bits.sort_by_key(|(index, _)| *index);
    let mut changed: Vec<(u64, Word)> = Vec::new();
    for (index, to) in bits {
        // A bit that is cut off may be cleared.
        let before = words.len();
        if index >= if to { len } else { len.max(before) } {
            return Err(SpentError::Outside { field, index, len });
        }
        let (at, byte, mask) = thinstate_formats::bits::place(index);
        if changed.last().is_none_or(|(last, _)| *last != at) {
            changed.push((at, words.word(at)));
        }
        let (_, word) = changed.last_mut().expect("one was just pushed");
        match (word[byte] & mask != 0, to) {
            (true, true) => return Err(SpentError::AlreadySet { field, index }),
            (false, false) => return Err(SpentError::NotSet { field, index }),
            _ => word[byte] ^= mask,
        }
    }
    Ok(changed)
}
