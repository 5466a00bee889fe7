//! The store on a disk that fails: power cuts, refused and short transfers, lost syncs, full disks,
//! flipped bits.
//!
//! A [script](script) of commits, checkpoints, bulk loads and snapshots runs on a simulated disk; a
//! fault is put at each of its operations in turn. What is asked for is always the same: the store
//! opens again with the state after the last step that was acknowledged, or after the one
//! that was under way, whole; and damaged bytes are named, and never served.

#![expect(clippy::unwrap_used, reason = "a failed test should stop")]

mod counts;
mod damage;
mod devices;
mod errors;
mod lost_syncs;
mod power;
mod script;

use super::super::{Batch, LeafRead, LeafStore, StoreError, Table};
use super::disk::SimDisk;
use super::{PageOptions, PageStore};
use core::ops::ControlFlow;
use script::Tables;
use std::path::Path;

/// The store on a simulated disk, with pages and thresholds so small that everything happens.
fn open(disk: &SimDisk) -> Result<PageStore, StoreError> {
    let options = PageOptions {
        page_bytes: 1024,
        cache_bytes: 16 << 10,
        pending_bytes: 6 << 10,
        ..PageOptions::default()
    };
    PageStore::open_on(disk.clone(), Path::new("sim"), options)
}

/// All entries.
fn dump(read: &impl LeafRead) -> Result<Tables, StoreError> {
    let mut tables = Tables::default();
    for table in Table::ALL {
        read.scan(table, &[], None, &mut |key, value| {
            tables[table as usize].insert(key.to_vec(), value.to_vec());
            ControlFlow::Continue(())
        })?;
    }
    Ok(tables)
}

/// The numbers of entries, for messages.
fn sizes(tables: &Tables) -> Vec<usize> {
    tables.iter().map(|table| table.len()).collect()
}

/// The store on `disk` opens and holds one of `allowed`, which is given back.
fn reopened<'a>(disk: &SimDisk, allowed: &[&'a Tables], context: &str) -> &'a Tables {
    let store = open(disk).unwrap_or_else(|error| panic!("{context}: cannot reopen: {error}"));
    let found =
        dump(&store.snapshot()).unwrap_or_else(|error| panic!("{context}: cannot read: {error}"));
    let Some(state) = allowed.iter().find(|state| **state == &found) else {
        let allowed: Vec<_> = allowed.iter().map(|state| sizes(state)).collect();
        panic!(
            "{context}: expected one of {allowed:?} entries, got {:?}",
            sizes(&found)
        );
    };
    let read = store.snapshot();
    for table in Table::ALL {
        for (key, value) in &state[table as usize] {
            let got = read.get(table, key).unwrap();
            assert_eq!(got.as_ref(), Some(value), "{context}");
        }
    }
    state
}

/// Goes on with the store: a commit on it survives a power cut, with all that was there before.
fn goes_on(disk: &SimDisk, state: &Tables, seed: u64, context: &str) {
    let store = open(disk).unwrap_or_else(|error| panic!("{context}: cannot reopen: {error}"));
    let mut expected = state.clone();
    for round in 0..3_u8 {
        let mut batch = Batch::default();
        batch.put(Table::Meta, *b"marker", vec![round; 20]);
        batch.put(Table::Accounts, [round; 32], vec![round; 1200]);
        store
            .commit(batch)
            .unwrap_or_else(|error| panic!("{context}: cannot go on: {error}"));
        expected[Table::Meta as usize].insert(b"marker".to_vec(), vec![round; 20]);
        expected[Table::Accounts as usize].insert(vec![round; 32], vec![round; 1200]);
        reopened(&disk.power_cut(seed), &[&expected], context);
    }
    store
        .flush()
        .unwrap_or_else(|error| panic!("{context}: cannot flush: {error}"));
    drop(store);
    reopened(&disk.power_cut(seed), &[&expected], context);
    reopened(disk, &[&expected], context);
}
