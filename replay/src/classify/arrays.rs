//! Elements of arrays whose slot, which holds the length, the block touches as well.
//!
//! A dynamic array at slot `s` has its elements at `keccak256(s)` and behind it, also where `s` is an
//! entry of a mapping; the same goes for long strings and byte arrays. Costs a hash for each slot of a
//! contract that has slots which nothing else explains.

use super::{plain, uses::Uses};
use alloy_primitives::{Address, B256, U256};
use std::collections::{BTreeMap, BTreeSet};
use thinstate_formats::keccak::BatchHasher;

/// Elements of an array that are recognised, in words.
const ARRAY_WORDS: u64 = 1 << 32;

/// Notes for slots without an entry which array they belong to.
pub(super) fn fill(uses: &mut Uses) {
    let contracts: BTreeSet<Address> = uses
        .iter()
        .filter(|((_, number), slot)| slot.entry.is_none() && plain::by_number(*number).is_none())
        .map(|((contract, _), _)| *contract)
        .collect();
    for contract in contracts {
        let starts = starts(contract, uses);
        let of_contract = (contract, U256::ZERO)..=(contract, U256::MAX);
        for ((_, number), slot) in uses.range_mut(of_contract) {
            let start = starts.range(..=*number).next_back();
            slot.array = start
                .filter(|(start, _)| {
                    slot.entry.is_none() && *number - **start < U256::from(ARRAY_WORDS)
                })
                .map(|(_, array)| *array);
        }
    }
}

/// Where arrays at the contract's slots would begin.
fn starts(contract: Address, uses: &Uses) -> BTreeMap<U256, U256> {
    let of_contract = (contract, U256::ZERO)..=(contract, U256::MAX);
    let slots: Vec<_> = uses
        .range(of_contract)
        .map(|((_, slot), _)| *slot)
        .collect();
    let keys: Vec<_> = slots.iter().map(|slot| B256::from(*slot)).collect();
    let mut hashes = Vec::new();
    BatchHasher::new().hash_fixed::<32, _>(&keys, &mut hashes);
    let hashes = hashes.iter().map(|hash| U256::from_be_bytes(hash.0));
    hashes.zip(slots).collect()
}
