//! Threads read and prove through views while blocks are committed and undone. Every block writes
//! its own number into every account and slot, so that a view which mixes two blocks shows it.

mod support;

use alloy_primitives::{Address, B256, KECCAK256_EMPTY, U256};
use rand::RngExt;
use std::{
    sync::atomic::{
        AtomicBool, AtomicU64,
        Ordering::{Acquire, Relaxed, Release},
    },
    thread,
    time::{Duration, Instant},
};
use support::{Model, block, leaves, random};
use tempfile::TempDir;
use thinstate_engine::{
    Options, PermanentTier, View,
    leaf_store::{LeafStore, MemoryStore, StoreKind},
};
use thinstate_formats::{Account, AccountChange, AccountUpdate, StateChanges, StateReader};

const ACCOUNTS: u64 = 150;
const SLOTS: u64 = 6;
const READERS: u64 = 3;
/// The first block is commit 1; every tenth commit undoes the block before it.
const COMMITS: u64 = 200;
const UNDO_EVERY: u64 = 10;
const SEED: u64 = 3;

/// What every account and slot holds after a commit.
fn mark(commit: u64) -> u64 {
    match commit % UNDO_EVERY {
        0 if commit > 0 => commit - 2,
        _ => commit,
    }
}

fn marked(mark: u64) -> StateChanges {
    let account = Account {
        nonce: mark,
        balance: U256::from(mark) << 70,
        code_hash: KECCAK256_EMPTY,
    };
    let slot = |slot| (U256::from(slot), U256::from(mark));
    let change = AccountChange {
        account: AccountUpdate::Set(account),
        wipe_storage: mark.is_multiple_of(7),
        storage: (0..SLOTS).map(slot).collect(),
    };
    let account = |index| (random::address(index), change.clone());
    StateChanges {
        accounts: (0..ACCOUNTS).map(account).collect(),
        ..StateChanges::default()
    }
}

/// Roots by commit, from the model; nothing at commit 0.
fn roots() -> Vec<B256> {
    let root = |commit| {
        let mut model = Model::default();
        if commit > 0 {
            model.apply(&marked(mark(commit)));
        }
        model.root()
    };
    (0..=COMMITS).map(root).collect()
}

/// Reads an account and a slot of it; both must be of the block that the view shows.
fn assert_of_one_block<S: LeafStore>(view: &View<'_, S>, address: Address, slot: U256) {
    let commit = view.head().commit;
    let account = view.account(address).expect("read");
    let nonce = account.map_or(0, |account| account.nonce);
    assert_eq!(nonce, mark(commit), "account at commit {commit}");
    let value = view.slot(address, slot).expect("read");
    assert_eq!(value, U256::from(mark(commit)), "slot at commit {commit}");
}

/// Views, reads of the newest view, reads and proofs of views that had been overtaken.
#[derive(Debug, Default)]
struct Seen {
    views: AtomicU64,
    states: AtomicU64,
    reads: AtomicU64,
    overtaken: AtomicU64,
}

fn read_on<S: LeafStore>(tier: &PermanentTier<S>, roots: &[B256], reader: u64, seen: &Seen) {
    let rng = &mut random::rng(SEED, reader);
    let view = tier.view();
    let commit = view.head().commit;
    assert_eq!(view.head().root, roots[commit as usize], "commit {commit}");
    let started = Instant::now();
    let held = Duration::from_micros(rng.random_range(0..10_000));
    while started.elapsed() < held {
        let address = random::address(rng.random_range(0..ACCOUNTS));
        let slot = U256::from(rng.random_range(0..SLOTS));
        assert_of_one_block(&view, address, slot);
        seen.reads.fetch_add(2, Relaxed);
    }
    let address = random::address(rng.random_range(0..ACCOUNTS + 9));
    let slots: Vec<U256> = (0..=SLOTS).map(U256::from).collect();
    let overtaken = tier.head().commit > commit;
    let proof = view.prove(address, &slots).expect("proof");
    assert_eq!(proof.verify(roots[commit as usize]), Ok(()));
    assert_eq!(proof.storage_proof.len() as u64, SLOTS + 1);
    seen.overtaken.fetch_add(u64::from(overtaken), Relaxed);
    seen.views.fetch_add(1, Relaxed);
    // A bit for the state, if there is room: enough to see that readers met many.
    seen.states.fetch_or(1 << (commit % 64), Relaxed);
}

fn write_all<S: LeafStore>(tier: &PermanentTier<S>, roots: &[B256]) {
    let mut number = 0;
    for commit in 1..=COMMITS {
        if commit % UNDO_EVERY == 0 {
            tier.undo().expect("undo");
            number -= 1;
        } else {
            let report = tier.apply(block(number), &marked(mark(commit)));
            assert_eq!(report.expect("apply").root, roots[commit as usize]);
            number += 1;
        }
        assert_eq!(tier.head().commit, commit);
    }
}

fn readers_beside_a_writer<S: LeafStore>(store: S) {
    let options = Options {
        bucket_entries_max: 16,
        threads: Some(2),
        ..Options::default()
    };
    let tier = PermanentTier::open(store, options).expect("open");
    let (roots, seen, done) = (roots(), Seen::default(), AtomicBool::new(false));
    thread::scope(|scope| {
        for reader in 0..READERS {
            let (tier, roots, seen, done) = (&tier, &roots, &seen, &done);
            scope.spawn(move || {
                let mut turn = 0;
                while !done.load(Acquire) {
                    turn += 1;
                    read_on(tier, roots, reader << 32 | turn, seen);
                }
            });
        }
        let writer = scope.spawn(|| write_all(&tier, &roots));
        let written = writer.join();
        done.store(true, Release);
        written.expect("the writer goes through");
    });
    println!("{seen:?}");
    let states = seen.states.into_inner().count_ones();
    assert!(states > 20, "readers met {states} states of 64");
    let overtaken = seen.overtaken.into_inner();
    assert!(overtaken > 50, "{overtaken} proofs of older states");
    tier.verify().expect("verifies");
}

#[test]
fn readers_in_memory_never_see_a_block_half_done() {
    readers_beside_a_writer(MemoryStore::new());
}

#[test]
fn readers_on_disk_never_see_a_block_half_done() {
    for kind in StoreKind::ALL {
        let folder = TempDir::new().expect("folder");
        // Flushes, compactions and checkpoints take place meanwhile.
        readers_beside_a_writer(leaves::open(kind, folder.path(), 256 << 10));
    }
}
