//! Power cuts and failures at every operation that changes the disk.

use super::super::disk::{Fault, On, Operation, SimDisk};
use super::super::{PageOptions, PageStore};
use super::{key, small};
use crate::leaf_store::{Batch, BulkWriter as _, Entry, LeafRead, LeafStore, StoreError, Table};
use core::ops::ControlFlow;
use std::path::Path;

const TABLES: [Table; 3] = [Table::Accounts, Table::Code, Table::Undo];

fn options() -> PageOptions {
    PageOptions {
        sync: true,
        cache_bytes: 8 << 10,
        ..small()
    }
}

fn open(disk: &SimDisk) -> Result<PageStore, StoreError> {
    PageStore::open_on(disk.clone(), Path::new("sim"), options())
}

fn contents(store: &PageStore) -> Result<Vec<Entry>, StoreError> {
    let read = store.snapshot();
    let mut entries = Vec::new();
    for table in TABLES {
        read.scan(table, &[], None, &mut |key, value| {
            entries.push((key.to_vec(), value.to_vec()));
            ControlFlow::Continue(())
        })?;
    }
    Ok(entries)
}

fn block(number: u64) -> Batch {
    let mut batch = Batch::default();
    for index in 0..25 {
        // Half of the keys are written again by the next block.
        batch.put(Table::Accounts, key(number * 12 + index), key(number));
    }
    batch.put(Table::Undo, number.to_be_bytes(), vec![number as u8; 1_800]);
    batch.delete_range(Table::Undo, [], number.saturating_sub(2).to_be_bytes());
    batch.delete(Table::Accounts, key(number * 5));
    batch
}

/// One thing that a process does to its store.
#[derive(Clone, Copy, Debug)]
enum Act {
    Commit(u64),
    Flush,
    Compact,
    Load,
}

const ACTS: [Act; 14] = [
    Act::Commit(0),
    Act::Commit(1),
    Act::Flush,
    Act::Commit(2),
    Act::Load,
    Act::Commit(3),
    Act::Flush,
    Act::Commit(4),
    Act::Commit(5),
    Act::Flush,
    Act::Compact,
    Act::Commit(6),
    Act::Flush,
    Act::Commit(7),
];

fn act(store: &PageStore, act: Act) -> Result<(), StoreError> {
    match act {
        Act::Commit(number) => store.commit(block(number)),
        Act::Flush => store.flush(),
        Act::Compact => store.compact(),
        Act::Load => {
            let mut bulk = store.bulk_writer(Table::Code)?;
            for index in 0..40_u64 {
                bulk.put(&index.to_be_bytes(), &vec![3; index as usize * 20])?;
            }
            bulk.finish().map(drop)
        }
    }
}

/// What the store holds after each act, none at the front.
fn states() -> Vec<Vec<Entry>> {
    let disk = SimDisk::new();
    let store = open(&disk).unwrap();
    let mut states = vec![Vec::new()];
    for step in ACTS {
        act(&store, step).unwrap();
        states.push(contents(&store).unwrap());
    }
    states
}

/// Acts until one fails; gives how many did not.
fn run(disk: &SimDisk) -> usize {
    let Ok(store) = open(disk) else {
        return 0;
    };
    let done = ACTS.iter().take_while(|step| act(&store, **step).is_ok());
    let done = done.count();
    // A load that fails before its checkpoint leaves no trace, and harms nobody.
    if let Some(failed) = ACTS.get(done)
        && !matches!(failed, Act::Load)
    {
        let refused = store.commit(block(99));
        assert!(
            matches!(refused, Err(StoreError::Poisoned { .. })),
            "{refused:?} after {failed:?}"
        );
    }
    done
}

/// Whether the store holds what was acknowledged, and the act that failed whole or not at all.
fn holds(disk: &SimDisk, states: &[Vec<Entry>], done: usize, what: &str) -> PageStore {
    let store = match open(disk) {
        Ok(store) => store,
        Err(error) => panic!("{what}: {error}"),
    };
    let found = contents(&store).unwrap();
    let expected = &states[done..=(done + 1).min(ACTS.len())];
    assert!(expected.contains(&found), "{what}: after {done} acts");
    store
}

