//! The slots of a block, each once, with all that the block does to it.

use super::Place;
use alloy_primitives::{Address, B256, U256};
use std::collections::BTreeMap;
use thinstate_formats::{
    object::ObjectClass,
    trace::{BlockTrace, SlotPreimage},
};

/// The slots of a block by contract and number.
pub(super) type Uses = BTreeMap<(Address, U256), SlotUse>;

/// What a block does to one slot, and where the slot is.
#[derive(Clone, Debug, Default)]
pub(super) struct SlotUse {
    /// What each index finds and leaves, ascending.
    pub(super) moves: Vec<Move>,
    /// The mapping that it is an entry of, with the keys that lead there, outermost first.
    pub(super) entry: Option<Entry>,
    /// The slot of the array that it is an element of, where the block touches that as well.
    pub(super) array: Option<U256>,
    /// The class that the trace gives it.
    pub(super) earlier: ObjectClass,
}

/// An entry of a mapping.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// The mapping.
    pub(super) place: Place,
    /// The keys.
    pub(super) keys: Vec<B256>,
    /// Preimages that were found by search, and that the trace does not have.
    pub(super) found: Option<Vec<SlotPreimage>>,
}

/// What one index does to a slot.
#[derive(Clone, Copy, Debug)]
pub(super) struct Move {
    /// The index.
    pub(super) index: u64,
    /// What it finds.
    pub(super) before: U256,
    /// What it leaves.
    pub(super) after: U256,
}

impl Move {
    /// What the value moves by, modulo 2^256.
    pub(super) fn delta(&self) -> U256 {
        self.after.wrapping_sub(self.before)
    }
}

impl SlotUse {
    /// Whether the block leaves another value than it found.
    pub(super) fn is_written(&self) -> bool {
        let first = self.moves.first().map(|it| it.before);
        let last = self.moves.last().map(|it| it.after);
        first != last
    }
}

/// The slots of a block.
pub(super) fn of_block(trace: &BlockTrace) -> Uses {
    let mut uses = Uses::new();
    for group in &trace.accesses {
        for access in &group.slots {
            let slot = uses.entry(access.key()).or_default();
            slot.moves.push(Move {
                index: group.index.get(),
                before: access.before(),
                after: access.after(),
            });
            if access.class != ObjectClass::Unclassified {
                slot.earlier = access.class;
            }
            if slot.entry.is_none()
                && let Some(place) = Place::of(access.slot, &access.preimages)
            {
                slot.entry = Some(Entry {
                    place,
                    keys: access.preimages.iter().map(|level| level.key).collect(),
                    found: None,
                });
            }
        }
    }
    uses
}
