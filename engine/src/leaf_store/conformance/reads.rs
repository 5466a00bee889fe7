//! Scans and floors within every shape of bounds.

use super::super::{Batch, LeafRead, LeafStore, MemoryStore, Table, cold_reads};
use super::{Memory, Pages, Rocks, Subject, awkward_keys, filled, model_floor, model_scan, scan};
use core::ops::ControlFlow;
use std::thread;

pub(super) fn scans_within_every_bound(subject: impl Subject) {
    let keys = awkward_keys();
    let store = subject.store();
    let model = filled(store, Table::Storage, &keys);
    let read = store.snapshot();
    for from in &keys {
        assert_eq!(
            scan(&read, Table::Storage, from, None),
            model_scan(&model, from, None)
        );
        for to in &keys {
            assert_eq!(
                scan(&read, Table::Storage, from, Some(to)),
                model_scan(&model, from, Some(to)),
                "from {from:02x?} to {to:02x?}"
            );
        }
    }
    let mut seen = 0;
    read.scan(Table::Storage, &[], None, &mut |_, _| {
        seen += 1;
        if seen == 3 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })
    .unwrap();
    assert_eq!(seen, 3, "a broken scan ends at once");
}

pub(super) fn floor_within_bounds(subject: impl Subject) {
    let (present, absent): (Vec<_>, Vec<_>) = awkward_keys()
        .into_iter()
        .enumerate()
        .partition(|(index, _)| index % 3 != 0);
    let present: Vec<_> = present.into_iter().map(|(_, key)| key).collect();
    let store = subject.store();
    let model = filled(store, Table::Accounts, &present);
    let read = store.snapshot();
    let asked: Vec<_> = absent
        .into_iter()
        .map(|(_, key)| key)
        .chain(present)
        .collect();
    for key in &asked {
        for floor in &asked {
            assert_eq!(
                read.last_at_or_before(Table::Accounts, key, floor).unwrap(),
                model_floor(&model, key, floor),
                "key {key:02x?} floor {floor:02x?}"
            );
        }
    }
}

/// Deletes so many neighbours that iterators give up walking over them.
pub(super) fn scans_beside_deletions(subject: impl Subject) {
    let store = subject.store();
    let key = |index: u32| [&[0x42; 32][..], &index.to_be_bytes()[..]].concat();
    let keys: Vec<_> = (0..3_000).map(key).collect();
    let mut model = filled(store, Table::Storage, &keys);
    let mut batch = Batch::default();
    for gone in keys.iter().take(2_900).skip(20) {
        batch.delete(Table::Storage, gone.clone());
        model.remove(gone);
    }
    store.commit(batch).unwrap();
    let read = store.snapshot();
    for (from, to) in [
        (0, 20),
        (0, 21),
        (10, 2_000),
        (20, 2_899),
        (0, 2_910),
        (2_890, 3_000),
    ] {
        let (from, to) = (key(from), key(to));
        assert_eq!(
            scan(&read, Table::Storage, &from, Some(&to)),
            model_scan(&model, &from, Some(&to))
        );
    }
    for (at, floor) in [
        (2_899, 0),
        (2_899, 20),
        (2_900, 2_900),
        (2_000, 19),
        (3_000, 0),
    ] {
        let (at, floor) = (key(at), key(floor));
        assert_eq!(
            read.last_at_or_before(Table::Storage, &at, &floor).unwrap(),
            model_floor(&model, &at, &floor)
        );
    }
}

/// How many of so many gets of one key went past the cache of a store that was just opened.
fn cold_of_three(subject: impl Subject) -> [bool; 3] {
    let keys = awkward_keys();
    filled(subject.store(), Table::Storage, &keys);
    subject.store().compact().unwrap();
    let subject = subject.reopened();
    let read = subject.store().snapshot();
    let get = || {
        let before = cold_reads();
        assert!(read.get(Table::Storage, &keys[7]).unwrap().is_some());
        cold_reads() != before
    };
    [(); 3].map(|()| get())
}

#[test]
fn no_read_that_the_cache_answers_counts_as_cold() {
    assert_eq!(cold_of_three(Pages::new()), [true, false, false]);
    assert_eq!(cold_of_three(Rocks::new()), [true, false, false]);
    assert_eq!(cold_of_three(Memory(MemoryStore::new())), [false; 3]);
}

#[test]
fn no_cold_read_counts_on_a_thread_that_did_not_ask() {
    let before = cold_reads();
    let elsewhere = thread::spawn(|| {
        cold_of_three(Pages::new());
        cold_of_three(Rocks::new());
        cold_reads()
    });
    assert!(elsewhere.join().unwrap() >= 2);
    assert_eq!(cold_reads(), before);
}
