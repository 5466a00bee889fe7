//! All accounts in the order of their hashed addresses.

use super::FillError;
use crate::population::Population;
use alloy_primitives::{B256, keccak256};
use rayon::prelude::*;
use thinstate_formats::keccak::BatchHasher;

/// Addresses that are hashed together.
const TOGETHER: u64 = 4_096;

/// Accounts by the hashes of their addresses, ascending. 16 bytes of memory for each.
#[derive(Debug)]
pub(super) struct Order {
    accounts: Vec<Placed>,
}

/// An account, by the first bits of its hashed address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Placed {
    prefix: u64,
    account: u32,
}

impl Order {
    pub(super) fn of(population: &Population) -> Result<Self, FillError> {
        Self::by_prefix(population, u64::MAX)
    }

    /// Sorts by the bits of the prefix that are in `mask`, and those that have the same by their whole hashes.
    fn by_prefix(population: &Population, mask: u64) -> Result<Self, FillError> {
        let count = population.accounts();
        if count > u64::from(u32::MAX) {
            return Err(FillError::Accounts { got: count });
        }
        let hasher = BatchHasher::new();
        let mut accounts: Vec<Placed> = Vec::with_capacity(count as usize);
        let place = |batch: u64| {
            let from = batch * TOGETHER;
            let to = (from + TOGETHER).min(count);
            let hashes = hashed_addresses(population, &hasher, from..to);
            (from..to)
                .zip(hashes)
                .map(|(account, hash)| Placed {
                    prefix: prefix(hash) & mask,
                    account: account as u32,
                })
                .collect::<Vec<_>>()
        };
        let batches = (0..count.div_ceil(TOGETHER)).into_par_iter();
        accounts.par_extend(batches.flat_map_iter(place));
        accounts.par_sort_unstable();
        settle_ties(population, &mut accounts);
        Ok(Self { accounts })
    }

    pub(super) fn len(&self) -> usize {
        self.accounts.len()
    }

    /// The numbers of the accounts from a place on.
    pub(super) fn from(&self, place: usize) -> impl Iterator<Item = u64> + '_ {
        self.accounts[place..]
            .iter()
            .map(|placed| u64::from(placed.account))
    }
}

fn prefix(hash: B256) -> u64 {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&hash[..8]);
    u64::from_be_bytes(bytes)
}

/// The hashed addresses of some accounts, in order.
pub(super) fn hashed_addresses(
    population: &Population,
    hasher: &BatchHasher,
    accounts: impl Iterator<Item = u64>,
) -> Vec<B256> {
    let addresses: Vec<_> = accounts.map(|n| population.address(n)).collect();
    let mut hashes = Vec::with_capacity(addresses.len());
    hasher.hash_addresses(&addresses, &mut hashes);
    hashes
}

/// Sorts accounts with the same prefix by their whole hashes; among 50 M there is such a pair once in 15,000
/// populations.
fn settle_ties(population: &Population, accounts: &mut [Placed]) {
    let hash = |placed: &Placed| keccak256(population.address(u64::from(placed.account)));
    for tied in accounts.chunk_by_mut(|a, b| a.prefix == b.prefix) {
        if tied.len() > 1 {
            tied.sort_by_cached_key(hash);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::population::PopulationSpec;

    #[test]
    fn no_account_is_out_of_order_whatever_prefixes_they_share() {
        let population = Population::new(PopulationSpec::of(9_000, 3)).expect("mainnet's shape");
        let hasher = BatchHasher::new();
        for mask in [u64::MAX, 0xff << 56, 0] {
            let order = Order::by_prefix(&population, mask).expect("few accounts");
            let hashes = hashed_addresses(&population, &hasher, order.from(0));
            assert_eq!(hashes.len(), 9_000);
            assert!(hashes.is_sorted_by(|a, b| a < b), "{mask:x}");
        }
    }
}
