//! Which tier an access concerns.

use crate::load::{BlockLoad, SlotLoad};
use alloy_primitives::{B256, U256};
use thinstate_formats::{
    AccountUpdate, StateChanges,
    object::{Object, ObjectClass, ObjectKey, Tier},
    policy::Policy,
};

/// Where values lie.
#[derive(Clone, Copy, Debug)]
pub(super) struct Placement {
    /// By the class's number.
    tiers: [Tier; ObjectClass::ALL.len()],
}

/// An access of one tier: what that tier has of a slot before and after the block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Access {
    /// The slot's place in the load.
    pub(super) at: u32,
    pub(super) before: U256,
    pub(super) after: U256,
}

impl Access {
    pub(super) fn is_written(&self) -> bool {
        self.before != self.after
    }
}

/// The accesses of a load, by tier; each list in the order of the load's slots.
#[derive(Debug, Default)]
pub(super) struct Split {
    pub(super) trie: Vec<Access>,
    pub(super) temporary: Vec<Access>,
    pub(super) utxo: Vec<Access>,
}

impl Placement {
    pub(super) fn new(policy: &Policy) -> Self {
        Self {
            tiers: ObjectClass::ALL.map(|class| policy.tier(class)),
        }
    }

    /// Whether objects of any class live in a tier.
    pub(super) fn uses(&self, tier: Tier) -> bool {
        self.tiers.contains(&tier)
    }

    /// Where an object lives while its value has the form of its class; zero always has.
    pub(super) fn tier(&self, class: ObjectClass, object: Option<&ObjectKey>) -> Tier {
        match object {
            Some(_) => self.tiers[usize::from(class.id())],
            None => Tier::Permanent,
        }
    }

    /// Where a value of an object lies.
    pub(super) fn home(&self, class: ObjectClass, object: Option<&ObjectKey>, value: U256) -> Tier {
        match (self.tier(class, object), object) {
            (Tier::Permanent, _) | (_, None) => Tier::Permanent,
            (tier, Some(key)) if has_form(*key, value) => tier,
            _ => Tier::Permanent,
        }
    }

    /// What the trie has of a slot with this value.
    pub(super) fn in_trie(&self, slot: &SlotLoad, value: U256) -> U256 {
        match self.home(slot.class, slot.object.as_ref(), value) {
            Tier::Permanent => value,
            Tier::Temporary | Tier::Utxo => U256::ZERO,
        }
    }

    /// Divides a load among the tiers. A slot whose value loses or gains the form of its class is in two.
    pub(super) fn split(&self, load: &BlockLoad) -> Split {
        let mut split = Split::default();
        for (at, slot) in (0..).zip(&load.slots) {
            let (before, after) = (slot.before, slot.after);
            let list = match self.tier(slot.class, slot.object.as_ref()) {
                Tier::Permanent => {
                    split.trie.push(Access { at, before, after });
                    continue;
                }
                Tier::Temporary => &mut split.temporary,
                Tier::Utxo => &mut split.utxo,
            };
            let (trie_before, trie_after) = (self.in_trie(slot, before), self.in_trie(slot, after));
            let in_trie = !trie_before.is_zero() || !trie_after.is_zero();
            if in_trie {
                split.trie.push(Access {
                    at,
                    before: trie_before,
                    after: trie_after,
                });
            }
            let cheap = Access {
                at,
                before: before - trie_before,
                after: after - trie_after,
            };
            if !in_trie || cheap.is_written() {
                list.push(cheap);
            }
        }
        split
    }
}

/// Whether a cheap tier can hold the value: zero, or a word of an object.
fn has_form(key: ObjectKey, value: U256) -> bool {
    value.is_zero() || object_of(key, value).is_some()
}

/// The object of a value that is not zero; `None` where the value has no form.
pub(super) fn object_of(key: ObjectKey, value: U256) -> Option<Object> {
    Object::from_word(key, B256::from(value)).ok().flatten()
}

/// The changes of the permanent tier.
pub(super) fn trie_changes(load: &BlockLoad, accesses: &[Access]) -> StateChanges {
    let mut changes = load.changes(|_| false);
    for access in accesses {
        let slot = &load.slots[access.at as usize];
        let known = changes.accounts.get(&slot.address);
        // What a wiped slot holds afterwards was written anew, be it the value from before.
        let anew = !access.after.is_zero() && known.is_some_and(|it| it.wipe_storage);
        if !access.is_written() && !anew {
            continue;
        }
        let change = changes.accounts.entry(slot.address).or_default();
        if change.account != AccountUpdate::Delete {
            change.storage.insert(slot.slot, access.after);
        }
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::Address;

    fn slot(before: U256, after: U256) -> SlotLoad {
        SlotLoad {
            address: Address::repeat_byte(1),
            slot: U256::from(7),
            before,
            after,
            class: ObjectClass::Erc20Balance,
            object: Some(ObjectKey::Erc20Balance {
                owner: Address::repeat_byte(2),
            }),
        }
    }

    fn split(slot: SlotLoad) -> Split {
        let policy = Policy::permanent("p").with(ObjectClass::Erc20Balance, Tier::Utxo);
        let load = BlockLoad {
            slots: vec![slot],
            ..BlockLoad::default()
        };
        Placement::new(&policy).split(&load)
    }

    #[test]
    fn no_value_without_form_leaves_the_trie_and_none_with_form_stays_there() {
        let (zero, small, huge) = (U256::ZERO, U256::from(5), U256::MAX);
        let access = |before, after| {
            vec![Access {
                at: 0,
                before,
                after,
            }]
        };
        for (before, after, trie, utxo) in [
            (zero, zero, vec![], access(zero, zero)),
            (small, zero, vec![], access(small, zero)),
            (small, small, vec![], access(small, small)),
            (huge, huge, access(huge, huge), vec![]),
            (zero, huge, access(zero, huge), vec![]),
            (huge, zero, access(huge, zero), vec![]),
            (small, huge, access(zero, huge), access(small, zero)),
            (huge, small, access(huge, zero), access(zero, small)),
        ] {
            let got = split(slot(before, after));
            assert_eq!((got.trie, got.utxo), (trie, utxo), "{before} to {after}");
        }
    }

    #[test]
    fn no_slot_without_an_object_leaves_the_trie() {
        let unknown = SlotLoad {
            object: None,
            ..slot(U256::ZERO, U256::from(1))
        };
        let got = split(unknown);
        assert_eq!((got.trie.len(), got.utxo.len()), (1, 0));
    }
}
