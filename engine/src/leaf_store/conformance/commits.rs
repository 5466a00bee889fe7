//! Batches: whole, ordered, isolated, kept.

use super::super::{Batch, BulkWriter as _, LeafRead, LeafStore, StoreError, Table};
use super::{Subject, awkward_keys, filled, same_as_model, scan};

pub(super) fn tables_are_apart(subject: impl Subject) {
    let store = subject.store();
    let mut batch = Batch::default();
    for table in Table::ALL {
        batch.put(table, *b"key", table.name());
    }
    batch.delete(Table::Code, *b"key");
    store.commit(batch).unwrap();
    let read = store.snapshot();
    for table in Table::ALL {
        let expected = (table != Table::Code).then(|| table.name().as_bytes().to_vec());
        assert_eq!(read.get(table, b"key").unwrap(), expected);
        assert_eq!(scan(&read, table, &[], None).len(), expected.iter().len());
    }
}

pub(super) fn snapshot_isolation(subject: impl Subject) {
    let store = subject.store();
    let keys = awkward_keys();
    let before = filled(store, Table::Storage, &keys);
    let old = store.snapshot();
    // An iterator from before the commits must not show them either.
    same_as_model(&old, Table::Storage, &before);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for round in 0..50_u8 {
                let mut batch = Batch::default();
                for key in keys.iter().step_by(2) {
                    batch.put(Table::Storage, key.clone(), vec![round; 3]);
                }
                for key in keys.iter().skip(1).step_by(2) {
                    batch.delete(Table::Storage, key.clone());
                }
                store.commit(batch).unwrap();
            }
        });
        for _ in 0..50 {
            same_as_model(&old, Table::Storage, &before);
            assert_eq!(
                old.get(Table::Storage, &keys[1]).unwrap().as_ref(),
                before.get(&keys[1])
            );
        }
    });
    same_as_model(&old, Table::Storage, &before);
    assert_eq!(
        store.snapshot().get(Table::Storage, &keys[1]).unwrap(),
        None
    );
    assert_eq!(
        store.snapshot().get(Table::Storage, &keys[2]).unwrap(),
        Some(vec![49; 3])
    );
}

pub(super) fn no_half_batches(subject: impl Subject) {
    let store = subject.store();
    let write = |round: u8| {
        let mut batch = Batch::default();
        for table in Table::ALL {
            for key in 0..20_u8 {
                batch.put(table, vec![key; 32], vec![round]);
            }
        }
        store.commit(batch).unwrap();
    };
    write(0);
    std::thread::scope(|scope| {
        scope.spawn(|| (1..=100).for_each(write));
        for _ in 0..100 {
            let read = store.snapshot();
            let entries = Table::ALL
                .map(|table| scan(&read, table, &[], None))
                .concat();
            assert_eq!(entries.len(), 20 * Table::ALL.len());
            let round = &entries[0].1;
            assert!(entries.iter().all(|(_, value)| value == round));
        }
    });
}

pub(super) fn later_op_wins(subject: impl Subject) {
    let store = subject.store();
    let mut batch = Batch::default();
    batch.put(Table::Meta, *b"a", *b"1");
    batch.put(Table::Meta, *b"a", *b"2");
    batch.put(Table::Meta, *b"b", *b"1");
    batch.delete(Table::Meta, *b"b");
    batch.delete(Table::Meta, *b"c");
    batch.put(Table::Meta, *b"c", *b"");
    batch.delete(Table::Meta, *b"never");
    store.commit(batch).unwrap();
    let expected = vec![(b"a".to_vec(), b"2".to_vec()), (b"c".to_vec(), vec![])];
    assert_eq!(scan(&store.snapshot(), Table::Meta, &[], None), expected);
}

pub(super) fn reopening_shows_everything(subject: impl Subject) {
    let keys = awkward_keys();
    let first = filled(subject.store(), Table::Accounts, &keys);
    let subject = subject.reopened();
    same_as_model(&subject.store().snapshot(), Table::Accounts, &first);
    let mut batch = Batch::default();
    batch.delete(Table::Accounts, keys[3].clone());
    batch.put(Table::Undo, *b"u", *b"v");
    subject.store().commit(batch).unwrap();
    let subject = subject.reopened();
    let mut second = first;
    second.remove(&keys[3]);
    let read = subject.store().snapshot();
    same_as_model(&read, Table::Accounts, &second);
    assert_eq!(read.get(Table::Undo, b"u").unwrap(), Some(b"v".to_vec()));
}

