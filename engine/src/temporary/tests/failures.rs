//! Misuse, damage and failures are told apart, and change nothing.

use super::{
    all_rules,
    archive::MemoryArchive,
    node::{Node, limits, write},
};
use crate::{
    leaf_store::{Batch, Fault, LeafRead, LeafStore, MemoryStore, Table},
    temporary::{Setup, TemporaryError, TemporaryOpenError, TemporaryTier},
};
use core::ops::ControlFlow;
use thinstate_formats::BlockNumber;

/// Some blocks, the last one in the middle of sealing.
fn nodes() -> Vec<Node> {
    let rules = all_rules().into_iter();
    let node = |rules| {
        let mut node = Node::new(rules, limits(1), Some(MemoryArchive::default()));
        for block in 0..32 {
            let again = (0..40).map(|n| write(n * (block % 3 + 1), block));
            let new = (0..60).map(|n| write(1_000 * (block + 1) + n, 1));
            let writes: Vec<_> = again.chain(new).collect();
            node.apply(block, &writes, &[]).expect("it follows");
            node.settle();
        }
        node
    };
    rules.map(node).collect()
}

fn open(store: &MemoryStore, head: u64, setup: &Setup) -> Result<(), TemporaryOpenError> {
    let (head, setup) = (Some(BlockNumber(head)), setup.clone());
    TemporaryTier::open(&store.snapshot(), head, setup).map(drop)
}

fn entries(store: &MemoryStore, table: Table) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut entries = Vec::new();
    let scanned = store.snapshot().scan(table, &[], None, &mut |key, value| {
        entries.push((key.to_vec(), value.to_vec()));
        ControlFlow::Continue(())
    });
    scanned.expect("it reads");
    entries
}

#[test]
fn no_damaged_entry_is_opened() {
    for node in nodes() {
        assert!(open(&node.store, 31, &node.setup).is_ok());
        for table in [Table::Temporary, Table::Periods] {
            let entries = entries(&node.store, table);
            assert!(entries.len() > 4, "{entries:?}");
            for (key, value) in entries {
                for at in [0, value.len() / 2, value.len() - 1] {
                    let store = node.store.reopen();
                    let (mut batch, mut value) = (Batch::default(), value.clone());
                    value[at] ^= 0x40;
                    batch.put(table, key.clone(), value);
                    store.commit(batch).expect("the store takes it");
                    let error = open(&store, 31, &node.setup).expect_err("damaged");
                    assert!(
                        matches!(error, TemporaryOpenError::BadEntry { .. }),
                        "{error}"
                    );
                }
            }
        }
    }
}

#[test]
fn no_missing_log_is_passed_over() {
    for node in nodes() {
        let logs = entries(&node.store, Table::Temporary);
        for (key, _) in &logs[1..] {
            let store = node.store.reopen();
            let mut batch = Batch::default();
            batch.delete(Table::Temporary, key.clone());
            store.commit(batch).expect("the store takes it");
            let error = open(&store, 31, &node.setup).expect_err("a hole");
            assert!(
                matches!(error, TemporaryOpenError::MissingLog { .. }),
                "{error}"
            );
        }
        for head in [30, 32] {
            let error = open(&node.store, head, &node.setup).expect_err("another head");
            let missing = matches!(error, TemporaryOpenError::MissingLog { .. });
            assert!(missing, "{error}");
        }
    }
}

#[test]
fn no_failed_read_is_taken_for_an_empty_store() {
    for node in nodes() {
        for reads in 0..3 {
            let store = node.store.reopen();
            store.inject(Fault::Read, reads);
            let error = open(&store, 31, &node.setup).expect_err("injected");
            assert!(matches!(error, TemporaryOpenError::Store(_)), "{error}");
        }
    }
}

#[test]
fn no_block_is_staged_out_of_turn() {
    for mut node in nodes() {
        for got in [31, 33] {
            let error = node.apply(got, &[], &[]).expect_err("out of turn");
            assert!(matches!(error, TemporaryError::NotNext { .. }), "{error}");
        }
        let mut batch = Batch::default();
        let number = BlockNumber(32);
        let staged = node.tier.stage(number, &[], &[], &node.bits, &mut batch);
        staged.expect("it follows");
        let error = node.apply(33, &[], &[]).expect_err("one is staged");
        assert!(matches!(error, TemporaryError::Pending(at) if at == number));
        let error = node.undo().expect_err("one is staged");
        assert!(matches!(error, TemporaryError::Pending(at) if at == number));
        node.tier.rollback();
        node.apply(32, &[], &[]).expect("it follows");
    }
}

#[test]
fn no_block_is_undone_beyond_the_last() {
    for mut node in nodes() {
        for _ in 0..3 {
            node.undo().expect("one of the last blocks");
        }
        let before = node.state();
        let error = node.undo().expect_err("too old");
        assert!(matches!(
            error,
            TemporaryError::NothingToUndo { undo_blocks: 3 }
        ));
        assert_eq!(node.state(), before);
    }
}
