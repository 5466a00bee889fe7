//! A run that is interrupted, or killed, and gone on with ends at the root of a run in one piece, with one row for
//! each block.

#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::{
    path::Path,
    sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
};
use thinstate_replay::{
    measure::{RecordedRun, RunStatus},
    replay::{
        BlockProgress, CheckpointError, Outcome, Progress, ReplayError, RunConfig, Silent,
        Workload, run,
    },
};

const BLOCKS: u64 = 24;

fn config(out: &Path) -> RunConfig {
    RunConfig {
        accounts: Some(3_000),
        warm_up: 3,
        blocks: Some(BLOCKS),
        threads: Some(2),
        checkpoint: Some(5),
        out: out.to_owned(),
        ..RunConfig::default()
    }
}

/// Interrupts after some blocks.
struct StopsAfter<'a> {
    blocks: u64,
    seen: AtomicU64,
    stop: &'a AtomicBool,
}

impl Progress for StopsAfter<'_> {
    fn stage(&self, _: &str, _: u64, _: u64) {}
    fn note(&self, _: &str) {}
    fn block(&self, _: &BlockProgress<'_>) {
        if self.seen.fetch_add(1, SeqCst) + 1 == self.blocks {
            self.stop.store(true, SeqCst);
        }
    }
}

fn whole(config: &RunConfig, resume: bool) -> Result<Outcome, ReplayError> {
    let workload = Workload::open(config)?;
    let stop = AtomicBool::new(false);
    let mut outcomes = run(config, &workload, resume, &Silent, &stop)?;
    Ok(outcomes.remove(0))
}

fn interrupted(config: &RunConfig, after: u64, resume: bool) -> Outcome {
    let stop = AtomicBool::new(false);
    let progress = StopsAfter {
        blocks: after,
        seen: AtomicU64::new(0),
        stop: &stop,
    };
    let workload = Workload::open(config).unwrap();
    let mut outcomes = run(config, &workload, resume, &progress, &stop).unwrap();
    outcomes.remove(0)
}

#[test]
fn a_resumed_run_never_differs_from_one_in_a_piece() {
    let dir = tempfile::tempdir().unwrap();
    let in_one = whole(&config(&dir.path().join("one")), false).unwrap();
    assert_eq!(in_one.result.status, RunStatus::Completed);
    assert_eq!(in_one.result.totals.blocks, BLOCKS);

    let out = dir.path().join("parts");
    let config = config(&out);
    let first = interrupted(&config, 8, false);
    assert_eq!(first.result.status, RunStatus::Interrupted);
    // With checkpoints, what is planned is still done, up to the next one.
    assert!((8 - 3..=10 - 3).contains(&first.result.totals.blocks));
    interrupted(&config, 5, true);

    let rest = whole(&config, true).unwrap();
    assert_eq!(rest.result.status, RunStatus::Completed);
    assert_eq!(rest.result.last, in_one.result.last);
    let (got, expected) = (&rest.result.totals, &in_one.result.totals);
    assert_eq!(
        (got.blocks, got.gas_used),
        (expected.blocks, expected.gas_used)
    );
    let classes = |it: &Outcome| it.result.workload.slots_touched_by_class.clone();
    assert_eq!(classes(&rest), classes(&in_one));
    assert_eq!(
        rest.result.state_after.slots,
        in_one.result.state_after.slots
    );

    let rows = |dir: &Path| RecordedRun::open(dir).unwrap().blocks().unwrap();
    let (got, expected) = (rows(&out), rows(&in_one.dir));
    assert_eq!(got.numbers, expected.numbers);
    assert_eq!(got.state_roots, expected.state_roots);
    assert_eq!(got.warm_up, expected.warm_up);
    assert!(!out.join("store").exists(), "gone with the end of the run");
}

/// As a kill leaves it: the store and the rows are ahead of the checkpoint.
#[test]
fn blocks_after_the_last_checkpoint_are_done_again() {
    let dir = tempfile::tempdir().unwrap();
    let in_one = whole(&config(&dir.path().join("one")), false).unwrap();
    let out = dir.path().join("killed");
    let config = config(&out);
    interrupted(&config, 10, false);
    let at_10 = std::fs::read(out.join("checkpoint.json")).unwrap();
    interrupted(&config, 3, true);
    std::fs::write(out.join("checkpoint.json"), at_10).unwrap();
    let rest = whole(&config, true).unwrap();
    assert_eq!(rest.result.last, in_one.result.last);
    assert_eq!(rest.result.totals.blocks, BLOCKS);
}

#[test]
fn no_other_run_is_gone_on_with() {
    let dir = tempfile::tempdir().unwrap();
    let config = config(dir.path());
    interrupted(&config, 4, false);
    let other = RunConfig {
        seed: 2,
        ..config.clone()
    };
    let error = whole(&other, true).unwrap_err();
    let ReplayError::Checkpoint(CheckpointError::Config { name, .. }) = &error else {
        panic!("{error}");
    };
    assert_eq!(name, "seed");
    assert_eq!(
        whole(&config, true).unwrap().result.status,
        RunStatus::Completed
    );
    assert!(matches!(
        whole(&config, true),
        Err(ReplayError::Checkpoint(CheckpointError::Missing { .. }))
    ));
}
