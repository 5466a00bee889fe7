//! What an updated leaf costs in hashes is known: the leaves and nodes of its bucket, and the branches above it,
//! each once for all updates of a block. Counted here from the keys alone, node by node, and held to exactly.
//!
//! What that comes to on average, for uniform keys and buckets of at most 64 entries, is the table that
//! [`MEANS`] holds the tier to.

mod support;

use alloy_primitives::{B256, U256, keccak256};
use core::ops::AddAssign;
use rand::RngExt;
use std::collections::BTreeSet;
use support::{block, random};
use thinstate_engine::{Options, PermanentTier, TrieWork, leaf_store::MemoryStore};
use thinstate_formats::{StateChanges, keccak::LaneWidth};

const SEED: u64 = 14;
const BUCKET: usize = 64;
/// Bytes of a message that one permutation absorbs.
const RATE: usize = 136;

/// Accounts, updates in a block, and for each updated leaf at most so many entries of buckets, nodes hashed, and
/// permutations.
const MEANS: [(u64, usize, f64, f64, f64); 6] = [
    (3_000, 1, 12.9, 19.1, 27.1),
    (3_000, 1_000, 3.0, 4.0, 4.5),
    (30_000, 1, 8.6, 14.5, 24.8),
    (30_000, 5_000, 4.6, 6.2, 7.0),
    (100_000, 1, 25.9, 38.7, 51.3),
    (100_000, 5_000, 14.5, 20.1, 22.2),
];

/// What hashing some nodes costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Cost {
    buckets: u64,
    entries: u64,
    nodes: u64,
    permutations: u64,
}

impl AddAssign for Cost {
    fn add_assign(&mut self, other: Self) {
        self.buckets += other.buckets;
        self.entries += other.entries;
        self.nodes += other.nodes;
        self.permutations += other.permutations;
    }
}

impl Cost {
    fn of(work: &TrieWork) -> Self {
        Self {
            buckets: work.buckets,
            entries: work.bucket_entries,
            nodes: work.hashes,
            permutations: work.permutations,
        }
    }

    fn node(&mut self, bytes: usize) {
        self.nodes += 1;
        self.permutations += (bytes / RATE + 1) as u64;
    }

    /// A branch with so many children whose references are hashes, and the extension before it.
    fn branch(&mut self, children: usize, behind_extension: bool) {
        let payload = 17 + 32 * children;
        self.node(payload + if payload < 256 { 2 } else { 3 });
        if behind_extension {
            // A path of some nibbles and a hash.
            self.node(40);
        }
    }
}

fn nibble(key: &B256, depth: usize) -> u8 {
    key[depth / 2] >> (4 * (1 - depth % 2)) & 0xf
}

/// Nibbles that all of some sorted keys begin with.
fn shared(keys: &[B256]) -> usize {
    let (first, last) = (&keys[0], &keys[keys.len() - 1]);
    (0..64)
        .find(|at| nibble(first, *at) != nibble(last, *at))
        .expect("keys differ")
}

/// All nodes of the subtree of some sorted keys in a slot.
fn subtree(keys: &[B256], slot: usize) -> Cost {
    let mut cost = Cost::default();
    if keys.len() == 1 {
        // Accounts without code and storage: less than a block.
        cost.node(110);
        return cost;
    }
    let fork = shared(keys);
    let groups = keys.chunk_by(|a, b| nibble(a, fork) == nibble(b, fork));
    cost.branch(groups.clone().count(), fork > slot);
    groups.for_each(|group| cost += subtree(group, fork + 1));
    cost
}

/// What an update of some of the keys hashes.
fn update(keys: &[B256], slot: usize, updated: &[B256]) -> Cost {
    if keys.len() <= BUCKET {
        let cost = subtree(keys, slot);
        return Cost {
            buckets: 1,
            entries: keys.len() as u64,
            ..cost
        };
    }
    let mut cost = Cost::default();
    let fork = shared(keys);
    let groups = keys.chunk_by(|a, b| nibble(a, fork) == nibble(b, fork));
    cost.branch(groups.clone().count(), fork > slot);
    for group in groups {
        let from = updated.partition_point(|key| *key < group[0]);
        let to = updated.partition_point(|key| *key <= group[group.len() - 1]);
        if from < to {
            cost += update(group, fork + 1, &updated[from..to]);
        }
    }
    cost
}

fn hashed(changes: &StateChanges) -> Vec<B256> {
    let mut keys: Vec<_> = changes.accounts.keys().map(keccak256).collect();
    keys.sort_unstable();
    keys
}

