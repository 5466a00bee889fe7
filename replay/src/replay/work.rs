//! Adding up what tiers do.

use crate::{
    design::{Applied, ReadCost, tally},
    load::BlockLoad,
    measure::BlockCost,
};
use std::collections::BTreeMap;
use thinstate_formats::object::ObjectClass;

impl BlockCost {
    /// Adds what reading and applying a block did in each tier.
    pub(super) fn add_work(&mut self, read: &ReadCost, applied: &Applied) {
        for (tier, works) in [
            (&mut self.accounts, [read.accounts, applied.accounts]),
            (&mut self.slots, [read.slots, applied.slots]),
            (&mut self.temporary, [read.temporary, applied.temporary]),
            (&mut self.utxo, [read.utxo, applied.utxo]),
        ] {
            works.iter().for_each(|work| tally::add(tier, work));
        }
    }
}

/// Slots of a load by class, added to `written` and `touched`.
pub(super) fn count_classes(
    load: &BlockLoad,
    written: &mut BTreeMap<String, u64>,
    touched: &mut BTreeMap<String, u64>,
) {
    let mut counts = [[0u64; 2]; ObjectClass::ALL.len()];
    for slot in &load.slots {
        let count = &mut counts[usize::from(slot.class.id())];
        count[0] += 1;
        count[1] += u64::from(slot.is_written());
    }
    for (class, [all, of_them_written]) in ObjectClass::ALL.into_iter().zip(counts) {
        for (map, count) in [(&mut *touched, all), (&mut *written, of_them_written)] {
            if count > 0 {
                *map.entry(class.name().to_owned()).or_default() += count;
            }
        }
    }
}
