//! A run that is to end once its p99 cannot fit the slot ends then, says so, and is taken for whole by a study.

#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::{path::Path, sync::atomic::AtomicBool};
use thinstate_replay::{
    measure::{Decided, RecordedRun, RunResult, RunStatus},
    replay::{RunConfig, Silent, Workload, run},
    study::{self, Replayed, StudyResult, StudySpec, StudyStatus},
};

const WARM_UP: u64 = 3;
/// Nothing fits a slot of a microsecond, and everything one of a day.
const SHORT_S: f64 = 1e-6;
const LONG_S: f64 = 86_400.0;

fn replayed(out: &Path, change: impl FnOnce(&mut RunConfig)) -> RunResult {
    let mut config = RunConfig {
        accounts: Some(2_000),
        warm_up: WARM_UP,
        blocks: Some(30),
        threads: Some(2),
        slot: SHORT_S,
        end_when_unfit: true,
        out: out.to_owned(),
        ..RunConfig::default()
    };
    change(&mut config);
    let workload = Workload::open(&config).unwrap();
    let stop = AtomicBool::new(false);
    run(&config, &workload, false, &Silent, &stop).unwrap();
    RecordedRun::open(out).unwrap().result
}

/// Blocks that are measured, of so many that are planned.
fn assert_decided(result: &RunResult, out: &Path, blocks: u64, blocks_planned: u64) {
    assert_eq!(result.status, RunStatus::Decided);
    let decided = Decided {
        blocks,
        blocks_planned,
        blocks_over_slot: blocks,
    };
    assert_eq!(result.decided, Some(decided));
    assert_eq!(result.totals.blocks, blocks);
    assert_eq!(result.metrics["total_ns"].count, blocks);
    let rows = RecordedRun::open(out).unwrap().blocks().unwrap();
    assert_eq!(rows.len() as u64, WARM_UP + blocks);
    assert!(!out.join("store").exists(), "nothing to go on with");
    assert!(!out.join("checkpoint.json").exists());
}

#[test]
fn no_block_is_run_that_cannot_change_the_answer() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path();
    for no_overlap in [false, true] {
        let result = replayed(out, |it| it.no_overlap = no_overlap);
        assert_decided(&result, out, 2, 30);
    }
    // p99 of 200 bears two, and not three.
    let result = replayed(out, |it| it.blocks = Some(200));
    assert_decided(&result, out, 3, 200);
    let result = replayed(out, |it| it.checkpoint = Some(2));
    assert_decided(&result, out, 2, 30);
}

#[test]
fn no_run_ends_early_that_fits_or_was_not_told_to() {
    let dir = tempfile::tempdir().unwrap();
    let fits = replayed(dir.path(), |it| it.slot = LONG_S);
    let whole = replayed(dir.path(), |it| it.end_when_unfit = false);
    for result in [fits, whole] {
        assert_eq!(result.status, RunStatus::Completed);
        assert_eq!((result.totals.blocks, result.decided), (30, None));
    }
}

fn study(dir: &Path, fields: &str) -> StudyResult {
    let text = format!(
        "name = 'short'\ndesigns = ['mpt', 'utxo']\naccounts = [2000]\nmultiples = [1]\n\
         slot-s = {SHORT_S}\n[run]\nblocks = 30\nwarm-up = {WARM_UP}\n{fields}"
    );
    let spec = StudySpec::parse(&text).unwrap();
    let mut runner = Replayed {
        dir: dir.to_owned(),
        cache: None,
        device: None,
        progress: &Silent,
        stop: &AtomicBool::new(false),
    };
    study::run(&spec, dir, &[], &mut runner).unwrap()
}

#[test]
fn no_study_runs_more_blocks_than_its_answer_takes() {
    let dir = tempfile::tempdir().unwrap();
    let first = study(dir.path(), "");
    assert_eq!(first.status, StudyStatus::Completed);
    let mut began = Vec::new();
    for cell in &first.cells {
        let run = &cell.runs[0];
        assert!(!run.fits);
        assert_eq!((run.blocks, run.blocks_planned), (2, Some(30)));
        assert_eq!(run.point.blocks, 2, "what the model is told");
        assert_eq!(cell.largest.first_unfit, Some(1));
        let out = dir.path().join(&run.dir);
        let result = RecordedRun::open(&out).unwrap().result;
        assert_decided(&result, &out, 2, 30);
        began.push((out, result));
    }
    assert_eq!(began.len(), 2);
    // Nothing of it is repeated.
    let again = study(dir.path(), "");
    assert_eq!(again.cells, first.cells);
    for (out, result) in began {
        assert_eq!(RecordedRun::open(&out).unwrap().result, result);
    }
}

#[test]
fn no_study_of_whole_runs_ends_one_early() {
    let dir = tempfile::tempdir().unwrap();
    for cell in study(dir.path(), "whole = true\n").cells {
        assert_eq!(
            (cell.runs[0].blocks, cell.runs[0].blocks_planned),
            (30, None)
        );
    }
}
