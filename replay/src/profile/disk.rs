//! What a state takes on disk in Geth's form: flat leaves, and the nodes of the tries by their paths.
//!
//! Mainnet's state is published as the size of Geth's database. To set a population beside it, its leaves are counted
//! in the same form:
//!
//! | entry | key | value |
//! |---|---|---|
//! | account, flat | 1 + 32 | slim RLP |
//! | slot, flat | 1 + 32 + 32 | RLP |
//! | account's leaf in the trie | 1 + depth | list of the rest of the path and the account with both hashes |
//! | slot's leaf in the trie | 1 + 32 + depth | list of the rest of the path and the value |
//! | branch | as the leaf's | a hash for each child, a byte for each that is absent |
//!
//! A trie of `n` hashed keys has about `n / ln 16` branches, its leaves a depth of about `log16 n + 0.7` (Knuth, The Art of
//! Computer Programming, 6.3). Code is not in it, nor what a log-structured store takes until it has merged its files,
//! nor what compression saves.

use super::population::Shape;

/// Branches of a trie of 16 ways for each leaf of hashed keys: `1 / ln 16`.
const BRANCHES: f64 = 0.360_673_760_222;
/// Nibbles of a hashed key.
const NIBBLES: f64 = 64.0;
/// Bytes of a prefix, and of a hash.
const PREFIX: f64 = 1.0;
const HASH: f64 = 32.0;
/// A hash as an RLP string, and the header of a list of more than 55 bytes.
const HASH_RLP: f64 = 33.0;
const LIST: f64 = 2.0;
/// Children and value of a branch.
const PLACES: f64 = 17.0;

/// Bytes of a state of so many accounts and slots, of whose values the shape knows the means.
pub(super) fn bytes(accounts: f64, slots: f64, shape: &Shape) -> f64 {
    accounts * per_account(accounts, shape) + slots * per_slot(slots / accounts, shape)
}

/// Bytes of an account in a trie of so many.
pub(super) fn per_account(accounts: f64, shape: &Shape) -> f64 {
    let depth = depth(accounts);
    let key = PREFIX + depth;
    let flat = PREFIX + HASH + shape.account_bytes;
    // Slim RLP leaves the two hashes out where they are those of nothing; nearly all are.
    let account = shape.account_bytes + 2.0 * HASH;
    let leaf = key + LIST + rest_of_path(depth) + LIST + account;
    flat + leaf + branches(key)
}

/// Bytes of a slot, where accounts have so many on average. Most slots are in storages that are far larger: the depth
/// is that of one of a million.
pub(super) fn per_slot(mean: f64, shape: &Shape) -> f64 {
    const LARGE: f64 = 1e6;
    let depth = depth(mean.max(LARGE));
    let key = PREFIX + HASH + depth;
    let flat = PREFIX + 2.0 * HASH + shape.slot_bytes;
    let leaf = key + LIST + rest_of_path(depth) + 1.0 + shape.slot_bytes;
    flat + leaf + branches(key)
}

/// Nibbles above a leaf.
fn depth(leaves: f64) -> f64 {
    /// Euler's constant by `ln 16`, and a half.
    const ABOVE: f64 = 0.708;
    leaves.max(1.0).log(16.0) + ABOVE
}

/// The rest of a path, two nibbles to a byte, with its flag and header.
fn rest_of_path(depth: f64) -> f64 {
    (NIBBLES - depth) / 2.0 + 2.0
}

/// The branches that belong to one leaf: their keys, the hashes of all children, the places without one.
fn branches(key: f64) -> f64 {
    let children = 1.0 + BRANCHES;
    let absent = PLACES * BRANCHES - children;
    BRANCHES * (key + LIST) + children * HASH_RLP + absent
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::keccak256;
    use std::collections::BTreeSet;

    const KEYS: u64 = 20_000;

    /// Branches and depths of a trie, counted: a branch is a prefix after which keys part.
    #[test]
    fn no_trie_of_hashed_keys_has_another_shape() {
        let mut keys: Vec<_> = (0..KEYS).map(|at| keccak256(at.to_be_bytes())).collect();
        keys.sort_unstable();
        let nibble = |key: &[u8; 32], at: usize| (key[at / 2] >> (4 * (1 - at % 2))) & 0xf;
        let shared = |a: &[u8; 32], b: &[u8; 32]| {
            (0..64)
                .take_while(|at| nibble(a, *at) == nibble(b, *at))
                .count()
        };
        let pairs: Vec<usize> = keys
            .windows(2)
            .map(|pair| shared(&pair[0].0, &pair[1].0))
            .collect();
        let prefix = |at: usize| (keys[at].0.map(|it| it), pairs[at]);
        let branches: BTreeSet<Vec<u8>> = (0..pairs.len())
            .map(|at| {
                let (key, length) = prefix(at);
                (0..length).map(|at| nibble(&key, at)).collect()
            })
            .collect();
        let share = branches.len() as f64 / KEYS as f64;
        // It swings with the logarithm.
        assert!((share / BRANCHES - 1.0).abs() < 0.1, "{share}");
        let above = |at: usize| {
            let before = at.checked_sub(1).map_or(0, |before| pairs[before]);
            before.max(pairs.get(at).copied().unwrap_or(0)) as f64 + 1.0
        };
        let mean = (0..keys.len()).map(above).sum::<f64>() / KEYS as f64;
        assert!((mean - depth(KEYS as f64)).abs() < 0.2, "{mean}");
    }

    #[test]
    fn no_larger_value_takes_less() {
        let shape = |slot_bytes, account_bytes| Shape {
            slot_bytes,
            account_bytes,
            ..Shape::default()
        };
        let (small, large) = (shape(1.0, 5.0), shape(33.0, 80.0));
        assert!(per_slot(4.0, &large) - per_slot(4.0, &small) > 2.0 * 32.0 - 1e-9);
        assert!(per_account(1e6, &large) - per_account(1e6, &small) > 2.0 * 75.0 - 1e-9);
        assert!(bytes(2e6, 8e6, &small) > 2.0 * bytes(1e6, 4e6, &small) - 1.0);
    }
}
