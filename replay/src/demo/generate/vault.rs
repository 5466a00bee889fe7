//! What the generator knows of a vault: which of its slots are set.

use super::contracts::vault::{initial_value, vault_init_with};
use alloy_primitives::{Address, U256, keccak256};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;

/// A vault's model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vault {
    address: Address,
    salt: u64,
    /// The constructor's argument; part of what the address is made from.
    initial_slots: u64,
    /// The keys that are set, in no order, to draw from.
    keys: Vec<u64>,
    values: BTreeMap<u64, U256>,
    next_key: u64,
}

impl Vault {
    /// The vault that `factory` makes in block `number`.
    pub(super) fn created(factory: Address, salt: u64, initial_slots: u64, number: u64) -> Self {
        let init_hash = keccak256(vault_init_with(initial_slots));
        Self {
            address: factory.create2(U256::from(salt).to_be_bytes::<32>(), init_hash),
            salt,
            initial_slots,
            keys: (0..initial_slots).collect(),
            values: (0..initial_slots)
                .map(|key| (key, initial_value(number, key)))
                .collect(),
            next_key: initial_slots,
        }
    }

    /// The contract.
    pub const fn address(&self) -> Address {
        self.address
    }

    /// All slots that are set, by key.
    pub const fn slots(&self) -> &BTreeMap<u64, U256> {
        &self.values
    }

    pub(super) const fn salt(&self) -> u64 {
        self.salt
    }

    pub(super) const fn initial_slots(&self) -> u64 {
        self.initial_slots
    }

    /// Draws a key that is set; `None` if none is.
    pub(super) fn draw_key(&self, rng: &mut ChaCha8Rng) -> Option<u64> {
        if self.keys.is_empty() {
            None
        } else {
            Some(self.keys[rng.random_range(0..self.keys.len())])
        }
    }

    /// Draws a key that was never set.
    pub(super) fn absent_key(&self, rng: &mut ChaCha8Rng) -> u64 {
        self.next_key + (1 << 32) + rng.random_range(0..1_u64 << 32)
    }

    /// Sets a new slot and returns its key.
    pub(super) fn create(&mut self, value: U256) -> u64 {
        let key = self.next_key;
        self.next_key += 1;
        self.keys.push(key);
        self.values.insert(key, value);
        key
    }

    /// Changes a slot that is set.
    pub(super) fn update(&mut self, key: u64, value: U256) {
        self.values.insert(key, value);
    }

    /// Draws a slot that is set, clears it and returns its key; `None` if none is.
    pub(super) fn delete(&mut self, rng: &mut ChaCha8Rng) -> Option<u64> {
        if self.keys.is_empty() {
            return None;
        }
        let key = self.keys.swap_remove(rng.random_range(0..self.keys.len()));
        self.values.remove(&key);
        Some(key)
    }
}
