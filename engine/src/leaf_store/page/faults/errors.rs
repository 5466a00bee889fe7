//! Operations that fail: whatever it was, memory stays as it was, the store refuses to go on, and
//! opens again with the last committed block.

use super::super::super::{Batch, LeafStore as _, StoreError, Table};
use super::super::disk::{Fault, On, Operation, SimDisk};
use super::script::{Reached, Step, run, run_on, script};
use super::{dump, goes_on, open, reopened};

/// Makes each operation of a script fail in turn.
fn fail_everywhere(fault: Fault, on: On, script_seed: u64, step_by: usize) {
    let steps = script(script_seed, 40);
    let whole = SimDisk::new();
    run_on(&whole, &steps);
    let first = script_seed % step_by as u64;
    for at in (first..whole.count(on) + 2).step_by(step_by) {
        let context = format!("script {script_seed}, {fault:?} at {on:?} {at}");
        let disk = SimDisk::new();
        disk.inject(fault, on, at);
        let reached = run_and_look(&disk, &steps, fault, &context);
        disk.heal();
        let state = reopened(&disk, &reached.allowed(), &context);
        goes_on(&disk, state, at, &context);
    }
}

/// Runs the script, and looks at the open store after the step that failed.
fn run_and_look(disk: &SimDisk, steps: &[Step], fault: Fault, context: &str) -> Reached {
    let store = match open(disk) {
        Ok(store) => store,
        Err(error) => {
            assert_typed(&error, fault, context);
            return Reached::default();
        }
    };
    let reached = run(&store, steps);
    let Some((index, error)) = &reached.failure else {
        return reached;
    };
    assert_ne!(fault, Fault::Short, "{context}: {error}");
    assert_typed(error, fault, context);
    let seen = dump(&store.snapshot()).unwrap();
    if matches!(steps[*index], Step::Bulk(..)) {
        // What failed may be no more than to remove what it replaced.
        assert!(
            reached.allowed().contains(&&seen),
            "{context}: half a load shows"
        );
    } else {
        assert!(
            seen == reached.acknowledged,
            "{context}: the failed step shows"
        );
        let mut batch = Batch::default();
        batch.put(Table::Meta, *b"after the failure", *b"");
        let refused = store.commit(batch);
        assert!(
            matches!(refused, Err(StoreError::Poisoned { .. })),
            "{context}: {refused:?}"
        );
    }
    reached
}

/// The error says what happened, or that something did before.
fn assert_typed(error: &StoreError, fault: Fault, context: &str) {
    let is_typed = match (error, fault) {
        (StoreError::NoSpace { .. }, Fault::NoSpace | Fault::ShortThenNoSpace)
        | (StoreError::Poisoned { .. }, _) => true,
        (StoreError::Io { .. }, fault) => fault != Fault::NoSpace,
        _ => false,
    };
    assert!(is_typed, "{context}: {error}");
}

#[test]
fn a_failed_write_never_loses_a_committed_block() {
    for (script_seed, fault) in [
        Fault::Io,
        Fault::NoSpace,
        Fault::ShortThenIo,
        Fault::ShortThenNoSpace,
    ]
    .into_iter()
    .enumerate()
    {
        fail_everywhere(fault, On::Changes, 100 + script_seed as u64, 1);
    }
}

#[test]
fn a_late_failure_of_a_sync_never_loses_a_committed_block() {
    fail_everywhere(Fault::LateIo, On::Each(Operation::Sync), 110, 1);
}

#[test]
fn a_short_transfer_is_not_even_noticed() {
    fail_everywhere(Fault::Short, On::Each(Operation::Write), 120, 2);
    fail_everywhere(Fault::Short, On::Each(Operation::Read), 121, 3);
}

#[test]
fn a_failed_read_never_loses_a_committed_block() {
    let steps = script(130, 40);
    let whole = SimDisk::new();
    run_on(&whole, &steps);
    for at in 0..whole.count(On::Each(Operation::Read)) {
        let context = format!("read {at}");
        let disk = SimDisk::new();
        disk.inject(Fault::Io, On::Each(Operation::Read), at);
        let reached = run_on(&disk, &steps);
        disk.heal();
        reopened(&disk, &reached.allowed(), &context);
    }
}

#[test]
fn a_read_that_fails_while_opening_is_named() {
    let disk = SimDisk::new();
    let reached = run_on(&disk, &script(140, 40));
    for at in 0.. {
        disk.inject(Fault::Io, On::Each(Operation::Read), at);
        let opened = open(&disk);
        if !disk.has_fired() {
            assert!(at > 2, "opening reads superblocks, the root, the log");
            break;
        }
        disk.heal();
        assert!(
            matches!(
                opened,
                Err(StoreError::Io {
                    operation: "read",
                    ..
                })
            ),
            "read {at}"
        );
        drop(opened);
        reopened(&disk, &[&reached.acknowledged], "after the failed opening");
    }
}

#[test]
fn a_full_disk_never_loses_a_committed_block() {
    let steps = script(150, 60);
    let whole = SimDisk::new();
    run_on(&whole, &steps);
    let mut failures = 0;
    for more in (0..120_000).step_by(3_000) {
        let context = format!("{more} bytes of space");
        let disk = SimDisk::new();
        disk.limit_space(more);
        let reached = run_and_look(&disk, &steps, Fault::NoSpace, &context);
        failures += u32::from(reached.failure.is_some());
        disk.heal();
        let state = reopened(&disk, &reached.allowed(), &context);
        goes_on(&disk, state, more, &context);
    }
    assert!(failures > 5, "{failures} runs met the end of the space");
}
