//! What the state takes, tier by tier.

use super::LayeredDesign;
use crate::{
    design::{DesignError, folder},
    measure::{StateSize, TierBytes},
};
use thinstate_engine::store::TierSize;
use thinstate_formats::object::Tier;

impl LayeredDesign {
    /// Accounts, slots and bytes of each tier that the design uses.
    pub(super) fn state_size(&self) -> Result<StateSize, DesignError> {
        let sizes = self.store.sizes();
        let sizes = sizes.map_err(DesignError::store("ask for the store's size"))?;
        let head = self.store.head();
        let tiers = [
            (Tier::Permanent, sizes.permanent),
            (Tier::Temporary, sizes.temporary),
            (Tier::Utxo, sizes.utxo),
        ];
        let used = tiers
            .into_iter()
            .filter(|(tier, _)| *tier == Tier::Permanent || self.placement.uses(*tier));
        Ok(StateSize {
            accounts: head.accounts,
            slots: head.slots,
            tiers: used
                .map(|(tier, size)| (tier.name().to_owned(), bytes(&size)))
                .collect(),
            folder_bytes: folder::bytes(&self.dir)?,
        })
    }
}

const fn bytes(size: &TierSize) -> TierBytes {
    TierBytes {
        live_objects: size.live_objects,
        dead_objects: size.dead_objects,
        spent_objects: size.spent_objects,
        live_disk_bytes: size.live_disk_bytes,
        live_memory_bytes: size.live_memory_bytes,
        permanent_bytes: size.permanent_bytes,
        archive_bytes: size.archive_bytes,
    }
}
