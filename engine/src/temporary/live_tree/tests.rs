//! Against the tree built from the sorted leaves.

use super::{
    LeafChange, LiveTree, LiveTreeWork,
    arena::{Arena, BUCKET_LEAVES_MAX, Link, Target},
};
use alloy_primitives::B256;
use proptest::prelude::*;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha12Rng;
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::collections::BTreeMap;
use thinstate_formats::{
    HashKind, NodeHasher,
    counted::{Leaf, LocationProof, Node, Subtree, root_of_sorted},
};

type Model = BTreeMap<B256, B256>;

fn leaves_of(model: &Model) -> Vec<Leaf> {
    let leaf = |(location, value): (&B256, &B256)| Leaf {
        location: *location,
        value: *value,
    };
    model.iter().map(leaf).collect()
}

fn root_of(hasher: &NodeHasher, model: &Model) -> Node {
    root_of_sorted(hasher, &leaves_of(model)).expect("a map is sorted")
}

/// Applies changes to the model; returns those that undo them.
fn change_model(model: &mut Model, changes: &[LeafChange]) -> Vec<LeafChange> {
    let change = |(location, value): &LeafChange| match value {
        Some(value) => (*location, model.insert(*location, *value)),
        None => (*location, model.remove(location)),
    };
    let mut undo: Vec<_> = changes.iter().map(change).collect();
    undo.reverse();
    undo
}

fn pool(threads: usize) -> ThreadPool {
    let pool = ThreadPoolBuilder::new().num_threads(threads).build();
    pool.expect("threads start")
}

/// Few locations in all, with prefixes in common of any length, so that batches meet each other.
fn arb_location() -> impl Strategy<Value = B256> {
    let spread = (0u8..=255).prop_map(B256::repeat_byte);
    // A number's bits at the end, or one flipped bit anywhere.
    let at_the_end = (0u8..48).prop_map(|n| B256::with_last_byte(n.wrapping_mul(5)));
    let flipped = (0usize..256, any::<bool>()).prop_map(|(bit, ones)| {
        let mut location = B256::repeat_byte(if ones { 0xff } else { 0 });
        location[bit / 8] ^= 0x80 >> (bit % 8);
        location
    });
    let in_the_middle = (0u8..16, 0u8..4).prop_map(|(a, b)| {
        let mut location = B256::repeat_byte(0x55);
        (location[15], location[31]) = (a, b);
        location
    });
    prop_oneof![spread, at_the_end, flipped, in_the_middle]
}

fn arb_batch() -> impl Strategy<Value = Vec<LeafChange>> {
    let value = prop_oneof![
        3 => (0u8..4).prop_map(|n| Some(B256::repeat_byte(n))),
        1 => Just(None),
    ];
    proptest::collection::vec((arb_location(), value), 0..120)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn no_history_shows_in_the_root(
        batches in proptest::collection::vec(arb_batch(), 1..8),
        kind in proptest::sample::select(HashKind::ALL.to_vec()),
    ) {
        let hasher = NodeHasher::new(kind);
        let mut tree = LiveTree::default();
        let mut model = Model::new();
        let mut undo = Vec::new();
        for batch in &batches {
            let before = tree.root();
            tree.update(&hasher, None, batch);
            undo.push((before, change_model(&mut model, batch)));
            prop_assert_eq!(tree.root(), root_of(&hasher, &model));
            prop_assert_eq!(tree.len(), model.len() as u64);
            tree.check(&hasher, &model);
        }
        for (before, batch) in undo.into_iter().rev() {
            tree.update(&hasher, None, &batch);
            prop_assert_eq!(tree.root(), before);
        }
        prop_assert_eq!(tree.root(), Node::EMPTY);
    }
}

/// All locations under a node.
fn leaves_under(arena: &Arena, link: Link) -> Vec<B256> {
    match link.target() {
        Target::Bucket { len, slot } => {
            let entries = arena.bucket(len, slot).iter();
            entries.map(|entry| entry.location).collect()
        }
        Target::Inner(slot) => {
            let sides = arena.inner(slot).sides.iter();
            sides
                .flat_map(|side| leaves_under(arena, side.link))
                .collect()
        }
    }
}

