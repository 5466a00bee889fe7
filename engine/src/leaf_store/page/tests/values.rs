//! Values too large for a page, and for memory.

use super::super::PageOptions;
use super::{Bed, all, key, small};
use crate::leaf_store::{Batch, LeafRead, LeafStore, StoreError, Table};

#[test]
fn large_values_never_change_on_their_way() {
    let mut bed = Bed::new(small());
    let lengths = [
        0, 1, 111, 112, 113, 511, 512, 513, 1_023, 1_024, 1_025, 70_000,
    ];
    let mut batch = Batch::default();
    for (index, length) in lengths.into_iter().enumerate() {
        batch.put(Table::Code, key(index as u64), vec![index as u8; length]);
    }
    bed.store.commit(batch).unwrap();
    for round in 0..4 {
        let read = bed.store.snapshot();
        for (index, length) in lengths.into_iter().enumerate() {
            let value = read.get(Table::Code, &key(index as u64)).unwrap();
            assert_eq!(value, Some(vec![index as u8; length]), "round {round}");
        }
        assert_eq!(all(&read, Table::Code).len(), lengths.len());
        drop(read);
        match round {
            0 => bed = bed.reopened(),
            1 => bed.store.flush().unwrap(),
            _ => {
                let mut batch = Batch::default();
                batch.put(Table::Code, key(100 + round), vec![9; 3_000]);
                batch.delete(Table::Code, key(99 + round));
                batch.put(Table::Code, key(100 + round), vec![9; 3_000]);
                batch.delete(Table::Code, key(100 + round));
                bed.store.commit(batch).unwrap();
                bed.store.compact().unwrap();
            }
        }
    }
}

#[test]
fn large_values_never_wait_in_memory() {
    let bed = Bed::new(small());
    for block in 0..50_u64 {
        let mut batch = Batch::default();
        batch.put(Table::Undo, block.to_be_bytes(), vec![block as u8; 20_000]);
        bed.store.commit(batch).unwrap();
    }
    assert!(bed.store.stats().pending_bytes < 20_000);
    let old = bed.store.snapshot();
    let mut batch = Batch::default();
    batch.delete_range(Table::Undo, [], 40_u64.to_be_bytes());
    bed.store.commit(batch).unwrap();
    bed.store.flush().unwrap();
    // Those that died before the checkpoint were written to the log alone.
    let stats = bed.store.stats();
    assert_eq!(stats.value_pages, 10 * 20_000_u64.div_ceil(512));
    assert!(stats.page_bytes_written < 300_000, "{stats:?}");
    let value = old.get(Table::Undo, &7_u64.to_be_bytes()).unwrap();
    assert_eq!(value, Some(vec![7; 20_000]));
    assert_eq!(all(&bed.store.snapshot(), Table::Undo).len(), 10);
}

#[test]
fn a_key_that_no_page_can_hold_is_refused_and_nothing_is_poisoned() {
    let bed = Bed::new(PageOptions {
        page_bytes: 512,
        ..small()
    });
    let mut batch = Batch::default();
    batch.put(Table::Meta, vec![1; 200], *b"value");
    let refused = bed.store.commit(batch);
    assert!(matches!(refused, Err(StoreError::BadEntry { .. })));
    let mut batch = Batch::default();
    batch.put(Table::Meta, vec![1; 112], vec![2; 112]);
    batch.put(Table::Meta, vec![2; 112], vec![3; 112]);
    bed.store.commit(batch).unwrap();
    bed.store.flush().unwrap();
    assert_eq!(all(&bed.store.snapshot(), Table::Meta).len(), 2);
}
