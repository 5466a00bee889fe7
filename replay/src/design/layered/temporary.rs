//! The temporary tier's part of a block.
//!
//! | the object is | read | written |
//! |---|---|---|
//! | live | found in memory | written, which renews it |
//! | sealed | the transaction brings leaf and proof | the same, its bit is set, and the new value is live |
//! | on its way to the seal | not there | waits: the change is made in the first block that may use the leaf |
//! | lapsed (an allowance that is not live) | not there, whatever the load expects | written anew |
//! | nothing | not there | written |
//!
//! An object has one version: it is live, or one leaf is unused. That is why a write of a sealed balance
//! uses its leaf, though a ledger would let the two add up later: the load's values are whole balances.

use super::{
    LayeredDesign, State,
    pending::{PendingBlock, Waiting},
    place::Access,
    sealed::{Brought, Departed, Search},
};
use crate::{
    design::{DesignError, WrongSlot},
    load::BlockLoad,
    measure::TierWork,
};
use alloy_primitives::{Address, B256, U256, map::B256Map};
use rayon::prelude::*;
use thinstate_engine::{Resurrection, TemporaryWrite};
use thinstate_formats::{
    BlockNumber, TemporaryRules,
    object::{MergeRule, NOTHING, ObjectKey},
    temporary::{Retention, ZeroRule, location},
};

/// Objects that one thread looks for at a time.
const TOGETHER: usize = 64;

/// What a block asks of the tier.
#[derive(Debug, Default)]
pub(super) struct TemporaryPart {
    /// What the live entries must be found to hold: zero where nothing may be live.
    pub(super) expected: Vec<Expected>,
    /// Proofs of sealed values that are read alone.
    pub(super) proofs: Vec<Brought>,
    pub(super) resurrections: Vec<Resurrection>,
    pub(super) writes: Vec<TemporaryWrite>,
    /// What reading counts, but for what it takes to check proofs.
    pub(super) read: TierWork,
    /// What applying counts, as far as it is known beforehand.
    pub(super) applied: TierWork,
}

/// What a read must find.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expected {
    /// The slot's place in the load.
    pub(super) at: u32,
    pub(super) location: B256,
    pub(super) value: U256,
}

/// An object of the tier in a block.
#[derive(Clone, Copy, Debug)]
struct Item {
    /// Its slot's place in the load; `None` for a change that has waited.
    at: Option<u32>,
    contract: Address,
    slot: U256,
    key: ObjectKey,
    location: B256,
    before: U256,
    after: U256,
}

/// What there is of an object.
enum Found {
    Live,
    Sealed(Box<Brought>),
    Waits {
        value: U256,
        until: BlockNumber,
    },
    /// Waits already.
    Queued,
    Nothing,
}

/// Makes the tier's part of a block, and takes note of it.
pub(super) fn plan(
    design: &LayeredDesign,
    state: &mut State,
    load: &BlockLoad,
    accesses: &[Access],
) -> Result<TemporaryPart, DesignError> {
    let number = load.number;
    let mut items: Vec<Item> = accesses
        .par_iter()
        .with_min_len(TOGETHER)
        .map(|access| item(load, access))
        .collect();
    let due = state.due(number);
    rejoin(number, &mut items, due)?;
    let locations: Vec<B256> = items.iter().map(|item| item.location).collect();
    let live = design.store.temporary_all_in(number, &locations);
    let look = Look {
        number,
        rules: design.store.rules().temporary,
        search: Search::new(design, number, state.filled),
        state,
    };
    let found: Vec<Found> = items
        .par_iter()
        .with_min_len(TOGETHER)
        .zip(&live)
        .map(|(item, live)| look.find(item, *live))
        .collect::<Result<_, _>>()?;
    let mut making = Making {
        part: TemporaryPart::default(),
        pending: PendingBlock {
            block: number,
            values: Vec::new(),
            used: Vec::new(),
        },
        removed: removed(&look.rules),
    };
    for (item, found) in items.iter().zip(found) {
        making.add(state, item, found);
    }
    state.pending.push(making.pending);
    Ok(making.part)
}

