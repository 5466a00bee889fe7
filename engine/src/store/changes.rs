//! What one block does to all tiers.

use crate::{
    temporary::{Resurrection, TemporaryWrite},
    utxo::Spend,
};
use thinstate_formats::{StateChanges, record::NewRecord};

/// The changes of one block, to all tiers.
///
/// They are applied in the order of the fields: resurrections and spends refer to what was there
/// before the block, never to what it makes.
#[derive(Clone, Debug, Default)]
pub struct BlockChanges {
    /// Accounts, slots and code.
    pub permanent: StateChanges,
    /// Leaves of sealed periods that are used, once and for all. Their values come back by
    /// `temporary`, merged by the object's rule.
    pub resurrections: Vec<Resurrection>,
    /// Writes to temporary storage, in order.
    pub temporary: Vec<TemporaryWrite>,
    /// Records that are used up.
    pub spends: Vec<Spend>,
    /// Records that are made, in the order of their indexes.
    pub records: Vec<NewRecord>,
}

impl BlockChanges {
    /// Changes of the permanent tier alone.
    pub fn permanent(changes: StateChanges) -> Self {
        Self {
            permanent: changes,
            ..Self::default()
        }
    }

    /// Whether the block changes nothing.
    pub fn is_empty(&self) -> bool {
        self.permanent.is_empty()
            && self.resurrections.is_empty()
            && self.temporary.is_empty()
            && self.spends.is_empty()
            && self.records.is_empty()
    }
}
