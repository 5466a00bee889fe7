//! Injected failures of the memory store.

use super::super::{Batch, Fault, LeafRead, LeafStore, MemoryStore, StoreError, Table};

fn one_put(value: &[u8]) -> Batch {
    let mut batch = Batch::default();
    batch.put(Table::Meta, *b"head", value);
    batch
}

fn head(store: &impl LeafStore) -> Option<Vec<u8>> {
    store.snapshot().get(Table::Meta, b"head").unwrap()
}

#[test]
fn a_failed_commit_leaves_nothing_and_ends_all_commits() {
    for (fault, after_reopening) in [
        (Fault::Refused, &b"2"[..]),
        (Fault::NoSpace, b"2"),
        (Fault::Unacknowledged, b"3"),
    ] {
        let store = MemoryStore::new();
        store.inject(fault, 2);
        store.commit(one_put(b"1")).unwrap();
        store.commit(one_put(b"2")).unwrap();
        let error = store.commit(one_put(b"3")).unwrap_err();
        match fault {
            Fault::NoSpace => assert!(matches!(error, StoreError::NoSpace { .. })),
            _ => assert!(matches!(error, StoreError::Io { .. })),
        }
        assert_eq!(head(&store), Some(b"2".to_vec()));
        assert!(matches!(
            store.commit(one_put(b"4")),
            Err(StoreError::Poisoned { .. })
        ));
        assert_eq!(store.counters().commits, 2);
        let store = store.reopen();
        assert_eq!(head(&store), Some(after_reopening.to_vec()));
        store.commit(one_put(b"5")).unwrap();
        assert_eq!(head(&store), Some(b"5".to_vec()));
    }
}

#[test]
fn a_failed_read_does_not_poison() {
    let store = MemoryStore::new();
    store.inject(Fault::Read, 1);
    store.commit(one_put(b"1")).unwrap();
    let read = store.snapshot();
    read.get(Table::Meta, b"head").unwrap();
    assert!(matches!(
        read.last_at_or_before(Table::Meta, b"head", b""),
        Err(StoreError::Io { .. })
    ));
    assert_eq!(read.get(Table::Meta, b"head").unwrap(), Some(b"1".to_vec()));
    store.commit(one_put(b"2")).unwrap();
}