fn item(load: &BlockLoad, access: &Access) -> Item {
    let slot = &load.slots[access.at as usize];
    let key = slot.object.expect("what is not in the trie has a key");
    Item {
        at: Some(access.at),
        contract: slot.address,
        slot: slot.slot,
        key,
        location: location(slot.address, key.temporary_key()),
        before: access.before,
        after: access.after,
    }
}

/// Changes that have waited are made now, together with what the block does to the same objects.
fn rejoin(
    number: BlockNumber,
    items: &mut Vec<Item>,
    mut due: B256Map<Waiting>,
) -> Result<(), DesignError> {
    if due.is_empty() {
        return Ok(());
    }
    for item in items.iter_mut() {
        if let Some(waiting) = due.remove(&item.location) {
            if waiting.after != item.before {
                return Err(item.mismatch(number, waiting.after));
            }
            item.before = waiting.sealed;
        }
    }
    let mut left: Vec<_> = due.into_iter().collect();
    left.sort_unstable_by_key(|(location, _)| *location);
    items.extend(left.into_iter().map(|(location, waiting)| Item {
        at: None,
        contract: waiting.contract,
        slot: waiting.slot,
        key: waiting.key,
        location,
        before: waiting.sealed,
        after: waiting.after,
    }));
    Ok(())
}

impl Item {
    fn is_written(&self) -> bool {
        self.before != self.after
    }

    fn mismatch(&self, number: BlockNumber, got: U256) -> DesignError {
        let wrong = WrongSlot {
            number,
            tier: "temporary",
            address: self.contract,
            slot: self.slot,
            expected: self.before,
            got,
        };
        Box::new(wrong).into()
    }
}

/// Looks for the objects of one block.
struct Look<'l> {
    number: BlockNumber,
    rules: TemporaryRules,
    search: Search<'l>,
    state: &'l State,
}

impl Look<'_> {
    /// `live` is what the store has at the location.
    fn find(&self, item: &Item, live: B256) -> Result<Found, DesignError> {
        if let Some(waiting) = self.state.waiting.get(&item.location) {
            return match waiting.after == item.before {
                true => Ok(Found::Queued),
                false => Err(item.mismatch(self.number, waiting.after)),
            };
        }
        match self.state.pending.value(&item.location) {
            Some((value, _)) if value.is_zero() => return self.absent(item),
            Some((_, written)) if self.is_readable(written) => return Ok(Found::Live),
            Some((value, written)) if !self.lapses(item) => {
                let until = self.search.usable_from(self.rules.period(written));
                return Ok(Found::Waits { value, until });
            }
            Some(_) => return Ok(Found::Nothing),
            None => {}
        }
        if !live.is_zero() && live != NOTHING {
            return Ok(Found::Live);
        }
        if item.before.is_zero() || self.lapses(item) {
            return Ok(Found::Nothing);
        }
        let home = self.state.home(&item.location);
        let is_used = |period, index| self.state.pending.uses(period, index);
        match self.search.find(&item.location, home, is_used)? {
            Departed::Nothing => self.absent(item),
            Departed::Sealed(brought) => {
                let value = U256::from_be_bytes(brought.use_of.leaf.value.0);
                match value == item.before {
                    true => Ok(Found::Sealed(brought)),
                    false => Err(item.mismatch(self.number, value)),
                }
            }
            Departed::Waits { value, until } => {
                let value = U256::from_be_bytes(value.0);
                match value == item.before {
                    true => Ok(Found::Waits { value, until }),
                    false => Err(item.mismatch(self.number, value)),
                }
            }
        }
    }

    /// Nothing is there, which must be what the load expects.
    fn absent(&self, item: &Item) -> Result<Found, DesignError> {
        match item.before.is_zero() || self.lapses(item) {
            true => Ok(Found::Nothing),
            false => Err(item.mismatch(self.number, U256::ZERO)),
        }
    }

    fn lapses(&self, item: &Item) -> bool {
        item.key.class().merge_rule() == MergeRule::Lapse
    }

    fn is_readable(&self, written: BlockNumber) -> bool {
        let oldest =
            (self.rules.period(self.number).0 + 1).saturating_sub(self.rules.periods_readable());
        self.rules.period(written).0 >= oldest
    }
}

