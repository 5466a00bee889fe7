//! `thinstate replay run` that is told to stop by Ctrl-C ends with a result that says so, and goes on from
//! there to the root of a run that nobody stopped.

#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]
#![cfg(unix)]

use rustix::process::{Pid, Signal, kill_process};
use std::{
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};
use thinstate_replay::measure::{RecordedRun, RunResult, RunStatus};

const THINSTATE: &str = env!("CARGO_BIN_EXE_thinstate");
const BLOCKS: u64 = 120;
/// A slot each 20 ms, so that a run takes long enough to be stopped.
const OPEN_LOOP: [&str; 5] = ["--open-loop", "--slot", "2", "--speed-up", "100"];
const POLL: Duration = Duration::from_millis(5);
/// Times that a checkpoint is looked for: a minute.
const POLLS: u32 = 12_000;

fn replay(design: &str, out: &Path) -> Command {
    let mut command = Command::new(THINSTATE);
    command
        .args(["replay", "run", "--quiet", "--accounts", "3000"])
        .args(["--warm-up", "2", "--threads", "2", "--checkpoint", "10"])
        .args(["--blocks", &BLOCKS.to_string(), "--design", design, "--out"])
        .arg(out)
        .stdout(Stdio::null());
    command
}

/// Sends SIGINT once the run has left a checkpoint.
fn interrupt(run: &Child, out: &Path) {
    let checkpoint = out.join("checkpoint.json");
    let there = (0..POLLS).any(|_| {
        thread::sleep(POLL);
        checkpoint.exists()
    });
    assert!(there, "no checkpoint");
    kill_process(Pid::from_child(run), Signal::INT).unwrap();
}

fn result(out: &Path) -> RunResult {
    RecordedRun::open(out).unwrap().result
}

fn check(design: &str) {
    let dir = tempfile::tempdir().unwrap();
    let [whole, parts] = ["whole", "parts"].map(|it| dir.path().join(it));
    assert!(replay(design, &whole).status().unwrap().success());
    let expected = result(&whole);

    let mut run = replay(design, &parts).args(OPEN_LOOP).spawn().unwrap();
    interrupt(&run, &parts);
    assert_eq!(run.wait().unwrap().code(), Some(130));
    let got = result(&parts);
    assert_eq!(got.status, RunStatus::Interrupted);
    assert!((1..BLOCKS).contains(&got.totals.blocks), "{:?}", got.totals);
    assert!(parts.join("store").is_dir(), "what it goes on with");

    let mut rest = replay(design, &parts);
    let status = rest.args(OPEN_LOOP).arg("--resume").status().unwrap();
    assert_eq!(status.code(), Some(0));
    let got = result(&parts);
    assert_eq!(got.status, RunStatus::Completed);
    assert_eq!(got.totals.blocks, BLOCKS);
    assert_eq!(got.last, expected.last);
    assert_eq!(got.workload.loop_kind, "open");
    assert!(!parts.join("store").exists());
}

#[test]
fn an_interrupted_run_of_one_trie_never_loses_its_result() {
    check("mpt");
}

#[test]
fn an_interrupted_run_of_all_tiers_never_loses_its_result() {
    check("layered");
}
