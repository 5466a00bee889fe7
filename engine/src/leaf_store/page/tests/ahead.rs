//! Reads that go on by themselves: their failures are told, and they hold nothing open.

use super::super::PageStore;
use super::{Bed, key, small};
use crate::leaf_store::{
    Batch, KeyRange, LeafRead as _, LeafStore as _, PageOptions, ReadAhead, StoreError, Table,
};
use core::ops::ControlFlow;
use std::fs::OpenOptions;
use std::sync::Arc;

/// A store with some hundred pages of which the cache, which has room for all, holds none.
fn cold() -> Bed {
    let bed = Bed::new(PageOptions {
        cache_bytes: 64 << 20,
        ..small()
    });
    let mut batch = Batch::default();
    for index in 0..2_000 {
        batch.put(Table::Accounts, key(index), key(!index));
    }
    bed.store.commit(batch).unwrap();
    bed.store.flush().unwrap();
    bed.reopened()
}

/// A part of all keys.
fn ranges() -> impl Iterator<Item = KeyRange> {
    let range = |first| (Table::Accounts, vec![first, 0x40], Some(vec![first, 0x80]));
    (0..=u8::MAX).step_by(3).map(range)
}

#[test]
fn a_failed_read_is_never_taken_for_a_done_one() {
    let bed = cold();
    let pages = bed.folder.path().join("pages");
    let file = OpenOptions::new().write(true).open(pages).unwrap();
    file.set_len(8_192).unwrap();
    let read = bed.store.snapshot();
    let ahead = read.read_ahead(&mut ranges()).wait();
    assert!(
        matches!(ahead, Err(StoreError::Corrupt { .. })),
        "{ahead:?}"
    );
    // What failed is not in the cache either.
    let (table, from, to) = ranges().next().unwrap();
    let scanned = read.scan(table, &from, to.as_deref(), &mut |_, _| {
        ControlFlow::Continue(())
    });
    assert!(
        matches!(scanned, Err(StoreError::Corrupt { .. })),
        "{scanned:?}"
    );
}

#[test]
fn reads_that_nobody_waits_for_never_keep_a_store_open() {
    let mut bed = cold();
    for is_kept in [true, false].repeat(20) {
        let ahead = bed.store.snapshot().read_ahead(&mut ranges());
        let kept = is_kept.then_some(ahead);
        let Bed {
            store,
            options,
            folder,
        } = bed;
        let core = Arc::downgrade(&store.core);
        drop(store);
        assert!(core.upgrade().is_none(), "something of it is open");
        kept.map_or(Ok(()), ReadAhead::wait).unwrap();
        bed = Bed {
            store: PageStore::open(folder.path(), options.clone()).unwrap(),
            options,
            folder,
        };
    }
}