/// The part of a block in the making.
struct Making {
    part: TemporaryPart,
    pending: PendingBlock,
    /// What is written where an object is removed.
    removed: B256,
}

impl Making {
    fn add(&mut self, state: &mut State, item: &Item, found: Found) {
        if let Some(at) = item.at {
            self.expect(at, item, &found);
        }
        match found {
            Found::Queued => {
                if let Some(waiting) = state.waiting.get(&item.location).copied() {
                    let after = item.after;
                    state.wait(item.location, Waiting { after, ..waiting });
                }
            }
            Found::Waits { value, until } if item.is_written() => {
                let waiting = Waiting {
                    contract: item.contract,
                    slot: item.slot,
                    key: item.key,
                    sealed: value,
                    after: item.after,
                    until,
                };
                state.wait(item.location, waiting);
            }
            Found::Sealed(brought) if item.is_written() => self.resurrect(item, *brought),
            Found::Sealed(brought) if item.at.is_some() => {
                self.part.read.witness_bytes += brought.witness_bytes();
                self.part.proofs.push(*brought);
            }
            Found::Live if item.is_written() => self.write(item, !item.before.is_zero()),
            Found::Nothing if item.is_written() && !item.after.is_zero() => self.write(item, false),
            Found::Live | Found::Nothing | Found::Sealed(_) | Found::Waits { .. } => {}
        }
    }

    fn expect(&mut self, at: u32, item: &Item, found: &Found) {
        let value = match found {
            Found::Live => item.before,
            _ => U256::ZERO,
        };
        let read = &mut self.part.read;
        match found {
            Found::Live | Found::Sealed(_) if !item.before.is_zero() => read.reads_hit += 1,
            _ => read.reads_absent += 1,
        }
        read.logical_read_bytes += 32 + value.byte_len() as u64;
        self.part.expected.push(Expected {
            at,
            location: item.location,
            value,
        });
    }

    fn resurrect(&mut self, item: &Item, brought: Brought) {
        let applied = &mut self.part.applied;
        applied.resurrected += 1;
        applied.witness_bytes += brought.witness_bytes();
        applied.hashes += brought.hashes();
        let used = (brought.use_of.period, brought.index);
        self.pending.used.push(used);
        self.part.resurrections.push(brought.use_of);
        match item.after.is_zero() {
            // Nothing is live: what is used up is gone.
            true => {
                applied.deleted += 1;
                self.pending.values.push((item.location, U256::ZERO));
            }
            false => self.write(item, true),
        }
    }

    /// `was_there` is whether a version of the object was, live or sealed.
    fn write(&mut self, item: &Item, was_there: bool) {
        let applied = &mut self.part.applied;
        let value = match item.after.is_zero() {
            true => self.removed,
            false => B256::from(item.after),
        };
        match (was_there, item.after.is_zero()) {
            (false, _) => applied.created += 1,
            (true, true) => applied.deleted += 1,
            (true, false) => applied.updated += 1,
        }
        self.pending.values.push((item.location, item.after));
        self.part.writes.push(TemporaryWrite {
            location: item.location,
            value,
        });
    }
}

/// What is written where an object is removed: zero, or where zero would let the previous period's value
/// be read again, the word for nothing.
fn removed(rules: &TemporaryRules) -> B256 {
    match (rules.zero_rule, rules.retention) {
        (ZeroRule::NoTombstone, Retention::CurrentAndPrevious) => NOTHING,
        (ZeroRule::DeleteBoth, _) | (_, Retention::OnePeriod) => B256::ZERO,
    }
}
