//! What the page store promises beyond the trait: bounds on reads, writes and space, and that
//! checkpoints, snapshots and reopenings never change what is read.

#![expect(clippy::unwrap_used, reason = "a failed test should stop")]

mod ahead;
mod bounds;
mod crashes;
mod damage;
mod ends;
mod model;
mod values;

use super::{PageOptions, PageStore};
use crate::leaf_store::{BulkWriter as _, Entry, KeyRange, LeafRead, LeafStore as _, Table};
use core::ops::ControlFlow;
use tempfile::TempDir;

/// A store in a folder that goes with it.
struct Bed {
    store: PageStore,
    options: PageOptions,
    folder: TempDir,
}

impl Bed {
    fn new(options: PageOptions) -> Self {
        let folder = TempDir::new().unwrap();
        let store = PageStore::open(folder.path(), options.clone()).unwrap();
        Self {
            store,
            options,
            folder,
        }
    }

    fn reopened(self) -> Self {
        let Self {
            store,
            options,
            folder,
        } = self;
        drop(store);
        let store = PageStore::open(folder.path(), options.clone()).unwrap();
        Self {
            store,
            options,
            folder,
        }
    }
}

/// Pages so small that little data makes many of them; checkpoints only when they are asked for.
fn small() -> PageOptions {
    PageOptions {
        page_bytes: 512,
        cache_bytes: 64 << 10,
        sync: false,
        ..PageOptions::default()
    }
}

/// A key that looks like a hash.
fn key(index: u64) -> Vec<u8> {
    let mut key = Vec::new();
    let mut state = index + 1;
    for _ in 0..4 {
        state = (state ^ (state >> 31)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        state ^= state >> 29;
        key.extend_from_slice(&state.to_be_bytes());
    }
    key
}

fn all(read: &impl LeafRead, table: Table) -> Vec<Entry> {
    let mut entries = Vec::new();
    read.scan(table, &[], None, &mut |key, value| {
        entries.push((key.to_vec(), value.to_vec()));
        ControlFlow::Continue(())
    })
    .unwrap();
    entries
}

const ENTRIES: u64 = 20_000;

/// A store with settled entries and nothing in its cache.
fn cold(options: PageOptions) -> Bed {
    let bed = Bed::new(options);
    let mut keys: Vec<_> = (0..ENTRIES).map(key).collect();
    keys.sort();
    let mut bulk = bed.store.bulk_writer(Table::Accounts).unwrap();
    for key in &keys {
        bulk.put(key, &key[..16]).unwrap();
    }
    assert_eq!(bulk.finish().unwrap(), ENTRIES);
    bed.reopened()
}

/// A part of all keys.
fn ranges() -> impl Iterator<Item = KeyRange> {
    let range = |first| (Table::Accounts, vec![first, 0x40], Some(vec![first, 0x80]));
    (0..=u8::MAX).step_by(3).map(range)
}
