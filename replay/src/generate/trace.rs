//! Accesses spread over transactions.

use crate::{
    load::{AccountLoad, BlockLoad, SlotLoad},
    population::Population,
};
use alloy_primitives::{Address, B256, U256, map::HashSet};
use std::collections::BTreeMap;
use thinstate_formats::{
    object::ObjectKey,
    trace::{
        AccountAccess, BlockAccessIndex, BlockTrace, PreimageOrder, SlotAccess, SlotPreimage,
        TxAccesses,
    },
};

/// Slots of a contract that one transaction touches.
const SLOTS_PER_TX: usize = 4;
/// Seconds between blocks.
const SLOT_S: u64 = 12;
/// Mainnet's gas limit in 2026, of each block that went into a load.
const GAS_LIMIT: u64 = 60_000_000;

/// A trace of which the load is the net: [`BlockLoad::collapse`] gives it back, its count of blocks
/// excepted.
///
/// Accesses of a contract go to few transactions, neighbours to the same one; each account and slot is
/// accessed at one index. What lives in mappings gets the preimages that a Solidity contract of the
/// population reveals. Hashes of generated blocks are zero, and their timestamps twelve times their numbers.
pub fn to_trace(load: &BlockLoad) -> BlockTrace {
    let tx_count = u32::try_from(load.tx_count).unwrap_or(u32::MAX);
    let mut groups = Groups::new(tx_count);
    let wiped = load.accounts.iter().filter(|it| it.storage_wiped);
    let wiped: HashSet<Address> = wiped.map(|it| it.address).collect();
    for slots in load.slots.chunk_by(|a, b| a.address == b.address) {
        for (chunk, slots) in slots.chunks(SLOTS_PER_TX).enumerate() {
            for slot in slots {
                match wiped.contains(&slot.address) {
                    true => groups.add_wiped_slot(slot),
                    false => groups
                        .at(slot.address, chunk)
                        .slots
                        .push(access(slot, slot.before)),
                }
            }
        }
    }
    for account in &load.accounts {
        groups.add_account(account);
    }
    let all = groups.first();
    all.code_reads.extend(&load.code_reads);
    all.code_writes.extend(&load.code_writes);
    let mut trace = BlockTrace {
        number: load.number,
        timestamp: load.number.0.saturating_mul(SLOT_S),
        gas_used: load.gas_used,
        gas_limit: load.gas_used.max(GAS_LIMIT * u64::from(load.blocks.max(1))),
        tx_count,
        hash: B256::ZERO,
        parent_hash: B256::ZERO,
        state_root: load.state_root,
        accesses: groups.by_index.into_values().collect(),
    };
    trace.sort();
    trace
}

/// Accesses by index.
struct Groups {
    txs: u64,
    by_index: BTreeMap<u64, TxAccesses>,
}

impl Groups {
    const fn new(tx_count: u32) -> Self {
        Self {
            txs: tx_count as u64,
            by_index: BTreeMap::new(),
        }
    }

    fn index(&mut self, index: u64) -> &mut TxAccesses {
        let new = || TxAccesses::new(BlockAccessIndex::new(index));
        self.by_index.entry(index).or_insert_with(new)
    }

    /// The transaction of an address; those of its later chunks follow. Index 1 where there are none, which
    /// is then the index after the last.
    fn at(&mut self, address: Address, chunk: usize) -> &mut TxAccesses {
        let word = address.into_word();
        let drawn = U256::from_be_bytes(word.0).as_limbs()[0].wrapping_add(chunk as u64);
        self.index(1 + drawn % self.txs.max(1))
    }

    fn first(&mut self) -> &mut TxAccesses {
        self.index(1)
    }

    /// Storage is wiped before anything else happens; what is left in a slot of it is written after that.
    fn add_wiped_slot(&mut self, slot: &SlotLoad) {
        let wiped = SlotLoad {
            after: U256::ZERO,
            ..*slot
        };
        self.index(0).slots.push(access(&wiped, wiped.before));
        if !slot.after.is_zero() {
            self.index(1).slots.push(access(slot, U256::ZERO));
        }
    }

    fn add_account(&mut self, load: &AccountLoad) {
        let (address, before, after) = (load.address, load.before, load.after);
        let access = AccountAccess::write(address, before, after, load.storage_wiped);
        let group = match load.storage_wiped {
            true => self.index(0),
            false => self.at(address, 0),
        };
        group.accounts.push(access);
    }
}

/// A slot's access that found `before`.
fn access(slot: &SlotLoad, before: U256) -> SlotAccess {
    let mut access = SlotAccess::write(slot.address, slot.slot, before, slot.after);
    access.class = slot.class;
    access.preimages = slot
        .object
        .map_or_else(Vec::new, |it| preimages(it, slot.slot));
    access
}

/// Where an object's slot comes from; nothing if it is not where the population puts such objects.
fn preimages(object: ObjectKey, slot: U256) -> Vec<SlotPreimage> {
    let word = |number: u64| B256::from(U256::from(number));
    let keys = match object {
        ObjectKey::PlainSlot(_) => return Vec::new(),
        ObjectKey::Erc20Balance { owner } => vec![owner.into_word()],
        ObjectKey::Erc721Owner { id } => vec![word(id)],
        ObjectKey::Erc1155Balance { owner, id } => vec![B256::from(id), owner.into_word()],
        ObjectKey::Cdp { owner, id } => vec![owner.into_word(), word(id)],
        ObjectKey::Allowance { owner, spender } => vec![owner.into_word(), spender.into_word()],
    };
    let mut base = U256::from(Population::mapping_slot(object.class()));
    let mut preimages = Vec::with_capacity(keys.len());
    for key in keys {
        let preimage = SlotPreimage {
            order: PreimageOrder::KeyThenBase,
            key,
            base,
        };
        base = preimage.hash();
        preimages.push(preimage);
    }
    if base == slot { preimages } else { Vec::new() }
}
