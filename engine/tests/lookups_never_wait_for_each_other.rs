//! Threads of one pool look temporary values up, many in one call and one by one, while blocks are applied:
//! nobody waits for ever, and the values of one call are those of one block.

#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod support;

use alloy_primitives::B256;
use rayon::{ThreadPool, ThreadPoolBuilder, prelude::*};
use std::{
    sync::{
        Arc,
        atomic::{
            AtomicBool, AtomicU64,
            Ordering::{Acquire, Relaxed, Release},
        },
        mpsc,
    },
    thread,
    time::Duration,
};
use support::block;
use thinstate_engine::{
    Options, Store, StoreOptions, StoreRules, TemporaryWrite,
    leaf_store::MemoryStore,
    store::{ArchiveOptions, BlockChanges},
};
use thinstate_formats::BlockNumber;

/// Enough that a call is cut for several threads.
const LOCATIONS: u64 = 3_000;
const BLOCKS: u64 = 600;
/// None of it is sealed, nor deleted, within the blocks.
const NEXT: BlockNumber = BlockNumber(1);
/// A minute or more of nothing is a wait without end: the blocks take a few seconds.
const PATIENCE: Duration = Duration::from_mins(2);

fn store() -> Store<MemoryStore> {
    let options = StoreOptions {
        permanent: Options {
            threads: Some(1),
            ..Options::default()
        },
        rules: StoreRules::default(),
        dir: None,
        archive: ArchiveOptions::NONE,
        seal_leaves_per_block: 1,
        checkpoint_commits: 4,
    };
    Store::open(MemoryStore::new(), options).unwrap()
}

fn location(index: u64) -> B256 {
    let mut location = B256::ZERO;
    location[..8].copy_from_slice(&index.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    location
}

/// Every location has the block's number.
fn apply(store: &Store<MemoryStore>, number: u64) {
    let write = |index| TemporaryWrite {
        location: location(index),
        value: B256::with_last_byte(1 + (number % 255) as u8),
    };
    let changes = BlockChanges {
        temporary: (0..LOCATIONS).map(write).collect(),
        ..BlockChanges::default()
    };
    store.apply(block(number), &changes).unwrap();
}

/// One by one, on all threads of the pool.
fn look_up_each(store: &Store<MemoryStore>, locations: &[B256]) {
    let is_zero = |location: &B256| store.temporary_in(NEXT, *location).is_zero();
    assert_eq!(
        locations
            .par_iter()
            .filter(|location| is_zero(location))
            .count(),
        0
    );
}

/// In one call.
fn look_up_all(store: &Store<MemoryStore>, locations: &[B256]) {
    let values = store.temporary_all_in(NEXT, locations);
    let first = values[0];
    assert!(!first.is_zero());
    assert!(values.iter().all(|value| *value == first), "of two blocks");
}

struct Shared {
    store: Store<MemoryStore>,
    pool: ThreadPool,
    locations: Vec<B256>,
    is_done: AtomicBool,
    calls: [AtomicU64; 2],
}

impl Shared {
    fn look_up(&self, kind: usize, look_up: fn(&Store<MemoryStore>, &[B256])) {
        while !self.is_done.load(Acquire) {
            self.pool.install(|| look_up(&self.store, &self.locations));
            self.calls[kind].fetch_add(1, Relaxed);
        }
    }

    fn run(&self) {
        thread::scope(|scope| {
            scope.spawn(|| self.look_up(0, look_up_each));
            scope.spawn(|| self.look_up(1, look_up_all));
            for number in 1..BLOCKS {
                apply(&self.store, number);
            }
            self.is_done.store(true, Release);
        });
    }
}

#[test]
fn lookups_in_one_pool_never_wait_for_each_other() {
    let shared = Arc::new(Shared {
        store: store(),
        pool: ThreadPoolBuilder::new().num_threads(2).build().unwrap(),
        locations: (0..LOCATIONS).map(location).collect(),
        is_done: AtomicBool::default(),
        calls: Default::default(),
    });
    apply(&shared.store, 0);
    let (tell, told) = mpsc::channel();
    // Threads that wait without end cannot be joined: the test then ends without them.
    let running = thread::spawn({
        let shared = Arc::clone(&shared);
        move || {
            shared.run();
            tell.send(()).unwrap();
        }
    });
    let ended = told.recv_timeout(PATIENCE);
    assert_ne!(ended, Err(mpsc::RecvTimeoutError::Timeout), "all wait");
    running.join().unwrap();
    let [each, all] = shared.calls.each_ref().map(|calls| calls.load(Relaxed));
    assert!(each > 0 && all > 0, "{each} and {all} calls");
}
