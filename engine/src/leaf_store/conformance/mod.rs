//! What every implementation of the trait must hold to, run on each of them.

#![expect(clippy::unwrap_used, reason = "a failed test should stop")]

mod commits;
mod faults;
mod random;
mod reads;
mod rocks_alone;

use super::{
    Batch, Entry, LeafRead, LeafStore, MemoryStore, PageOptions, PageStore, RocksOptions,
    RocksStore, Table,
};
use core::ops::ControlFlow;
use std::collections::BTreeMap;
use tempfile::TempDir;

type Model = BTreeMap<Vec<u8>, Vec<u8>>;

/// A store that can be closed and opened again.
trait Subject {
    type Store: LeafStore;
    fn store(&self) -> &Self::Store;
    fn reopened(self) -> Self;
}

struct Memory(MemoryStore);

impl Subject for Memory {
    type Store = MemoryStore;
    fn store(&self) -> &MemoryStore {
        &self.0
    }
    fn reopened(self) -> Self {
        Self(self.0.reopen())
    }
}

struct Rocks {
    store: RocksStore,
    folder: TempDir,
}

impl Rocks {
    fn new() -> Self {
        Self::open(TempDir::new().unwrap())
    }

    fn open(folder: TempDir) -> Self {
        let options = RocksOptions {
            cache_bytes: 8 << 20,
            write_buffer_bytes: 1 << 20,
            sync: false,
            ..RocksOptions::default()
        };
        let store = RocksStore::open(folder.path(), options).unwrap();
        Self { store, folder }
    }
}

impl Subject for Rocks {
    type Store = RocksStore;
    fn store(&self) -> &RocksStore {
        &self.store
    }
    fn reopened(self) -> Self {
        let Self { store, folder } = self;
        drop(store);
        Self::open(folder)
    }
}

struct Pages {
    store: PageStore,
    folder: TempDir,
}

impl Pages {
    fn new() -> Self {
        Self::open(TempDir::new().unwrap())
    }

    /// Small pages and little memory, so that small states have many pages and checkpoints run by
    /// themselves.
    fn open(folder: TempDir) -> Self {
        let options = PageOptions {
            page_bytes: 512,
            cache_bytes: 16 << 10,
            pending_bytes: 8 << 10,
            sync: false,
            ..PageOptions::default()
        };
        let store = PageStore::open(folder.path(), options).unwrap();
        Self { store, folder }
    }
}

impl Subject for Pages {
    type Store = PageStore;
    fn store(&self) -> &PageStore {
        &self.store
    }
    fn reopened(self) -> Self {
        let Self { store, folder } = self;
        drop(store);
        Self::open(folder)
    }
}

/// Runs a generic scenario on all implementations.
macro_rules! on_every_store {
    ($($name:ident => $scenario:path;)*) => {
        mod memory { $(#[test] fn $name() { $scenario(super::Memory(super::MemoryStore::new())); })* }
        mod pages { $(#[test] fn $name() { $scenario(super::Pages::new()); })* }
        mod rocks { $(#[test] fn $name() { $scenario(super::Rocks::new()); })* }
    };
}

on_every_store! {
    scans_are_ordered_within_every_bound => super::reads::scans_within_every_bound;
    floor_never_passes_its_bounds => super::reads::floor_within_bounds;
    tables_do_not_leak_into_each_other => super::commits::tables_are_apart;
    a_snapshot_does_not_see_later_commits => super::commits::snapshot_isolation;
    readers_never_see_half_a_batch => super::commits::no_half_batches;
    the_later_op_of_a_batch_wins => super::commits::later_op_wins;
    reopening_loses_nothing => super::commits::reopening_shows_everything;
    compaction_changes_no_entry => super::commits::compaction_changes_nothing;
    counters_count_what_callers_did => super::commits::counters_are_exact;
    bulk_loads_are_whole_or_absent => super::commits::bulk_loads_are_whole_or_absent;
    a_wiped_range_hides_no_neighbour => super::reads::scans_beside_deletions;
}

/// Keys of 32, 33, 64 and 65 bytes that share long prefixes, and the extremes.
fn awkward_keys() -> Vec<Vec<u8>> {
    let mut keys = vec![vec![], vec![0], vec![0; 32], vec![0xff; 32], vec![0xff; 65]];
    for first in [0x00, 0x0f, 0x10, 0x7f, 0x80, 0xfe] {
        for (len, last) in [(32, 0), (33, 0), (33, 0xff), (64, 1), (65, 0), (65, 0xff)] {
            let mut key = vec![first; len];
            key[len - 1] = last;
            keys.push(key);
        }
    }
    keys.sort();
    keys.dedup();
    keys
}

fn filled(store: &impl LeafStore, table: Table, keys: &[Vec<u8>]) -> Model {
    let mut batch = Batch::default();
    let mut model = Model::new();
    // Backwards, so that order is the store's doing.
    for (index, key) in keys.iter().enumerate().rev() {
        let value = vec![index as u8; index % 40];
        batch.put(table, key.clone(), value.clone());
        model.insert(key.clone(), value);
    }
    store.commit(batch).unwrap();
    model
}

fn scan(read: &impl LeafRead, table: Table, from: &[u8], to: Option<&[u8]>) -> Vec<Entry> {
    let mut entries = Vec::new();
    read.scan(table, from, to, &mut |key, value| {
        entries.push((key.to_vec(), value.to_vec()));
        ControlFlow::Continue(())
    })
    .unwrap();
    entries
}

fn model_scan(model: &Model, from: &[u8], to: Option<&[u8]>) -> Vec<Entry> {
    let inside = |key: &[u8]| key >= from && to.is_none_or(|to| key < to);
    model
        .iter()
        .filter(|(key, _)| inside(key))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

fn model_floor(model: &Model, key: &[u8], floor: &[u8]) -> Option<Entry> {
    model
        .iter()
        .rev()
        .find(|(found, _)| found.as_slice() <= key && found.as_slice() >= floor)
        .map(|(key, value)| (key.clone(), value.clone()))
}

fn same_as_model(read: &impl LeafRead, table: Table, model: &Model) {
    assert_eq!(scan(read, table, &[], None), model_scan(model, &[], None));
}
