//! What only RocksDB can do, or get wrong.

use super::super::{Entry, LeafStore, RocksOptions, RocksStore, StoreError, Table};
use super::{Rocks, Subject, awkward_keys, filled, same_as_model, scan};
use tempfile::TempDir;

#[test]
fn a_bulk_load_is_the_same_as_commits() {
    let Rocks { store, folder } = Rocks::new();
    let entries: Vec<Entry> = (0..20_000_u32)
        .map(|index| {
            (
                (index * 200_000).to_be_bytes().repeat(8),
                index.to_le_bytes().to_vec(),
            )
        })
        .collect();
    assert_eq!(
        store.bulk_load(Table::Accounts, entries.clone()).unwrap(),
        20_000
    );
    assert_eq!(store.bulk_load(Table::Storage, Vec::new()).unwrap(), 0);
    let refused = store.bulk_load(Table::Accounts, entries.clone());
    assert!(matches!(refused, Err(StoreError::BadEntry { .. })));
    let unsorted = entries.iter().rev().take(2).cloned();
    let refused = store.bulk_load(Table::Code, unsorted);
    assert!(matches!(refused, Err(StoreError::BadEntry { .. })));
    let rocks = Rocks { store, folder }.reopened();
    let store = rocks.store();
    assert_eq!(scan(&store.snapshot(), Table::Accounts, &[], None), entries);
    assert!(scan(&store.snapshot(), Table::Code, &[], None).is_empty());
    assert_eq!(store.table_stats(Table::Accounts).unwrap().entries, 20_000);
}

#[test]
fn a_second_opening_is_refused() {
    let rocks = Rocks::new();
    let second = RocksStore::open(rocks.folder.path(), RocksOptions::default());
    assert!(matches!(second, Err(StoreError::Locked { .. })));
}

#[test]
fn direct_io_reads_nothing_else() {
    let folder = TempDir::new().unwrap();
    let options = RocksOptions {
        direct_io: true,
        filters_in_memory: false,
        ..RocksOptions::default()
    };
    let store = match RocksStore::open(folder.path(), options) {
        Ok(store) => store,
        Err(error @ StoreError::Io { .. }) => {
            println!(
                "skipped: no direct I/O in {}: {error}",
                folder.path().display()
            );
            return;
        }
        Err(error) => panic!("{error}"),
    };
    let model = filled(&store, Table::Storage, &awkward_keys());
    store.compact().unwrap();
    same_as_model(&store.snapshot(), Table::Storage, &model);
}