fn tier(
    lanes: Option<LaneWidth>,
    leaf_hash_bytes_max: usize,
    accounts: u64,
) -> (PermanentTier<MemoryStore>, Vec<B256>) {
    let options = Options {
        bucket_entries_max: BUCKET,
        leaf_hash_bytes_max,
        threads: Some(2),
        lanes,
        ..Options::default()
    };
    let tier = PermanentTier::open(MemoryStore::new(), options).expect("open");
    let all = random::set(0..accounts, U256::from(u64::MAX));
    tier.apply(block(0), &all).expect("apply");
    (tier, hashed(&all))
}

#[test]
fn no_block_hashes_more_than_its_buckets_and_the_branches_above() {
    let mut number = 0;
    for (accounts, updates, entries_max, nodes_max, permutations_max) in MEANS {
        let (tier, keys) = tier(None, 0, accounts);
        let blocks = (2_000 / updates).clamp(3, 200);
        let (mut total, mut updated) = (Cost::default(), 0);
        for at in 1..=blocks as u64 {
            number += 1;
            let rng = &mut random::rng(SEED, number);
            let mut chosen = BTreeSet::new();
            while chosen.len() < updates {
                chosen.insert(rng.random_range(0..accounts));
            }
            let changes = random::set(chosen, U256::from(number));
            let prepared = tier.prepare(&changes).expect("prepare");
            let cost = Cost::of(&prepared.work());
            assert_eq!(
                cost,
                update(&keys, 0, &hashed(&changes)),
                "{accounts} accounts"
            );
            tier.commit(block(at), prepared).expect("commit");
            total += cost;
            updated += updates;
        }
        let each = |n: u64| n as f64 / updated as f64;
        let means = (
            each(total.entries),
            each(total.nodes),
            each(total.permutations),
        );
        println!("{accounts} accounts, {updates} a block: {means:.1?}");
        assert!(
            means.0 <= entries_max && means.1 <= nodes_max && means.2 <= permutations_max,
            "{accounts} accounts, {updates} a block: {means:?}"
        );
    }
}

#[test]
fn no_leaf_is_hashed_whose_hash_is_held() {
    const ACCOUNTS: u64 = 30_000;
    let (tier, keys) = tier(None, 64 << 20, ACCOUNTS);
    let mut expected = Cost::default();
    for number in 1..6 {
        let changes = random::set((0..ACCOUNTS).step_by(37), U256::from(number));
        let updated = hashed(&changes);
        let prepared = tier.prepare(&changes).expect("prepare");
        let work = prepared.work();
        // The first block finds nothing held, the others all leaves of their buckets but those they change.
        let held = match number {
            1 => 0,
            _ => work.bucket_entries - updated.len() as u64,
        };
        assert_eq!(work.leaves_held, held);
        expected = update(&keys, 0, &updated);
        expected.nodes -= held;
        expected.permutations -= held;
        assert_eq!(Cost::of(&work), expected);
        // The second is dropped once: what it took is found out again.
        if number == 2 {
            let cold = tier.prepare(&changes).expect("prepare").work();
            assert_eq!(cold.leaves_held, 0);
        }
        tier.commit(block(number), prepared).expect("commit");
    }
    let root = tier.head().root;
    let verified = tier.verify().expect("the root is that of the leaves");
    assert_eq!((verified.accounts, tier.head().root), (ACCOUNTS, root));
    assert!(tier.leaf_hash_bytes() > 33 * expected.entries);
    assert!(tier.leaf_hash_bytes() < 33 * expected.entries + 6 * 128 * expected.buckets);
}

#[test]
fn no_width_of_lanes_changes_a_root_or_what_it_needs() {
    let changes = random::set((0..5_000).step_by(7), U256::from(3));
    let mut seen = BTreeSet::new();
    for lanes in LaneWidth::available().map(Some).chain([None]) {
        let (tier, _) = tier(lanes, 0, 5_000);
        let prepared = tier.prepare(&changes).expect("prepare");
        let Cost {
            nodes,
            permutations,
            ..
        } = Cost::of(&prepared.work());
        seen.insert((prepared.root(), nodes, permutations));
    }
    assert_eq!(seen.len(), 1, "{seen:?}");
}

#[test]
fn no_width_that_the_cpu_lacks_is_opened() {
    for lanes in LaneWidth::ALL {
        let options = Options {
            lanes: Some(lanes),
            ..Options::default()
        };
        let opened = PermanentTier::open(MemoryStore::new(), options);
        assert_eq!(opened.is_ok(), lanes.is_available(), "{lanes}");
    }
}
