//! Reads that go on by themselves: their failures are told, and they hold nothing open.

use super::super::PageStore;
use super::{Bed, ranges, small};
use crate::leaf_store::{LeafRead as _, LeafStore as _, PageOptions, ReadAhead, StoreError};
use core::ops::ControlFlow;
use std::fs::OpenOptions;
use std::sync::Arc;

/// A store of many pages of which the cache, which has room for all, holds none.
fn cold() -> Bed {
    super::cold(PageOptions {
        cache_bytes: 64 << 20,
        ..small()
    })
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
