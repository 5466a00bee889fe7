//! Under the incremental commitment every live value, and every absence, is proven against the root
//! that the last block committed to; no proof serves for another value, location or root.

mod support;

use alloy_primitives::{B256, keccak256};
use support::tiers;
use thinstate_engine::{LiveProofError, Store, leaf_store::MemoryStore};
use thinstate_formats::{
    NodeHasher,
    counted::LocationProof,
    temporary::{LiveCommitment, Retention},
};

fn store(
    commitment: LiveCommitment,
    retention: Retention,
) -> (Store<MemoryStore>, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let options = tiers::options(tiers::rules(commitment, retention), folder.path());
    (
        Store::open(MemoryStore::new(), options).expect("a store"),
        folder,
    )
}

/// Locations that the chain writes, and some that it does not.
fn locations() -> impl Iterator<Item = B256> {
    (0..70u64).map(|key| keccak256(key.to_be_bytes()))
}

#[test]
fn no_live_value_is_proven_as_another() {
    for retention in [Retention::OnePeriod, Retention::CurrentAndPrevious] {
        let (store, _folder) = store(LiveCommitment::Incremental, retention);
        let hasher = NodeHasher::new(store.rules().temporary.hash);
        let (mut present, mut absent) = (0, 0);
        for _ in 0..90 {
            let root = tiers::advance(&store).temporary;
            for location in locations() {
                let proof = store.prove_live(&location).expect("there are trees");
                let value = proof.verify(&hasher, root, &location);
                assert_eq!(value, Ok(store.temporary_at(location)));
                if store.temporary_at(location).is_zero() {
                    absent += 1
                } else {
                    present += 1
                }
                let other = keccak256(location);
                // A proof of absence may hold for a neighbour, and must be right then too.
                if let Ok(value) = proof.verify(&hasher, root, &other) {
                    assert_eq!(value, store.temporary_at(other));
                }
                let wrong = proof.verify(&hasher, other, &location);
                assert!(matches!(wrong, Err(LiveProofError::Root { .. })));
            }
        }
        assert!(present > 500 && absent > 500, "{present}, {absent}");
    }
}

#[test]
fn no_altered_proof_is_accepted() {
    let (store, _folder) = store(LiveCommitment::Incremental, Retention::CurrentAndPrevious);
    let hasher = NodeHasher::new(store.rules().temporary.hash);
    let root = (0..50)
        .map(|_| tiers::advance(&store).temporary)
        .last()
        .expect("a root");
    for location in locations() {
        let good = store.prove_live(&location).expect("there are trees");
        let mut altered = good.clone();
        if let LocationProof::Included { leaf, .. } = &mut altered.in_current {
            leaf.value.0[31] ^= 1;
            altered
                .verify(&hasher, root, &location)
                .expect_err("another value");
        } else {
            altered.in_previous = None;
            assert_eq!(
                altered.verify(&hasher, root, &location),
                Err(LiveProofError::Incomplete)
            );
        }
        let mut swapped = good.clone();
        core::mem::swap(&mut swapped.current, &mut swapped.previous);
        swapped
            .verify(&hasher, root, &location)
            .expect_err("the wrong period");
        let mut miscounted = good;
        miscounted.current.count += 1;
        miscounted
            .verify(&hasher, root, &location)
            .expect_err("another count");
    }
}

#[test]
fn no_tree_is_claimed_where_blocks_commit_to_none() {
    let (store, _folder) = store(LiveCommitment::Deferred, Retention::CurrentAndPrevious);
    tiers::advance(&store);
    assert!(locations().all(|location| store.prove_live(&location).is_none()));
}
