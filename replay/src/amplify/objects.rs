//! Which objects live in a trace's slots: one answer for all of its blocks.
//!
//! A block is classified by what it shows. What it does not show, another one may: a slot is then a plain one here
//! and a balance there, and a design would look for it in two tiers. So the whole trace is asked first.

use crate::load::{BlockLoad, object_of};
use alloy_primitives::{Address, U256, map::HashMap};
use thinstate_formats::{
    object::{ObjectClass, ObjectKey},
    trace::BlockTrace,
};

/// What lives in the slots of some blocks, as far as they are classified: about 150 bytes for each such slot.
#[derive(Clone, Debug, Default)]
pub struct Objects {
    slots: HashMap<(Address, U256), (ObjectClass, Option<ObjectKey>)>,
    /// Where each object lives: no other slot gets the same one.
    homes: HashMap<(Address, ObjectKey), U256>,
}

impl Objects {
    /// Adds those of a block. The first object of a slot stays, and wins over a mere class.
    pub fn add(&mut self, block: &BlockTrace) {
        for access in block.accesses.iter().flat_map(|group| &group.slots) {
            let (class, key) = (access.class, access.key());
            if class == ObjectClass::Unclassified {
                continue;
            }
            let known = self.slots.entry(key).or_insert((class, None));
            if known.1.is_some() {
                continue;
            }
            if let Some(object) = object_of(access) {
                let home = self.homes.entry((key.0, object)).or_insert(key.1);
                if *home == key.1 {
                    *known = (class, Some(object));
                }
            }
        }
    }

    /// Gives the slots of a load what lives in them.
    pub fn settle(&self, load: &mut BlockLoad) {
        for slot in &mut load.slots {
            if let Some(&(class, object)) = self.slots.get(&slot.key()) {
                (slot.class, slot.object) = (class, object);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

    use super::*;
    use alloy_primitives::B256;
    use thinstate_formats::{
        BlockNumber,
        trace::{BlockAccessIndex, PreimageOrder, SlotAccess, SlotPreimage, TxAccesses},
    };

    const TOKEN: Address = Address::repeat_byte(7);

    /// A block that reads the balance of `owner` in a mapping at `base`, recognised or not.
    fn block(owner: u8, base: u64, class: ObjectClass) -> BlockTrace {
        let preimage = SlotPreimage {
            key: B256::with_last_byte(owner),
            base: U256::from(base),
            order: PreimageOrder::KeyThenBase,
        };
        let mut access = SlotAccess::read(TOKEN, preimage.hash(), U256::ONE);
        if class != ObjectClass::Unclassified {
            access.preimages = vec![preimage];
        }
        access.class = class;
        let mut group = TxAccesses::new(BlockAccessIndex::new(1));
        group.slots = vec![access];
        BlockTrace {
            number: BlockNumber(1),
            timestamp: 0,
            gas_used: 0,
            gas_limit: 0,
            tx_count: 1,
            hash: B256::ZERO,
            parent_hash: B256::ZERO,
            state_root: None,
            accesses: vec![group],
        }
    }

    fn settled(objects: &Objects, block: &BlockTrace) -> Option<ObjectKey> {
        let mut load = BlockLoad::collapse(block).unwrap();
        objects.settle(&mut load);
        load.slots[0].object
    }

    #[test]
    fn no_slot_is_an_object_in_one_block_alone() {
        let (plain, balance) = (ObjectClass::Unclassified, ObjectClass::Erc20Balance);
        let blocks = [block(1, 3, plain), block(1, 3, balance), block(2, 3, plain)];
        let mut objects = Objects::default();
        blocks.iter().for_each(|it| objects.add(it));
        let owner = Address::with_last_byte(1);
        let expected = Some(ObjectKey::Erc20Balance { owner });
        let got = blocks.each_ref().map(|it| settled(&objects, it));
        assert_eq!(got, [expected, expected, None]);
    }

    #[test]
    fn no_two_slots_are_the_same_object() {
        let blocks = [3, 4].map(|base| block(1, base, ObjectClass::Erc20Balance));
        let mut objects = Objects::default();
        blocks.iter().for_each(|it| objects.add(it));
        let got = blocks.each_ref().map(|it| settled(&objects, it).is_some());
        assert_eq!(got, [true, false]);
    }
}
