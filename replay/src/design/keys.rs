//! A load's keys, hashed.

use crate::load::{BlockLoad, SlotLoad};
use alloy_primitives::{Address, B256};
use thinstate_formats::BatchHasher;

/// A load's keys, hashed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys {
    /// keccak256 of each account's address, in the order of the load.
    pub accounts: Vec<B256>,
    /// Of each slot, in that order: keccak256 of the contract's address and of the slot's number.
    pub slots: Vec<(B256, B256)>,
}

impl Keys {
    /// Hashes them, many at a time and each contract once.
    pub fn of(load: &BlockLoad, hasher: &BatchHasher) -> Self {
        let addresses: Vec<Address> = load.accounts.iter().map(|it| it.address).collect();
        let mut accounts = Vec::new();
        hasher.hash_addresses(&addresses, &mut accounts);
        let mut contracts: Vec<Address> = load.slots.iter().map(|it| it.address).collect();
        contracts.dedup();
        let mut hashed = Vec::new();
        hasher.hash_addresses(&contracts, &mut hashed);
        let numbers: Vec<[u8; 32]> = load.slots.iter().map(|it| it.slot.to_be_bytes()).collect();
        let mut slots = Vec::new();
        hasher.hash_fixed32(&numbers, &mut slots);
        let mut of_contract = contracts.iter().zip(&hashed).peekable();
        let key = |(load, slot): (&SlotLoad, B256)| {
            while of_contract
                .next_if(|(contract, _)| **contract != load.address)
                .is_some()
            {}
            let (_, contract) = of_contract.peek().expect("each slot's contract is listed");
            (**contract, slot)
        };
        Self {
            accounts,
            slots: load.slots.iter().zip(slots).map(key).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::AccountLoad;
    use alloy_primitives::{U256, keccak256};
    use thinstate_formats::object::ObjectClass;

    #[test]
    fn each_slot_has_its_own_contract() {
        let address = |n: u8| Address::repeat_byte(n);
        let slot = |(contract, n): (u8, u64)| SlotLoad {
            address: address(contract),
            slot: U256::from(n),
            before: U256::ZERO,
            after: U256::ZERO,
            class: ObjectClass::PlainSlot,
            object: None,
        };
        let slots = [(1, 0), (1, 7), (3, 2), (9, 2), (9, 3)];
        let account = |n| AccountLoad {
            address: address(n),
            before: None,
            after: None,
            storage_wiped: false,
        };
        let load = BlockLoad {
            accounts: [2, 9].map(account).to_vec(),
            slots: slots.map(slot).to_vec(),
            ..BlockLoad::default()
        };
        let keys = Keys::of(&load, &BatchHasher::new());
        assert_eq!(keys.accounts, [2, 9].map(|n| keccak256(address(n))));
        let expected = slots.map(|(contract, n)| {
            let slot = keccak256(U256::from(n).to_be_bytes::<32>());
            (keccak256(address(contract)), slot)
        });
        assert_eq!(keys.slots, expected);
    }
}
