//! What the state takes.

use super::PermanentDesign;
use crate::{
    design::{DesignError, folder},
    measure::{StateSize, TierBytes},
};
use thinstate_engine::store::TierSize;

impl PermanentDesign {
    /// Accounts, slots and bytes. Dead objects are leaves that expired since the store was made; one that
    /// came back and expired again is counted twice.
    pub(super) fn state_size(&self) -> Result<StateSize, DesignError> {
        let size = TierSize::of_permanent(&self.tier)
            .map_err(DesignError::store("ask for the store's size"))?;
        let head = self.tier.head();
        let permanent = TierBytes {
            live_objects: size.live_objects,
            dead_objects: self.tier.expired().leaves,
            spent_objects: 0,
            live_disk_bytes: size.live_disk_bytes,
            live_memory_bytes: size.live_memory_bytes,
            permanent_bytes: 0,
            archive_bytes: size.archive_bytes,
        };
        Ok(StateSize {
            accounts: head.accounts,
            slots: head.slots,
            tiers: [("permanent".to_owned(), permanent)].into(),
            folder_bytes: folder::bytes(&self.dir)?,
        })
    }
}
