//! Spent bits, as the tier sees them: it asks for one, and says which are to change.

use crate::spent::{BitChange, FieldId, SpentFields};
use thinstate_formats::{LeafIndex, PeriodId};

/// Tells whether leaves are spent.
pub(crate) trait IsSpent {
    /// The bit of a sealed leaf; `None` if there is no such bit.
    fn is_spent(&self, period: PeriodId, index: LeafIndex) -> Option<bool>;
}

impl IsSpent for SpentFields {
    fn is_spent(&self, period: PeriodId, index: LeafIndex) -> Option<bool> {
        Self::is_spent(self, FieldId::Period(period), index.0)
    }
}

/// The bits of a period come into being, all zero; a period without leaves has none.
pub(super) fn created(period: PeriodId, leaves: u64) -> Option<BitChange> {
    (leaves > 0).then(|| BitChange {
        len: Some(leaves),
        ..BitChange::of(FieldId::Period(period))
    })
}

/// The opposite of [`created`].
pub(super) fn removed(period: PeriodId, leaves: u64) -> Option<BitChange> {
    (leaves > 0).then(|| BitChange {
        remove: true,
        ..BitChange::of(FieldId::Period(period))
    })
}

/// Bits of resurrected leaves, one change for each period: ascending, whatever the order given.
pub(super) fn flipped(leaves: &[(PeriodId, LeafIndex)], set: bool) -> Vec<BitChange> {
    let mut sorted = leaves.to_vec();
    sorted.sort_unstable();
    let periods = sorted.chunk_by(|a, b| a.0 == b.0);
    let change = |leaves: &[(PeriodId, LeafIndex)]| {
        let bits: Vec<u64> = leaves.iter().map(|(_, index)| index.0).collect();
        let change = BitChange::of(FieldId::Period(leaves[0].0));
        if set {
            BitChange {
                set: bits,
                ..change
            }
        } else {
            BitChange {
                clear: bits,
                ..change
            }
        }
    };
    periods.map(change).collect()
}
