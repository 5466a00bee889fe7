//! `thinstate ... | head`: a reader that has read enough changes nothing but what is read. Commands do what they
//! do beside printing, end with the exit status that they have, and say nothing of a pipe.

#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

#[path = "support/runs.rs"]
mod runs;

use std::{
    io,
    path::Path,
    process::{Command, Output, Stdio},
};

const THINSTATE: &str = env!("CARGO_BIN_EXE_thinstate");

/// A pipe that nobody reads.
fn closed() -> Stdio {
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    writer.into()
}

/// Runs a command whose stdout nobody reads.
fn unread(dir: &Path, args: &str) -> Output {
    let mut command = Command::new(THINSTATE);
    command.args(args.split_whitespace()).current_dir(dir);
    command.stdout(closed()).output().unwrap()
}

/// Checks that it ended with this status, and what it had to say.
fn assert_quiet(dir: &Path, args: &str, status: i32) -> String {
    let output = unread(dir, args);
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(status), "{args}: {text}");
    for word in ["pipe", "panicked", "error"] {
        assert!(!text.to_lowercase().contains(word), "{args}: {text}");
    }
    text
}

fn ok(dir: &Path, args: &str) {
    let mut command = Command::new(THINSTATE);
    command.args(args.split_whitespace()).current_dir(dir);
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args}: {text}");
    assert!(!output.stdout.is_empty(), "{args}: prints something at all");
}

#[test]
fn no_command_that_prints_fails_when_nobody_reads() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    for (name, slowdown) in [("a", 1.0), ("b", 2.0)] {
        runs::record(&dir.join(name), 200, slowdown);
    }
    ok(
        dir,
        "trace --generate mainnet --accounts 50000 --blocks 1:+40 -o t.trace --json",
    );
    ok(dir, "store init --datadir store --accounts 500 --quiet");
    let commands = [
        "completions bash",
        "man",
        "replay plan",
        "compare a b --force",
        "compare a b --force --json",
        "report a --markdown - -o report.html",
        "trace --info t.trace",
        "trace --info t.trace --json",
        "trace --dump t.trace --block 1",
        "classify t.trace",
        "classify t.trace --json",
        "profile fit t.trace",
        "store stats --datadir store",
        "store stats --datadir store --json",
        "store verify --datadir store",
    ];
    for args in commands {
        ok(dir, args);
        assert_quiet(dir, args, 0);
    }
}

#[test]
fn no_work_is_left_undone_when_nobody_reads() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let study = "name = 's'\ndesigns = ['mpt']\naccounts = [1000]\nmultiples = [1]\n\
        [run]\nblocks = 3\nblocks-min = 1\nwarm-up = 0\n";
    std::fs::write(dir.join("s.toml"), study).unwrap();
    assert_quiet(dir, "study s.toml --out study --quiet", 0);
    for file in ["study.json", "report.html", "report.md"] {
        assert!(dir.join("study").join(file).exists(), "{file}");
    }
    let run = "replay run --accounts 1000 --blocks 3 --warm-up 0 --quiet --out run";
    assert_quiet(dir, run, 0);
    assert!(dir.join("run/result.json").exists());
    assert_quiet(
        dir,
        "trace --generate mainnet --accounts 1000 --blocks 1:+3 -o t.trace --json",
        0,
    );
    assert!(dir.join("t.trace").exists());
    assert_quiet(dir, "classify t.trace -o c.trace", 0);
    assert!(dir.join("c.trace").exists());
}

#[test]
fn no_verdict_is_lost_when_nobody_reads() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    for (name, slowdown) in [("a", 1.0), ("b", 2.0)] {
        runs::record(&dir.join(name), 200, slowdown);
    }
    assert_quiet(dir, "compare a b --force --fail-on mean=5%", 2);
    // So few accounts cannot have the popularity of many.
    assert_quiet(dir, "profile check --accounts 20000 --blocks 20", 1);
}

/// `thinstate ... 2>&1 | head`.
#[test]
fn no_status_that_nobody_reads_ends_a_run() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = Command::new(THINSTATE);
    let args = "replay run --accounts 1000 --blocks 3 --warm-up 0 --out run";
    command
        .args(args.split_whitespace())
        .current_dir(dir.path());
    let status = command.stdout(closed()).stderr(closed()).status().unwrap();
    assert_eq!(status.code(), Some(0));
    assert!(dir.path().join("run/result.json").exists());
    // An error is told by the exit status alone then, and is no panic.
    let mut command = Command::new(THINSTATE);
    command.args(["trace", "--info", "missing.trace"]);
    let status = command.stdout(closed()).stderr(closed()).status().unwrap();
    assert_eq!(status.code(), Some(1));
}