fn changes() -> u64 {
    let disk = SimDisk::new();
    assert_eq!(run(&disk), ACTS.len());
    disk.count(On::Changes)
}

#[test]
fn a_power_cut_never_loses_or_halves_a_batch() {
    let states = states();
    for after in 0..changes() {
        let disk = SimDisk::new();
        disk.inject(Fault::PowerOff, On::Changes, after);
        let done = run(&disk);
        for seed in 0..4 {
            let what = format!("operation {after}, seed {seed}");
            let cut = disk.power_cut(seed);
            let store = holds(&cut, &states, done, &what);
            // It goes on, through another checkpoint and another cut.
            store.commit(block(50)).unwrap();
            store.flush().unwrap();
            store.commit(block(51)).unwrap();
            let after = contents(&store).unwrap();
            drop(store);
            let store = open(&cut.power_cut(seed)).unwrap();
            assert_eq!(contents(&store).unwrap(), after, "{what}");
        }
    }
}

#[test]
fn a_failed_operation_never_loses_or_halves_a_batch() {
    let states = states();
    let faults = [
        Fault::Io,
        Fault::NoSpace,
        Fault::ShortThenIo,
        Fault::LostSync,
        Fault::LateIo,
    ];
    for after in 0..changes() {
        for fault in faults {
            let disk = SimDisk::new();
            disk.inject(fault, On::Changes, after);
            let done = run(&disk);
            disk.heal();
            let what = format!("{fault:?} at operation {after}");
            let store = holds(&disk, &states, done, &what);
            let found = contents(&store).unwrap();
            drop(store);
            // What was served once stays, even if the power goes now.
            for seed in 0..2 {
                let store = open(&disk.power_cut(seed));
                let store = store.unwrap_or_else(|error| panic!("{what}: {error}"));
                assert_eq!(contents(&store).unwrap(), found, "{what}");
            }
            let store = open(&disk).unwrap();
            store.commit(block(50)).unwrap();
            store.flush().unwrap();
            store.commit(block(51)).unwrap();
            let after = contents(&store).unwrap();
            drop(store);
            let store = open(&disk.power_cut(7)).unwrap();
            assert_eq!(contents(&store).unwrap(), after, "{what}");
        }
    }
}

#[test]
fn a_disk_that_fills_behind_a_commit_never_goes_unnamed() {
    for after in 0..changes() {
        let disk = SimDisk::new();
        let options = PageOptions {
            pending_bytes: 4 << 10,
            ..options()
        };
        let store = PageStore::open_on(disk.clone(), Path::new("sim"), options).unwrap();
        disk.inject(Fault::NoSpace, On::Changes, after);
        // Checkpoints run beside it: which of the two meets the fault is open, what is told is not.
        let mut numbers = 0..;
        let told = numbers.find_map(|number| store.commit(block(number)).err());
        let what = format!("operation {after}");
        assert!(
            matches!(told, Some(StoreError::NoSpace { .. })),
            "{what}: {told:?}"
        );
        let again = store.commit(block(0));
        assert!(
            matches!(again, Err(StoreError::Poisoned { .. })),
            "{what}: {again:?}"
        );
    }
}

#[test]
fn a_failed_read_never_poisons() {
    let disk = SimDisk::new();
    assert_eq!(run(&disk), ACTS.len());
    let store = open(&disk).unwrap();
    let expected = contents(&store).unwrap();
    drop(store);
    let store = open(&disk).unwrap();
    let mut failed = 0;
    for after in 0..40 {
        disk.inject(Fault::Io, On::Each(Operation::Read), after);
        match contents(&store) {
            Ok(found) => assert_eq!(found, expected),
            Err(StoreError::Io { .. }) => failed += 1,
            Err(error) => panic!("{error}"),
        }
        disk.heal();
    }
    assert!(failed > 10, "{failed} reads failed");
    assert_eq!(contents(&store).unwrap(), expected);
    store.commit(block(60)).unwrap();
}
