//! A few objects of each class, and random blocks over them.

use alloy_primitives::{Address, B256, U256};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::{collections::BTreeMap, sync::Arc};
use thinstate_formats::{
    Account, BlockNumber,
    object::{ObjectClass, ObjectKey},
};
use thinstate_replay::load::{AccountLoad, BlockLoad, SlotLoad};

const CONTRACTS: u64 = 3;
const OBJECTS: u64 = 40;

/// Objects as the blocks left them.
pub(crate) struct Objects {
    rng: ChaCha8Rng,
    next: u64,
    /// Contract, object, value.
    pub(crate) values: BTreeMap<(Address, ObjectKey), U256>,
    /// Of a hundred values of balances, how many have no form.
    pub(crate) misfits: u8,
    is_new: bool,
}

pub(crate) fn address(number: u64) -> Address {
    Address::left_padding_from(&(number + 1).to_be_bytes())
}

/// The objects of a contract.
fn key(index: u64) -> ObjectKey {
    let owner = address(100 + index);
    match index % 5 {
        0 => ObjectKey::Erc20Balance { owner },
        1 => ObjectKey::Erc721Owner { id: index },
        2 => ObjectKey::Erc1155Balance {
            owner,
            id: U256::from(index % 3),
        },
        3 => ObjectKey::Cdp { owner, id: index },
        _ => ObjectKey::Allowance {
            owner,
            spender: address(7),
        },
    }
}

impl Objects {
    pub(crate) fn new(seed: u64, first: u64) -> Self {
        Self {
            rng: ChaCha8Rng::seed_from_u64(seed),
            next: first,
            values: BTreeMap::new(),
            misfits: 0,
            is_new: true,
        }
    }

    fn value(&mut self, key: ObjectKey, before: U256) -> U256 {
        let drawn = U256::from(self.rng.random_range(1..1_000u64));
        if self.rng.random_range(0..6u8) == 0 {
            return U256::ZERO;
        }
        let misfit = self.rng.random_range(0..100u8) < self.misfits;
        match key.class() {
            ObjectClass::Erc20Balance if misfit => U256::MAX - drawn,
            ObjectClass::Erc20Balance | ObjectClass::Erc1155Balance if before < U256::MAX >> 10 => {
                match self.rng.random_range(0..2u8) {
                    0 => before + drawn,
                    _ => before.saturating_sub(drawn),
                }
            }
            _ => drawn,
        }
    }

    /// The next block: `touched` objects are read, of which about half are written.
    pub(crate) fn block(&mut self, touched: usize) -> Arc<BlockLoad> {
        let mut slots: BTreeMap<_, SlotLoad> = BTreeMap::new();
        for _ in 0..touched {
            let contract = address(self.rng.random_range(0..CONTRACTS));
            let key = key(self.rng.random_range(0..OBJECTS));
            let before = self.values.get(&(contract, key)).copied();
            let before = before.unwrap_or_default();
            let slot = key.slot(U256::from(1));
            let after = match self.rng.random_range(0..2u8) {
                0 => before,
                _ => self.value(key, before),
            };
            slots.entry((contract, slot)).or_insert(SlotLoad {
                address: contract,
                slot,
                before,
                after,
                class: key.class(),
                object: Some(key),
            });
        }
        for slot in slots.values() {
            let key = slot.object.expect("each has one");
            self.values.insert((slot.address, key), slot.after);
        }
        let number = BlockNumber(self.next);
        self.next += 1;
        let account = |number: u64| AccountLoad {
            address: address(number),
            before: None,
            after: Some(Account {
                nonce: 1,
                code_hash: B256::repeat_byte(1),
                ..Account::default()
            }),
            storage_wiped: false,
        };
        let accounts = match core::mem::take(&mut self.is_new) {
            true => (0..CONTRACTS).map(account).collect(),
            false => Vec::new(),
        };
        let load = BlockLoad {
            number,
            blocks: 1,
            accounts,
            slots: slots.into_values().collect(),
            ..BlockLoad::default()
        };
        load.check().expect("in order");
        Arc::new(load)
    }
}
