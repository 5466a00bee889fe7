//! What a store of pages takes is what it was given, or little more: changes that wait and those that a checkpoint merges,
//! pages, directory and filters. The interior of the trie comes on top, and is known, and so does a block on its way.
//!
//! Counted by the allocator of this process, which is why the test is alone in it.

mod support;

use alloy_primitives::U256;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use rand::RngExt;
use std::alloc::{GlobalAlloc, Layout, System};
use support::{block, random};
use thinstate_engine::{
    Options, PermanentTier,
    leaf_store::{PageOptions, PageStore},
};

/// The system's allocator, with a count of what is in use and of the most that ever was.
struct Counting;

static IN_USE: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

// SAFETY: all is left to the system's allocator; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = IN_USE.fetch_add(layout.size(), Relaxed) + layout.size();
        MOST.fetch_max(now, Relaxed);
        // SAFETY: the caller keeps to the contract, which is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        IN_USE.fetch_sub(layout.size(), Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const SEED: u64 = 15;
const ACCOUNTS: u64 = 300_000;
const BLOCK_ACCOUNTS: u64 = 5_000;
/// Blocks after all accounts are there.
const BLOCKS: u64 = 120;
const MEMORY_BYTES: usize = 24 << 20;
/// Memory of a block while it is applied: its changes, and what becomes of them on their way to the log.
const BLOCK_BYTES: usize = BLOCK_ACCOUNTS as usize * 1_000;
/// How far the store may go beyond its memory, in hundredths: what waits is looked at once for each block, and what a
/// checkpoint has under way is not counted.
const BEYOND: usize = 15;

#[test]
fn no_block_makes_the_store_take_much_more_than_it_was_given() {
    let folder = tempfile::tempdir().expect("a folder");
    let before = IN_USE.load(Relaxed);
    let options = PageOptions::within(MEMORY_BYTES, false);
    let store = PageStore::open(folder.path(), options).expect("an empty store");
    let tier = PermanentTier::open(store, Options::default()).expect("an empty tier");
    let mut rng = random::rng(SEED, 0);
    for number in 0..ACCOUNTS / BLOCK_ACCOUNTS + BLOCKS {
        let first = number * BLOCK_ACCOUNTS;
        let balance = U256::from(rng.random::<u128>());
        let changes = if first < ACCOUNTS {
            random::set(first..first + BLOCK_ACCOUNTS, balance)
        } else {
            let some = (0..BLOCK_ACCOUNTS).map(|_| rng.random_range(0..ACCOUNTS));
            random::set(some, balance)
        };
        tier.apply(block(number), &changes).expect("applies");
    }
    let most = MOST.load(Relaxed) - before;
    let (accounts, _) = tier.interior_size();
    let interior = accounts.bytes as usize;
    let leaf_hashes = tier.leaf_hash_bytes() as usize;
    let stats = tier.leaf_store().stats();
    println!("most {most}, interior {interior}, leaf hashes {leaf_hashes}, {stats:?}");
    assert!(stats.checkpoints > 3, "{stats:?}");
    let promised = MEMORY_BYTES + interior + leaf_hashes + BLOCK_BYTES;
    assert!(
        most <= promised / 100 * (100 + BEYOND),
        "promised {promised}, taken {most}; seed {SEED}"
    );
    assert!(
        most >= promised / 2,
        "promised {promised}, only {most} taken: what is counted? seed {SEED}"
    );
}
