//! What logs show of mappings: the rules by which an entry's keys and values are held against them.

use super::{
    Place, SlotKind,
    book::Evidence,
    events::{ContractEvents, Events},
    place::as_address,
    uses::{Entry, Move, Uses},
};
use alloy_primitives::{Address, B256, U256};
use std::collections::BTreeMap;

/// What one access of an entry shows of its mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    /// A log names the entry, and the value is what the log says.
    Exact(SlotKind),
    /// As [`Self::Exact`], by an event that others than tokens have as well: it says what this entry
    /// is where the mapping is known, and nothing about the mapping.
    Weak(SlotKind),
    /// A log names the entry, and the value is another.
    Named(SlotKind),
    /// A log says that the holder's balance moved, and the value did not.
    Against,
}

/// What an access of the entry with these keys shows.
pub(super) fn sign(events: &ContractEvents, keys: &[B256], moved: &Move) -> Option<Sign> {
    match *keys {
        [key] => token(events, key, moved).or_else(|| holder(events, as_address(key)?, moved)),
        [first, second] => multi(events, first, second, moved)
            .or_else(|| granted(events, as_address(first)?, as_address(second)?, moved)),
        _ => None,
    }
}

/// `mapping(id => owner)`: the last 20 bytes, for some contracts keep more in the word.
fn token(events: &ContractEvents, id: B256, moved: &Move) -> Option<Sign> {
    let (from, to) = events.tokens.get(&(moved.index, id))?;
    let owner = |word: U256| Address::from_word(word.into());
    let (before, after) = (owner(moved.before), owner(moved.after));
    let given = after == *to && (!to.is_zero() || before == *from);
    (given && moved.before != moved.after).then_some(Sign::Exact(SlotKind::Erc721Owner))
}

/// `mapping(holder => amount)`.
fn holder(events: &ContractEvents, holder: Address, moved: &Move) -> Option<Sign> {
    let key = (moved.index, holder);
    let delta = moved.delta();
    let flow = events.flows.get(&key);
    if let Some(flow) = flow
        && !delta.is_zero()
        && delta == flow.delta()
    {
        let kind = SlotKind::Erc20Balance;
        return Some(if flow.transfer {
            Sign::Exact(kind)
        } else {
            Sign::Weak(kind)
        });
    }
    // Some contracts keep other counters in the upper words.
    let low = |word: U256| word.as_limbs()[0];
    if let Some(count) = events.counts.get(&key)
        && !count.is_zero()
        && low(moved.after).wrapping_sub(low(moved.before)) == low(*count)
    {
        return Some(Sign::Exact(SlotKind::Erc721Count));
    }
    flow.filter(|flow| flow.transfer && !flow.delta().is_zero())?;
    Some(if delta.is_zero() {
        Sign::Against
    } else {
        Sign::Named(SlotKind::Erc20Balance)
    })
}

/// `mapping(id => mapping(holder => amount))`, or the other way round.
fn multi(events: &ContractEvents, first: B256, second: B256, moved: &Move) -> Option<Sign> {
    let delta = moved.delta();
    let moves_by = |holder: B256, id: B256| {
        let holder = as_address(holder)?;
        events.multi.get(&(moved.index, holder, id))
    };
    let says = |logged: Option<&U256>| logged == Some(&delta);
    let exact =
        !delta.is_zero() && (says(moves_by(second, first)) || says(moves_by(first, second)));
    exact.then_some(Sign::Exact(SlotKind::Erc1155Balance))
}

/// `mapping(owner => mapping(spender => ...))`.
fn granted(
    events: &ContractEvents,
    owner: Address,
    spender: Address,
    moved: &Move,
) -> Option<Sign> {
    let key = (moved.index, owner, spender);
    let is_something = !moved.before.is_zero() || !moved.after.is_zero();
    if let Some(amounts) = events.approvals.get(&key)
        && amounts.contains(&moved.after)
        && is_something
    {
        return Some(Sign::Exact(SlotKind::Allowance));
    }
    if events.operators.get(&key) == Some(&moved.after) && is_something {
        return Some(Sign::Exact(SlotKind::OperatorApproval));
    }
    let sent = events.flows.get(&(moved.index, owner))?.sent;
    if sent.is_zero() {
        return None;
    }
    if moved.before.wrapping_sub(moved.after) == sent {
        return Some(Sign::Exact(SlotKind::Allowance));
    }
    // Without limit: it is looked at, and not lowered.
    let unlimited = moved.delta().is_zero() && moved.after.bit_len() >= UNLIMITED_BITS;
    unlimited.then_some(Sign::Named(SlotKind::Allowance))
}

/// From here on an allowance is meant as one without limit: the smallest in use is 2^96 - 1.
const UNLIMITED_BITS: usize = 95;

/// What a block shows of all its mappings.
pub(super) fn evidence(uses: &Uses, events: &Events) -> BTreeMap<(Address, Place), Evidence> {
    let mut shown: BTreeMap<(Address, Place), Evidence> = BTreeMap::new();
    for ((contract, _), slot) in uses {
        let (Some(entry), Some(events)) = (&slot.entry, events.of(*contract)) else {
            continue;
        };
        for sign in slot
            .moves
            .iter()
            .filter_map(|it| sign(events, &entry.keys, it))
        {
            let evidence = shown.entry((*contract, entry.place.clone())).or_default();
            match sign {
                Sign::Exact(kind) => *evidence.exact.entry(kind).or_default() += 1,
                Sign::Named(kind) => *evidence.named.entry(kind).or_default() += 1,
                Sign::Against => evidence.against += 1,
                Sign::Weak(_) => {}
            }
        }
    }
    for (key, pairs) in opposites(uses, events) {
        shown.entry(key).or_default().opposite += pairs;
    }
    shown
}

/// Adds what the trace's own classes say of mappings.
pub(super) fn earlier(uses: &Uses, shown: &mut BTreeMap<(Address, Place), Evidence>) {
    for ((contract, _), slot) in uses {
        if let (Some(entry), Some(kind)) = (&slot.entry, SlotKind::of_object(slot.earlier)) {
            let evidence = shown.entry((*contract, entry.place.clone())).or_default();
            *evidence.earlier.entry(kind).or_default() += 1;
        }
    }
}

/// Mappings of which exactly two entries moved at an index, by opposite amounts above 1, with how often
/// that was so. By 1 move the counters of ERC-721 contracts. Only where the contract logged no transfer at that index: there, logs say more.
fn opposites(uses: &Uses, events: &Events) -> BTreeMap<(Address, Place), u64> {
    let mut deltas: BTreeMap<(Address, Place, u64), Vec<U256>> = BTreeMap::new();
    for ((contract, _), slot) in uses {
        let Some(entry) = slot.entry.as_ref().filter(|it| is_of_holder(it)) else {
            continue;
        };
        for moved in slot.moves.iter().filter(|it| !it.delta().is_zero()) {
            let key = (*contract, entry.place.clone(), moved.index);
            deltas.entry(key).or_default().push(moved.delta());
        }
    }
    let mut pairs: BTreeMap<(Address, Place), u64> = BTreeMap::new();
    for ((contract, place, index), deltas) in deltas {
        let logged = events
            .of(contract)
            .is_some_and(|it| it.flows.keys().any(|key| key.0 == index));
        if let [one, other] = *deltas
            && one.wrapping_add(other).is_zero()
            && one != U256::ONE
            && other != U256::ONE
            && !logged
        {
            *pairs.entry((contract, place)).or_default() += 1;
        }
    }
    pairs
}

fn is_of_holder(entry: &Entry) -> bool {
    matches!(*entry.keys, [key] if as_address(key).is_some())
}
