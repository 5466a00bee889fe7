//! State that is there before the first block, put there by blocks.
//!
//! A bulk build is faster, and needs an empty store. This is for what comes on top of it, and for designs
//! that have no bulk build.

use super::{DesignError, Preload};
use crate::{
    load::{AccountLoad, BlockLoad, SlotLoad},
    population::Population,
};
use alloy_primitives::U256;
use thinstate_formats::{BlockNumber, trace::CodeWrite};

/// Entries that one block is given, where there are blocks enough.
const ENTRIES_PER_BLOCK: usize = 1 << 17;

/// Splits a preload into blocks that create it; the last is `last`. Where there is a `head` they are its
/// successors: all numbers up to `last`, some of the blocks perhaps empty. Accounts come before slots.
pub fn preload_blocks(
    design: &str,
    preload: &Preload,
    head: Option<BlockNumber>,
    last: BlockNumber,
) -> Result<Vec<BlockLoad>, DesignError> {
    let (accounts, slots) = (created_accounts(preload), created_slots(preload));
    let codes = deployed_codes(preload);
    let entries = accounts.len() + slots.len();
    let blocks = match head {
        Some(head) => last.0.saturating_sub(head.0),
        None => (last.0.saturating_add(1)).min(entries.div_ceil(ENTRIES_PER_BLOCK).max(1) as u64),
    };
    if blocks == 0 {
        return Err(DesignError::Unsupported {
            design: design.to_owned(),
            what: format!(
                "a preload at block {last} over a state of block {}: it takes a block above",
                head.unwrap_or_default()
            ),
        });
    }
    let blocks_usize = usize::try_from(blocks).unwrap_or(usize::MAX);
    let per_block = entries.div_ceil(blocks_usize);
    let codes_per_block = codes.len().div_ceil(blocks_usize).max(1);
    let of_block = |at: u64| {
        let from = (at as usize).saturating_mul(per_block);
        let to = from.saturating_add(per_block);
        let of = |len: usize, before: usize| {
            from.saturating_sub(before).min(len)..to.saturating_sub(before).min(len)
        };
        BlockLoad {
            number: BlockNumber(last.0 - (blocks - 1) + at),
            blocks: 1,
            accounts: accounts[of(accounts.len(), 0)].to_vec(),
            slots: slots[of(slots.len(), accounts.len())].to_vec(),
            code_writes: codes
                .chunks(codes_per_block)
                .nth(at as usize)
                .unwrap_or_default()
                .to_vec(),
            ..BlockLoad::default()
        }
    };
    Ok((0..blocks).map(of_block).collect())
}

/// Splits a population into blocks that create it; the last is `last`. Accounts come before slots.
pub fn population_blocks(
    population: &Population,
    last: BlockNumber,
) -> impl Iterator<Item = BlockLoad> + '_ {
    let entries = population.accounts() + population.slots();
    let most = last.0.saturating_add(1);
    let blocks = entries.div_ceil(ENTRIES_PER_BLOCK as u64).clamp(1, most);
    let per_block = entries.div_ceil(blocks);
    (0..blocks).map(move |at| {
        let mut load = BlockLoad {
            number: BlockNumber(last.0 - (blocks - 1) + at),
            blocks: 1,
            ..BlockLoad::default()
        };
        for entry in at * per_block..entries.min((at + 1) * per_block) {
            match entry.checked_sub(population.accounts()) {
                None => load.accounts.push(AccountLoad {
                    address: population.address(entry),
                    before: None,
                    after: population.account(entry),
                    storage_wiped: false,
                }),
                Some(slot) => {
                    let id = population
                        .slot_at(slot)
                        .expect("the index is below slots()");
                    let slot = population.slot(id);
                    load.slots.push(SlotLoad {
                        address: slot.address,
                        slot: slot.slot,
                        before: U256::ZERO,
                        after: slot.value,
                        class: slot.class,
                        object: slot.object,
                    });
                }
            }
        }
        if at == 0 {
            let codes = population.code_lengths();
            load.code_writes = codes
                .map(|(hash, length)| CodeWrite { hash, length })
                .collect();
        }
        load.sort();
        load
    })
}

fn deployed_codes(preload: &Preload) -> Vec<CodeWrite> {
    let codes = preload.codes.iter();
    let mut codes: Vec<_> = codes
        .map(|(hash, length)| CodeWrite {
            hash: *hash,
            length: *length,
        })
        .collect();
    codes.sort_unstable_by_key(|it| it.hash);
    codes
}

fn created_accounts(preload: &Preload) -> Vec<AccountLoad> {
    let created = |(address, account): (&_, &_)| AccountLoad {
        address: *address,
        before: None,
        after: Some(*account),
        storage_wiped: false,
    };
    let mut accounts: Vec<_> = preload.accounts.iter().map(created).collect();
    accounts.sort_unstable_by_key(|it| it.address);
    accounts
}

fn created_slots(preload: &Preload) -> Vec<SlotLoad> {
    let found = preload.slots.values();
    let mut slots: Vec<_> = found
        .filter(|slot| !slot.before.is_zero())
        .map(|slot| SlotLoad {
            before: U256::ZERO,
            after: slot.before,
            ..*slot
        })
        .collect();
    slots.sort_unstable_by_key(SlotLoad::key);
    slots
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::Address;
    use thinstate_formats::{Account, object::ObjectClass};

    fn preload() -> Preload {
        let mut preload = Preload::default();
        for n in 0..5u8 {
            let address = Address::repeat_byte(n);
            preload.accounts.insert(address, Account::default());
            let slot = SlotLoad {
                address,
                slot: U256::from(n),
                before: U256::from(n),
                after: U256::MAX,
                class: ObjectClass::PlainSlot,
                object: None,
            };
            preload.slots.insert(slot.key(), slot);
        }
        preload
    }

    #[test]
    fn no_entry_is_lost_between_blocks() {
        for (head, last, blocks) in [
            (None, 0, 1),
            (None, 10, 1),
            (Some(9), 10, 1),
            (Some(6), 10, 4),
            (Some(0), 100, 100),
        ] {
            let head = head.map(BlockNumber);
            let loads = preload_blocks("d", &preload(), head, BlockNumber(last)).expect("room");
            assert_eq!(loads.len(), blocks);
            let numbers: Vec<_> = loads.iter().map(|load| load.number.0).collect();
            let first = last + 1 - blocks as u64;
            assert_eq!(numbers, (first..=last).collect::<Vec<_>>());
            assert_eq!(loads.iter().map(|it| it.accounts.len()).sum::<usize>(), 5);
            // The slot with number 0 holds zero, so that it is none.
            let slots: Vec<_> = loads.iter().flat_map(|load| &load.slots).collect();
            assert_eq!(slots.len(), 4);
            assert!(
                slots
                    .iter()
                    .all(|it| it.before.is_zero() && it.after == it.slot)
            );
            loads
                .iter()
                .for_each(|load| load.check().expect("in order"));
        }
    }

    #[test]
    fn a_preload_never_goes_below_the_state_that_is_there() {
        let head = Some(BlockNumber(10));
        let refused = preload_blocks("d", &preload(), head, BlockNumber(10));
        assert!(matches!(refused, Err(DesignError::Unsupported { .. })));
    }
}
