//! Gates on counts of reads, writes, syncs and bytes.

use super::super::PageOptions;
use super::{Bed, ENTRIES, all, cold, key, ranges, small};
use crate::leaf_store::{Batch, LeafRead, LeafStore, Table};
use core::{ops::ControlFlow, time::Duration};

fn reads(bed: &Bed, work: impl FnOnce()) -> u64 {
    let before = bed.store.counters();
    work();
    bed.store.counters().since(&before).block_reads
}

#[test]
fn a_commit_never_writes_or_syncs_more_than_once() {
    let bed = Bed::new(PageOptions {
        sync: true,
        ..small()
    });
    let (before, counted) = (bed.store.stats(), bed.store.counters());
    for block in 0..20 {
        let mut batch = Batch::default();
        for index in 0..50 {
            batch.put(Table::Accounts, key(block * 50 + index), vec![1; 40]);
        }
        batch.put(Table::Undo, block.to_be_bytes(), vec![2; 10_000]);
        bed.store.commit(batch).unwrap();
    }
    let after = bed.store.stats();
    assert_eq!(after.log_writes - before.log_writes, 20);
    assert_eq!(after.log_syncs - before.log_syncs, 20);
    assert_eq!(bed.store.counters().since(&counted).syncs, 20);
    assert_eq!(after.page_bytes_written, before.page_bytes_written);
    assert_eq!(after.checkpoints, 0);
}

#[test]
fn a_cold_read_never_costs_more_than_one_page() {
    let bed = cold(PageOptions {
        cache_bytes: 0,
        ..small()
    });
    let read = bed.store.snapshot();
    let present = reads(&bed, || {
        for index in (0..ENTRIES).step_by(10) {
            assert!(read.get(Table::Accounts, &key(index)).unwrap().is_some());
        }
    });
    assert!(present <= ENTRIES / 10, "{present} pages");
    let absent = reads(&bed, || {
        for index in ENTRIES..ENTRIES + 2_000 {
            assert!(read.get(Table::Accounts, &key(index)).unwrap().is_none());
        }
    });
    assert!(absent <= 60, "{absent} pages for 2,000 absent keys");
}

/// In pages that end wherever they are full it would lie in 1.22 on average.
#[test]
fn a_bucket_of_a_trie_never_lies_in_many_pages() {
    let bed = cold(PageOptions {
        page_bytes: 1_024,
        cache_bytes: 0,
        ..PageOptions::default()
    });
    let read = bed.store.snapshot();
    let mut seen = 0;
    let pages = reads(&bed, || {
        // Some five entries have three nibbles in common. Neighbours are not asked for after one another:
        // the cache has always one page.
        for number in (0..4_096_u16).map(|index| index.wrapping_mul(1_237) % 4_096) {
            let bound = |number: u16| (number << 4).to_be_bytes().to_vec();
            let (from, to) = (bound(number), (number < 4_095).then(|| bound(number + 1)));
            let mut visit = |_: &[u8], _: &[u8]| {
                seen += 1;
                ControlFlow::Continue(())
            };
            read.scan(Table::Accounts, &from, to.as_deref(), &mut visit)
                .unwrap();
        }
    });
    assert_eq!(seen, ENTRIES);
    assert!(pages <= 4_096 * 104 / 100, "{pages} pages");
}

#[test]
fn ranges_read_ahead_are_never_read_again() {
    let bed = cold(PageOptions {
        cache_bytes: 64 << 20,
        ..small()
    });
    let read = bed.store.snapshot();
    let ranges: Vec<_> = ranges().collect();
    let ahead = || read.read_ahead(&mut ranges.iter().cloned()).wait().unwrap();
    let read_ahead = reads(&bed, ahead);
    assert!(read_ahead > 50, "{read_ahead} pages");
    let again = reads(&bed, || {
        for (table, from, to) in &ranges {
            let mut seen = 0;
            let mut visit = |_: &[u8], _: &[u8]| {
                seen += 1;
                ControlFlow::Continue(())
            };
            read.scan(*table, from, to.as_deref(), &mut visit).unwrap();
            assert!(seen > 0);
        }
        ahead();
    });
    assert_eq!(again, 0);
}

