//! Random commits, checkpoints, reopenings and snapshots against maps.

use super::super::PageOptions;
use super::{Bed, all, small};
use crate::leaf_store::{Batch, LeafRead, LeafStore, PageSnapshot, Table};
use proptest::prelude::*;
use std::collections::BTreeMap;

type Model = BTreeMap<Vec<u8>, Vec<u8>>;

#[derive(Clone, Debug)]
enum Change {
    Put(u16, u16),
    Delete(u16),
    DeleteRange(u16, u16),
}

#[derive(Clone, Debug)]
enum Step {
    Commit(Vec<Change>),
    Flush,
    Compact,
    Reopen,
    /// Keep a snapshot of now until the next reopening.
    Snapshot,
    Look(u16, u16),
}

/// Keys whose order is that of their numbers, some in runs that share a long beginning.
fn key(number: u16) -> Vec<u8> {
    let mut key = vec![(number >> 8) as u8; 1 + usize::from(number >> 6) % 40];
    key.extend_from_slice(&number.to_be_bytes());
    key
}

fn value(len: u16) -> Vec<u8> {
    (0..len).map(|index| (index ^ len) as u8).collect()
}

fn any_change() -> impl Strategy<Value = Change> {
    let number = || 0..2_000_u16;
    let len = prop_oneof![8 => 0..60_u16, 2 => 60..400_u16, 1 => 400..3_000_u16];
    prop_oneof![
        16 => (number(), len).prop_map(|(key, len)| Change::Put(key, len)),
        6 => number().prop_map(Change::Delete),
        1 => (number(), 0..300_u16).prop_map(|(from, len)| Change::DeleteRange(from, from + len)),
    ]
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        10 => proptest::collection::vec(any_change(), 0..120).prop_map(Step::Commit),
        4 => Just(Step::Flush),
        1 => Just(Step::Compact),
        2 => Just(Step::Reopen),
        2 => Just(Step::Snapshot),
        6 => (0..2_000_u16, 0..300_u16).prop_map(|(from, len)| Step::Look(from, len)),
    ]
}

fn apply(changes: &[Change], model: &mut Model) -> Batch {
    let mut batch = Batch::default();
    for change in changes {
        match change {
            Change::Put(number, len) => {
                batch.put(Table::Storage, key(*number), value(*len));
                model.insert(key(*number), value(*len));
            }
            Change::Delete(number) => {
                batch.delete(Table::Storage, key(*number));
                model.remove(&key(*number));
            }
            Change::DeleteRange(from, to) => {
                batch.delete_range(Table::Storage, key(*from), key(*to));
                model.retain(|found, _| *found < key(*from) || *found >= key(*to));
            }
        }
    }
    batch
}

fn same(read: &PageSnapshot<'_>, model: &Model) {
    let expected: Vec<_> = model.iter().map(|(k, v)| (k.clone(), v.clone())).collect();
    assert_eq!(all(read, Table::Storage), expected);
}

fn look(read: &PageSnapshot<'_>, model: &Model, from: u16, len: u16) {
    let (from, to) = (key(from), key(from + len));
    let mut found = Vec::new();
    read.scan(Table::Storage, &from, Some(&to), &mut |key, value| {
        found.push((key.to_vec(), value.to_vec()));
        core::ops::ControlFlow::Continue(())
    })
    .unwrap();
    let expected: Vec<_> = model
        .iter()
        .filter(|(key, _)| **key >= from && **key < to)
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    assert_eq!(found, expected);
    assert_eq!(
        read.get(Table::Storage, &from).unwrap().as_ref(),
        model.get(&from)
    );
    let last = read.last_at_or_before(Table::Storage, &to, &from).unwrap();
    let expected = model
        .iter()
        .rfind(|(key, _)| **key <= to && **key >= from)
        .map(|(key, value)| (key.clone(), value.clone()));
    assert_eq!(last, expected);
}

fn run(options: PageOptions, steps: Vec<Step>) {
    let mut bed = Bed::new(options);
    let mut model = Model::new();
    let mut steps = steps.into_iter().peekable();
    while steps.peek().is_some() {
        // Between two reopenings snapshots may be kept.
        let mut kept: Vec<(PageSnapshot<'_>, Model)> = Vec::new();
        for step in steps.by_ref() {
            let store = &bed.store;
            match step {
                Step::Commit(changes) => store.commit(apply(&changes, &mut model)).unwrap(),
                Step::Flush => store.flush().unwrap(),
                Step::Compact => store.compact().unwrap(),
                Step::Snapshot => kept.push((store.snapshot(), model.clone())),
                Step::Look(from, len) => look(&store.snapshot(), &model, from, len),
                Step::Reopen => break,
            }
            for (read, model) in &kept {
                same(read, model);
            }
        }
        same(&bed.store.snapshot(), &model);
        drop(kept);
        bed = bed.reopened();
        same(&bed.store.snapshot(), &model);
        let stats = bed.store.stats();
        assert!(stats.entries <= model.len() as u64 + 120 * 40, "{stats:?}");
    }
    bed.store.flush().unwrap();
    let stats = bed.store.table_stats(Table::Storage).unwrap();
    assert_eq!(stats.entries, model.len() as u64);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    /// Checkpoints when they are asked for.
    #[test]
    fn no_step_changes_what_is_read(steps in proptest::collection::vec(any_step(), 1..40)) {
        run(small(), steps);
    }

    /// Checkpoints at any time, beside the commits, and hardly a cache.
    #[test]
    fn no_checkpoint_changes_what_is_read(steps in proptest::collection::vec(any_step(), 1..40)) {
        let options = PageOptions {
            pending_bytes: 2_000,
            cache_bytes: 0,
            filter_bits: 6,
            ..small()
        };
        run(options, steps);
    }
}
