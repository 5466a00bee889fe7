//! Blocks of random updates over accounts: nine in ten of existing ones, one in ten new, uniform.

use alloy_primitives::{Address, U256, keccak256};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha12Rng;

/// One block: accounts and their new balances. Each account once.
pub type Block = Vec<(Address, U256)>;

/// A deterministic sequence of blocks.
#[derive(Debug)]
pub struct Workload {
    random: ChaCha12Rng,
    accounts: u64,
}

impl Workload {
    /// A workload over `accounts` accounts that exist.
    pub fn new(accounts: u64, seed: u64) -> Self {
        Self {
            random: ChaCha12Rng::seed_from_u64(seed),
            accounts,
        }
    }

    /// The accounts to begin with, in blocks of at most `size`.
    pub fn preload(&self, size: u64) -> impl Iterator<Item = Block> + use<> {
        let accounts = self.accounts;
        (0..accounts.div_ceil(size)).map(move |block| {
            let numbers = block * size..((block + 1) * size).min(accounts);
            numbers.map(|n| (address(n), balance(n, 0))).collect()
        })
    }

    /// The next block, of `updates` updates.
    pub fn block(&mut self, updates: usize) -> Block {
        let existing = self.accounts;
        let mut numbers = std::collections::BTreeSet::new();
        while numbers.len() < updates - updates / 10 {
            numbers.insert(self.random.random_range(0..existing));
        }
        self.accounts += (updates / 10) as u64;
        let salt = self.random.next_u64();
        numbers
            .into_iter()
            .chain(existing..self.accounts)
            .map(|n| (address(n), balance(n, salt)))
            .collect()
    }
}

fn address(number: u64) -> Address {
    Address::from_slice(&keccak256(number.to_be_bytes())[12..])
}

/// Nine bytes or less, as most of mainnet's balances.
fn balance(number: u64, salt: u64) -> U256 {
    U256::from(number.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ salt) + U256::from(1)
}
