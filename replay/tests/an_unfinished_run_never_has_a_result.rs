//! A folder of results is whole, or does not look so.

#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

#[path = "support/runs.rs"]
mod runs;

use runs::{WARM_UP, cost, record, result};
use std::fs;
use thinstate_replay::measure::{METRICS, ReadError, RecordError, RecordedRun, Recorder};

#[test]
fn a_run_that_was_killed_leaves_no_result() {
    let dir = tempfile::tempdir().unwrap();
    record(dir.path(), 20, 1.0);
    assert!(dir.path().join("result.json").exists());
    let mut recorder = Recorder::create(dir.path()).unwrap();
    recorder.add(&cost(0, 1.0)).unwrap();
    // As a kill does: nothing is flushed, nothing is dropped.
    std::mem::forget(recorder);
    assert!(!dir.path().join("result.json").exists());
    assert!(!dir.path().join("SHA256SUMS").exists());
    let opened = RecordedRun::open(dir.path());
    assert!(matches!(opened, Err(ReadError::NoResult { .. })));
}

#[test]
fn a_run_that_goes_on_has_the_distributions_of_one_that_never_stopped() {
    let (dir, whole) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    record(whole.path(), 200, 1.0);
    let mut first = Recorder::create(dir.path()).unwrap();
    for number in 0..80 {
        first.add(&cost(number, 1.0)).unwrap();
    }
    first.flush().unwrap();
    let rows = first.rows();
    // Past the checkpoint, and torn within a row.
    first.add(&cost(80, 1.0)).unwrap();
    drop(first);
    let csv = dir.path().join("blocks.csv");
    let torn = fs::read_to_string(&csv).unwrap() + "81,0,17,";
    fs::write(&csv, torn).unwrap();

    let mut second = Recorder::resume_at(dir.path(), rows).unwrap();
    assert_eq!(second.rows(), 80);
    for number in 80..200 + WARM_UP {
        second.add(&cost(number, 1.0)).unwrap();
    }
    let made = result(&second, 200);
    second.finish(&made).unwrap();
    let files = ["blocks.csv", "SHA256SUMS", "histograms/total_ns.hlog"];
    for file in files {
        let read = |dir: &tempfile::TempDir| fs::read_to_string(dir.path().join(file)).unwrap();
        assert!(read(&dir) == read(&whole), "{file} differs");
    }
    let (a, b) = (
        RecordedRun::open(dir.path()),
        RecordedRun::open(whole.path()),
    );
    assert_eq!(a.unwrap().result, b.unwrap().result);
}

#[test]
fn all_whole_rows_count_where_there_was_no_checkpoint() {
    let dir = tempfile::tempdir().unwrap();
    let mut first = Recorder::create(dir.path()).unwrap();
    for number in 0..30 {
        first.add(&cost(number, 1.0)).unwrap();
    }
    let before = first.distributions();
    first.flush().unwrap();
    drop(first);
    let csv = dir.path().join("blocks.csv");
    let torn = fs::read_to_string(&csv).unwrap() + "30,0";
    fs::write(&csv, torn).unwrap();
    let second = Recorder::resume(dir.path()).unwrap();
    assert_eq!((second.rows(), second.distributions()), (30, before));
    drop(second);
    let missing = Recorder::resume_at(dir.path(), 31).unwrap_err();
    let RecordError::RowsMissing { expected, got, .. } = missing else {
        panic!("{missing}");
    };
    assert_eq!((expected, got), (31, 30));
}

#[test]
fn folders_of_others_and_folders_in_use_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("precious"), "mine").unwrap();
    let refused = Recorder::create(dir.path());
    assert!(matches!(refused, Err(RecordError::NotOurs { .. })));
    let none = Recorder::resume(dir.path());
    assert!(matches!(none, Err(RecordError::NothingToResume { .. })));
    assert_eq!(
        fs::read_to_string(dir.path().join("precious")).unwrap(),
        "mine"
    );

    let own = dir.path().join("own");
    let first = Recorder::create(&own).unwrap();
    let refused = Recorder::create(&own);
    assert!(matches!(refused, Err(RecordError::InUse { .. })));
    drop(first);
    // What a run keeps beside its results stays.
    fs::write(own.join("checkpoint"), "kept").unwrap();
    drop(Recorder::create(&own).unwrap());
    assert!(own.join("checkpoint").exists());
}

#[test]
fn every_metric_has_a_column_a_distribution_and_a_log() {
    let dir = tempfile::tempdir().unwrap();
    record(dir.path(), 12, 1.0);
    let run = RecordedRun::open(dir.path()).unwrap();
    let blocks = run.blocks().unwrap();
    assert_eq!((blocks.len(), blocks.counted_numbers().len()), (17, 12));
    for metric in METRICS {
        let values = blocks.counted(metric.name).unwrap();
        let expected: Vec<_> = (WARM_UP..17)
            .map(|it| (metric.of)(&cost(it, 1.0)))
            .collect();
        assert_eq!(values, expected, "{}", metric.name);
        let distribution = run.result.metrics[metric.name];
        assert_eq!(distribution.max, *expected.iter().max().unwrap());
        assert_eq!(distribution.p99, distribution.max);
        let log = dir.path().join(format!("histograms/{}.hlog", metric.name));
        assert!(fs::read_to_string(log).unwrap().contains("HIST"));
    }
}