#[test]
fn churn_never_makes_the_file_grow_without_bound() {
    let bed = Bed::new(small());
    let write = |round: u64| {
        let mut batch = Batch::default();
        for index in 0..2_000 {
            batch.put(Table::Storage, key(index), key(index ^ round));
        }
        batch.put(Table::Undo, round.to_be_bytes(), vec![3; 20_000]);
        batch.delete_range(Table::Undo, [], round.saturating_sub(3).to_be_bytes());
        bed.store.commit(batch).unwrap();
        bed.store.flush().unwrap();
    };
    (0..4).for_each(write);
    let early = bed.store.stats();
    (4..40).for_each(write);
    let late = bed.store.stats();
    assert!(late.pages <= early.pages * 5 / 4, "{early:?}\n{late:?}");
    let live = late.leaf_pages + late.value_pages;
    assert!(late.pages <= 3 * live, "{late:?}");
    let before = all(&bed.store.snapshot(), Table::Storage);
    bed.store.compact().unwrap();
    let settled = bed.store.stats();
    let live = settled.leaf_pages + settled.value_pages;
    assert!(settled.pages <= live * 5 / 4, "{settled:?}");
    assert_eq!(settled.leaf_pages, late.leaf_pages);
    let bed = bed.reopened();
    assert_eq!(all(&bed.store.snapshot(), Table::Storage), before);
    assert_eq!(all(&bed.store.snapshot(), Table::Undo).len(), 4);
    let reopened = bed.store.stats();
    assert_eq!(
        reopened.pages - reopened.free_pages,
        settled.pages - settled.free_pages
    );
}

#[test]
fn what_is_deleted_never_keeps_its_pages() {
    let bed = Bed::new(small());
    let mut batch = Batch::default();
    for index in 0..3_000 {
        batch.put(Table::Storage, key(index), key(index));
    }
    bed.store.commit(batch).unwrap();
    bed.store.flush().unwrap();
    let full = bed.store.stats();
    let mut batch = Batch::default();
    batch.delete_range(Table::Storage, [0x10], [0xf0]);
    bed.store.commit(batch).unwrap();
    let before = bed.store.counters();
    bed.store.flush().unwrap();
    let read = bed.store.counters().since(&before).block_reads;
    assert!(read <= 4, "{read} pages read to drop a range");
    let emptied = bed.store.stats();
    assert!(emptied.leaf_pages * 6 < full.leaf_pages, "{emptied:?}");
    let mut batch = Batch::default();
    batch.delete_range(Table::Storage, [], [0xff; 33]);
    bed.store.commit(batch).unwrap();
    bed.store.compact().unwrap();
    let none = bed.store.stats();
    assert_eq!((none.leaf_pages, none.entries), (0, 0));
    assert!(none.pages < 40, "{none:?}");
    bed.store.bulk_writer(Table::Storage).unwrap();
}

#[test]
fn large_values_never_make_the_log_grow_without_bound() {
    let bed = Bed::new(PageOptions {
        pending_bytes: 64 << 10,
        ..small()
    });
    for block in 0..40_u64 {
        let mut batch = Batch::default();
        batch.put(Table::Undo, block.to_be_bytes(), vec![block as u8; 20_000]);
        batch.delete_range(Table::Undo, [], block.saturating_sub(3).to_be_bytes());
        bed.store.commit(batch).unwrap();
    }
    assert!(bed.store.stats().pending_bytes < 64 << 10);
    // The checkpoint that was asked for runs on another thread.
    let begun = (0..60_000).any(|_| {
        std::thread::sleep(Duration::from_millis(1));
        bed.store.stats().checkpoints > 0
    });
    assert!(begun, "{:?}", bed.store.stats());
}
