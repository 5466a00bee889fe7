//! Where slots come from: the keys that they were hashed from.

use crate::trace::STRUCT_WORDS;
use alloy_primitives::{Address, B256, U256, map::HashMap};
use thinstate_formats::{
    object::ObjectClass,
    trace::{BlockTrace, SlotAccess, SlotPreimage},
};

/// What a slot was hashed from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotOrigin {
    /// What lives in it.
    pub class: ObjectClass,
    /// The hash inputs, outermost mapping first.
    pub preimages: Vec<SlotPreimage>,
    /// How far behind the last hash the slot lies.
    member: u64,
}

/// Origins of the slots of some blocks, as far as they are known.
#[derive(Clone, Debug, Default)]
pub struct Origins {
    slots: HashMap<(Address, U256), SlotOrigin>,
}

impl SlotOrigin {
    /// The origin of a slot, `None` where its preimages are not known or do not lead to it.
    pub fn of(access: &SlotAccess) -> Option<Self> {
        let member = access.member_offset(STRUCT_WORDS)?;
        Some(Self {
            class: access.class,
            preimages: access.preimages.clone(),
            member,
        })
    }

    /// The slot, were its keys those that `key` makes of position and key. One hash for each level, and one
    /// more to place it.
    pub fn slot_with(&self, key: impl Fn(usize, B256) -> B256) -> U256 {
        let mut at = U256::ZERO;
        let mut outer: Option<&SlotPreimage> = None;
        for (level, preimage) in self.preimages.iter().enumerate() {
            let base = match outer {
                None => preimage.base,
                Some(outer) => at.wrapping_add(preimage.base.wrapping_sub(outer.hash())),
            };
            let moved = SlotPreimage {
                key: key(level, preimage.key),
                base,
                ..*preimage
            };
            at = moved.hash();
            outer = Some(preimage);
        }
        at.wrapping_add(U256::from(self.member))
    }
}

impl Origins {
    /// Adds those of a block. The first origin of a slot stays, but for one with a class that the first lacks.
    pub fn add(&mut self, block: &BlockTrace) {
        for access in block.accesses.iter().flat_map(|group| &group.slots) {
            let classified = access.class != ObjectClass::Unclassified;
            let known = self.slots.get(&access.key());
            let better = known.is_none_or(|it| classified && it.class == ObjectClass::Unclassified);
            if access.preimages.is_empty() || !better {
                continue;
            }
            if let Some(origin) = SlotOrigin::of(access) {
                self.slots.insert(access.key(), origin);
            }
        }
    }

    /// The origin of a slot.
    pub fn get(&self, slot: &(Address, U256)) -> Option<&SlotOrigin> {
        self.slots.get(slot)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

    use super::*;
    use thinstate_formats::{object::ObjectKey, trace::PreimageOrder};

    #[test]
    fn no_slot_moves_elsewhere_than_its_contract_would_put_it() {
        let [contract, owner, spender, other] = [1, 2, 3, 4].map(Address::repeat_byte);
        let base = U256::from(6);
        let allowance = |owner| ObjectKey::Allowance { owner, spender }.slot(base);
        let outer = SlotPreimage {
            order: PreimageOrder::KeyThenBase,
            key: owner.into_word(),
            base,
        };
        let inner = SlotPreimage {
            order: PreimageOrder::KeyThenBase,
            key: spender.into_word(),
            base: outer.hash(),
        };
        let mut access = SlotAccess::read(contract, allowance(owner) + U256::from(2), U256::ZERO);
        access.preimages = vec![outer, inner];
        let origin = SlotOrigin::of(&access).unwrap();
        assert_eq!(origin.slot_with(|_, key| key), access.slot);
        let moved = origin.slot_with(|_, key| match key == owner.into_word() {
            true => other.into_word(),
            false => key,
        });
        assert_eq!(moved, allowance(other) + U256::from(2));

        access.slot += U256::from(STRUCT_WORDS);
        assert_eq!(SlotOrigin::of(&access), None, "too far away");
    }
}