pub(super) fn compaction_changes_nothing(subject: impl Subject) {
    let keys = awkward_keys();
    let store = subject.store();
    let model = filled(store, Table::Storage, &keys);
    let old = store.snapshot();
    same_as_model(&old, Table::Storage, &model);
    store.compact().unwrap();
    same_as_model(&old, Table::Storage, &model);
    drop(old);
    store.compact().unwrap();
    same_as_model(&store.snapshot(), Table::Storage, &model);
    let stats = store.table_stats(Table::Storage).unwrap();
    assert_eq!(stats.entries, model.len() as u64);
    assert!(stats.file_bytes + stats.memory_bytes > 0);
}

pub(super) fn counters_are_exact(subject: impl Subject) {
    let store = subject.store();
    let before = store.counters();
    let mut batch = Batch::default();
    for key in 0..10_u8 {
        batch.put(Table::Accounts, vec![key; 32], vec![key; 5]);
    }
    batch.delete(Table::Accounts, vec![9; 32]);
    store.commit(batch).unwrap();
    let read = store.snapshot();
    read.get(Table::Accounts, &[1; 32]).unwrap();
    read.get(Table::Accounts, &[9; 32]).unwrap();
    assert_eq!(
        scan(&read, Table::Accounts, &[2; 32], Some(&[5; 32])).len(),
        3
    );
    read.last_at_or_before(Table::Accounts, &[9; 32], &[])
        .unwrap();
    let done = store.counters().since(&before);
    assert_eq!((done.gets, done.gets_found), (2, 1));
    assert_eq!((done.scans, done.entries_scanned), (2, 4));
    assert_eq!(done.logical_read_bytes, 5 + 4 * 37);
    assert_eq!((done.commits, done.entries_written), (1, 11));
    assert_eq!(done.logical_written_bytes, 10 * 37 + 32);
    assert!(done.store_written_bytes >= done.logical_written_bytes);
}

pub(super) fn bulk_loads_are_whole_or_absent(subject: impl Subject) {
    let keys = awkward_keys();
    let store = subject.store();
    let mut first = store.bulk_writer(Table::Storage).unwrap();
    let mut second = store.bulk_writer(Table::Accounts).unwrap();
    let dropped = store.bulk_writer(Table::Code);
    for key in &keys {
        first.put(key, b"first").unwrap();
        second.put(key, b"second").unwrap();
    }
    drop(dropped);
    for key in &keys {
        let refused = first.put(key, b"again");
        assert!(matches!(refused, Err(StoreError::BadEntry { .. })));
    }
    assert!(scan(&store.snapshot(), Table::Storage, &[], None).is_empty());
    assert_eq!(first.finish().unwrap(), keys.len() as u64);
    assert!(scan(&store.snapshot(), Table::Accounts, &[], None).is_empty());
    assert_eq!(second.finish().unwrap(), keys.len() as u64);
    // What comes later lies behind what is there.
    let mut later = store.bulk_writer(Table::Storage).unwrap();
    for key in &keys {
        let refused = later.put(key, b"later");
        assert!(matches!(refused, Err(StoreError::BadEntry { .. })));
    }
    let behind = [u8::MAX; 66];
    later.put(&behind, b"later").unwrap();
    assert_eq!(later.finish().unwrap(), 1);
    let subject = subject.reopened();
    let read = subject.store().snapshot();
    let last = read.get(Table::Storage, &behind).unwrap();
    assert_eq!(last.as_deref(), Some(b"later".as_slice()));
    let with =
        |value: &[u8]| -> Vec<_> { keys.iter().map(|k| (k.clone(), value.to_vec())).collect() };
    assert_eq!(
        scan(&read, Table::Storage, &[], Some(&behind)),
        with(b"first")
    );
    assert_eq!(scan(&read, Table::Accounts, &[], None), with(b"second"));
    assert!(scan(&read, Table::Code, &[], None).is_empty());
}
