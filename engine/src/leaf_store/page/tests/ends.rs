//! Where pages end: no entry is lost there, whatever comes before and after it.

use super::super::PageOptions;
use super::{Bed, all, key, small};
use crate::leaf_store::{Batch, BulkWriter as _, LeafRead as _, LeafStore, Table};
use proptest::prelude::*;

type Entries = Vec<(Vec<u8>, Vec<u8>)>;

fn load(bed: &Bed, entries: &[(Vec<u8>, Vec<u8>)]) {
    let mut bulk = bed.store.bulk_writer(Table::Storage).unwrap();
    for (key, value) in entries {
        bulk.put(key, value).unwrap();
    }
    bulk.finish().unwrap();
}

fn assert_held(options: PageOptions, entries: &Entries, in_bulk: bool) {
    let bed = Bed::new(options);
    if in_bulk {
        load(&bed, entries);
    } else {
        let mut batch = Batch::default();
        for (key, value) in entries {
            batch.put(Table::Storage, key.clone(), value.clone());
        }
        bed.store.commit(batch).unwrap();
        bed.store.flush().unwrap();
    }
    let bed = bed.reopened();
    let held = all(&bed.store.snapshot(), Table::Storage);
    assert_eq!(held.len(), entries.len());
    assert!(held == *entries, "other entries than those that were put");
    let read = bed.store.snapshot();
    for (key, value) in entries {
        assert_eq!(read.get(Table::Storage, key).unwrap().as_ref(), Some(value));
    }
}

/// Slots of some contracts: the first half of a key is that of its neighbours.
fn slots(count: u64, of_a_contract: u64) -> Entries {
    let mut entries: Entries = (0..count)
        .map(|index| {
            let mut slot = key(index / of_a_contract);
            slot.extend_from_slice(&key(index + 1_000_000));
            (slot, vec![index as u8; 38])
        })
        .collect();
    entries.sort();
    entries
}

#[test]
fn a_page_that_is_filled_in_two_goes_never_loses_an_entry() {
    // More than is gathered at once, and a rest that alone would be no more than a page.
    for count in 100..220 {
        let options = PageOptions {
            page_bytes: 1_024,
            ..small()
        };
        assert_held(options, &slots(count, count % 37 + 3), false);
    }
}

#[test]
fn large_entries_never_lack_room_behind_those_that_a_page_took_over() {
    let entry = |beginning: &[u8], length: usize| {
        let mut key = beginning.to_vec();
        key.resize(length, 7);
        (key, vec![9; length])
    };
    let mut entries: Entries = (0..40_u8).map(|n| entry(&[1, 0, n], 23)).collect();
    entries.extend((0..2_u8).map(|n| entry(&[0x20, 0, n], 23)));
    entries.extend((1..3_u8).map(|n| entry(&[0x20, 0xff, n << 4], 1_000)));
    entries.extend((0..6_u8).map(|n| entry(&[0x30, 0, n], 23)));
    for in_bulk in [false, true] {
        let options = PageOptions {
            page_bytes: 4_096,
            ..small()
        };
        assert_held(options, &entries, in_bulk);
    }
}

/// Chunks without pages, which deletions leave, are not in the way of what is loaded behind them.
#[test]
fn a_load_never_begins_before_what_deletions_have_left() {
    let mut entries: Entries = (0..12_000_u64)
        .map(|index| (key(index), vec![index as u8; 16]))
        .collect();
    entries.sort();
    for kept in (0..12_000).step_by(750) {
        for is_flushed in [false, true] {
            let bed = Bed::new(small());
            for step in [&entries[..kept], &entries[kept..]] {
                load(&bed, step);
            }
            let mut batch = Batch::default();
            batch.delete_range(Table::Storage, entries[kept].0.clone(), [0xff; 33]);
            bed.store.commit(batch).unwrap();
            if is_flushed {
                bed.store.flush().unwrap();
            }
            load(&bed, &entries[kept..]);
            let bed = bed.reopened();
            let held = all(&bed.store.snapshot(), Table::Storage);
            assert!(held == entries, "{kept} kept");
        }
    }
}

fn any_entry() -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
    let nibbles = proptest::collection::vec(prop_oneof![Just(0x11), Just(0x12), Just(0x21)], 0..6);
    let length = || prop_oneof![20 => 0..30_usize, 3 => 30..112_usize];
    (nibbles, any::<u8>(), length(), length()).prop_map(|(mut key, last, more, length)| {
        key.push(last);
        key.resize(key.len() + more.min(105), last);
        (key, vec![last; length])
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn no_entry_is_lost_where_pages_end(
        entries in proptest::collection::btree_map(any_entry(), Just(()), 1..400),
        in_bulk in any::<bool>(),
    ) {
        let mut entries: Entries = entries.into_keys().collect();
        entries.dedup_by(|a, b| a.0 == b.0);
        assert_held(small(), &entries, in_bulk);
    }
}