impl LiveTree {
    /// The nodes are those that the leaves call for, and each keeps its sides' true hashes.
    fn check(&self, hasher: &NodeHasher, model: &Model) {
        for shard in &self.shards {
            let mut open: Vec<_> = shard.root.into_iter().collect();
            while let Some(side) = open.pop() {
                let leaves = leaves_under(&shard.arena, side.link);
                assert_eq!(leaves.len(), side.count as usize);
                let small = leaves.len() <= BUCKET_LEAVES_MAX;
                let bucket = matches!(side.link.target(), Target::Bucket { .. });
                assert_eq!(small, bucket, "a subtree of few leaves is a bucket");
                let under = leaves.iter().map(|l| (*l, model[l])).collect();
                assert_eq!(Node::from(side), root_of(hasher, &under));
                if let Target::Inner(slot) = side.link.target() {
                    open.extend(shard.arena.inner(slot).sides);
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn no_proof_differs_from_that_of_the_sorted_leaves(
        batch in arb_batch(),
        asked in proptest::collection::vec(arb_location(), 1..40),
    ) {
        let hasher = NodeHasher::default();
        let mut tree = LiveTree::default();
        let mut model = Model::new();
        tree.update(&hasher, None, &batch);
        change_model(&mut model, &batch);
        let leaves: Vec<Leaf> = leaves_of(&model);
        let oracle = Subtree::build(&hasher, &leaves).expect("a map is sorted");
        for location in asked.iter().chain(model.keys()) {
            let proof = tree.prove(&hasher, location, |location| model[location]);
            prop_assert_eq!(&proof, &oracle.prove_location(&leaves, location));
            match proof {
                LocationProof::Included { leaf, index, proof } => {
                    prop_assert_eq!(proof.verify(&hasher, tree.root(), &leaf), Ok(index));
                }
                LocationProof::Excluded(proof) => {
                    prop_assert_eq!(proof.verify(&hasher, tree.root(), location), Ok(()));
                }
            }
        }
    }
}

fn random_location(random: &mut ChaCha12Rng) -> B256 {
    let mut location = B256::ZERO;
    random.fill_bytes(&mut location.0);
    location
}

/// Batches over a growing and then shrinking set of random leaves.
fn random_batches(seed: u64, size: usize) -> Vec<Vec<LeafChange>> {
    let mut random = ChaCha12Rng::seed_from_u64(seed);
    let mut known: Vec<B256> = Vec::new();
    let mut batches = Vec::new();
    for round in 0..12 {
        let mut batch = Vec::new();
        for _ in 0..size {
            let fresh = known.is_empty() || random.random_ratio(1, if round < 6 { 2 } else { 20 });
            if fresh {
                known.push(random_location(&mut random));
            }
            let location = if fresh {
                known[known.len() - 1]
            } else {
                known[random.random_range(0..known.len())]
            };
            let removed = random.random_ratio(if round < 6 { 1 } else { 10 }, 12);
            let value = (!removed).then(|| random_location(&mut random));
            batch.push((location, value));
        }
        batches.push(batch);
    }
    batches.push(known.into_iter().map(|location| (location, None)).collect());
    batches
}

#[test]
fn no_number_of_threads_shows_in_the_root_or_the_work() {
    let hasher = NodeHasher::default();
    let pools = [None, Some(pool(1)), Some(pool(2)), Some(pool(5))];
    let mut trees = vec![LiveTree::default(); pools.len()];
    let mut model = Model::new();
    for batch in random_batches(7, 5_000) {
        change_model(&mut model, &batch);
        let expected = root_of(&hasher, &model);
        let works: Vec<LiveTreeWork> = trees
            .iter_mut()
            .zip(&pools)
            .map(|(tree, pool)| tree.update(&hasher, pool.as_ref(), &batch))
            .collect();
        assert!(trees.iter().all(|tree| tree.root() == expected));
        assert!(works.iter().all(|work| *work == works[0]));
    }
    assert_eq!(trees[0].root(), Node::EMPTY);
}

#[test]
fn no_batch_hashes_more_than_the_paths_that_it_touches() {
    let hasher = NodeHasher::default();
    let mut tree = LiveTree::default();
    let mut random = ChaCha12Rng::seed_from_u64(3);
    let leaves: Vec<LeafChange> = (0..100_000)
        .map(|_| (random_location(&mut random), Some(B256::ZERO)))
        .collect();
    tree.update(&hasher, None, &leaves);
    for changes in [1usize, 10, 100, 5_000] {
        let batch: Vec<LeafChange> = (0..changes)
            .map(|at| (leaves[at * 17].0, Some(random_location(&mut random))))
            .collect();
        let work = tree.update(&hasher, None, &batch);
        assert_eq!(work.leaf_hashes, changes as u64);
        // A path to a bucket has log2(100,000 / 5.5) + 2 nodes at most on average, the bucket 7.
        let per_change = work.inner_hashes as f64 / changes as f64;
        let shared = (changes as f64).log2().floor() - 1.0;
        assert!(
            per_change <= 16.2 + 7.0 - shared.max(0.0),
            "{per_change} inner hashes per change of {changes}"
        );
    }
    let all: Vec<LeafChange> = leaves.iter().map(|(l, _)| (*l, Some(*l))).collect();
    let work = tree.update(&hasher, None, &all);
    assert_eq!(
        (work.leaf_hashes, work.inner_hashes),
        (100_000, 99_999),
        "each node once"
    );
    let first = all[1];
    let unchanged = tree.update(&hasher, None, &[(first.0, None), first, first]);
    let absent = (random_location(&mut random), None);
    let nothing = tree.update(&hasher, None, &[absent]);
    assert_eq!((unchanged.leaf_hashes, unchanged.inner_hashes), (1, 0));
    assert_eq!((nothing.leaf_hashes, nothing.inner_hashes), (0, 0));
}

#[test]
fn no_leaf_takes_more_than_a_hundred_bytes() {
    let hasher = NodeHasher::default();
    let mut tree = LiveTree::default();
    let mut random = ChaCha12Rng::seed_from_u64(5);
    for _ in 0..60 {
        let batch: Vec<LeafChange> = (0..10_000)
            .map(|_| (random_location(&mut random), Some(B256::ZERO)))
            .collect();
        tree.update(&hasher, None, &batch);
    }
    let per_leaf = tree.memory_bytes() as f64 / tree.len() as f64;
    assert!(per_leaf < 100.0, "{per_leaf} bytes per leaf");
}

/// Prints updates per second, hashes and bytes per leaf: 20,000 changes per batch, one in ten a
/// new leaf. `cargo test --release -p thinstate-engine --lib live_tree -- --ignored --nocapture`.
#[test]
#[ignore = "measures; takes a minute"]
fn updates_per_second() {
    let hasher = NodeHasher::default();
    for leaves in [1_000_000u64, 10_000_000] {
        let mut random = ChaCha12Rng::seed_from_u64(leaves);
        let mut known = Vec::new();
        let mut tree = LiveTree::default();
        let two = pool(2);
        while tree.len() < leaves {
            let fresh: Vec<_> = (0..100_000).map(|_| random_location(&mut random)).collect();
            let batch: Vec<_> = fresh.iter().map(|l| (*l, Some(*l))).collect();
            tree.update(&hasher, Some(&two), &batch);
            known.extend(fresh);
        }
        for threads in [None, Some(&two)] {
            let mut took = Vec::new();
            let mut work = LiveTreeWork::default();
            for _ in 0..40 {
                let mut batch = Vec::new();
                for at in 0..20_000 {
                    let fresh = random_location(&mut random);
                    let old = known[random.random_range(0..known.len())];
                    batch.push((if at % 10 == 0 { fresh } else { old }, Some(fresh)));
                }
                let started = std::time::Instant::now();
                work = tree.update(&hasher, threads, &batch);
                took.push(started.elapsed());
            }
            took.sort();
            eprintln!(
                "{leaves} leaves, {} threads: {:.0} k updates/s at the median batch, {:.1} at the best; {:.2} hashes per update, {:.1} bytes per leaf",
                threads.map_or(1, |_| 2),
                20.0 / took[20].as_secs_f64(),
                20.0 / took[0].as_secs_f64(),
                (work.leaf_hashes + work.inner_hashes) as f64 / 20_000.0,
                tree.memory_bytes() as f64 / tree.len() as f64
            );
        }
    }
}
