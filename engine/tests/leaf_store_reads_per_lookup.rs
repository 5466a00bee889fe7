//! The number of blocks that a lookup reads in a settled store has a bound.

#![expect(clippy::unwrap_used, reason = "a failed test should stop")]

use core::ops::ControlFlow;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tempfile::TempDir;
use thinstate_engine::leaf_store::{LeafRead, LeafStore, RocksOptions, RocksStore, Table};

const ENTRIES: usize = 200_000;
const LOOKUPS: usize = 1_000;
const SEED: u64 = 7;

fn random_keys(rng: &mut ChaCha8Rng, count: usize) -> Vec<Vec<u8>> {
    let mut keys = vec![vec![0; 64]; count];
    for key in &mut keys {
        rng.fill_bytes(key);
    }
    keys.sort();
    keys
}

/// A freshly opened store with nothing cached but indexes and filters, and its keys.
fn cold_store(folder: &TempDir, rng: &mut ChaCha8Rng) -> (RocksStore, Vec<Vec<u8>>) {
    let options = RocksOptions {
        cache_bytes: 1 << 20,
        ..RocksOptions::default()
    };
    let keys = random_keys(rng, ENTRIES);
    let store = RocksStore::open(folder.path(), options.clone()).unwrap();
    let entries = keys.iter().map(|key| (key.clone(), vec![1; 32]));
    store.bulk_load(Table::Storage, entries).unwrap();
    drop(store);
    (RocksStore::open(folder.path(), options).unwrap(), keys)
}

#[test]
fn a_lookup_never_reads_more_than_its_blocks() {
    let folder = TempDir::new().unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(SEED);
    let (store, keys) = cold_store(&folder, &mut rng);
    let read = store.snapshot();
    let blocks_read_by = |work: &mut dyn FnMut()| {
        let before = store.counters();
        work();
        store.counters().since(&before).block_reads
    };
    let spread = || keys.iter().step_by(ENTRIES / LOOKUPS);

    let present = blocks_read_by(&mut || {
        for key in spread() {
            assert!(read.get(Table::Storage, key).unwrap().is_some());
        }
    });
    assert!(
        present <= LOOKUPS as u64,
        "{present} blocks for {LOOKUPS} keys"
    );

    let absent_keys = random_keys(&mut rng, LOOKUPS);
    let absent = blocks_read_by(&mut || {
        for key in &absent_keys {
            assert!(read.get(Table::Storage, key).unwrap().is_none());
        }
    });
    assert!(
        absent <= LOOKUPS as u64 / 30,
        "{absent} blocks for {LOOKUPS} absent keys"
    );

    let buckets = blocks_read_by(&mut || {
        for range in keys.windows(17).step_by(ENTRIES / LOOKUPS) {
            let mut entries = 0;
            let visit = &mut |_: &[u8], _: &[u8]| {
                entries += 1;
                ControlFlow::Continue(())
            };
            read.scan(Table::Storage, &range[0], Some(&range[16]), visit)
                .unwrap();
            assert_eq!(entries, 16);
        }
    });
    assert!(
        buckets <= 2 * LOOKUPS as u64,
        "{buckets} blocks for {LOOKUPS} buckets"
    );
}
