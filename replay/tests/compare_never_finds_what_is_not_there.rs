//! `thinstate compare`: what is the same is the same, what is slower is found, what cannot be judged is not.

#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

#[path = "support/runs.rs"]
mod runs;

use assert_cmd::Command;
use runs::{record, record_with};
use serde_json::Value;
use std::path::Path;
use tempfile::{TempDir, tempdir};

const THINSTATE: &str = env!("CARGO_BIN_EXE_thinstate");

fn compare(a: &Path, b: &Path, options: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(THINSTATE);
    let command = command.arg("compare").arg(a).arg(b).args(options);
    let output = command.args(["--resamples", "1000"]).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr),
    )
}

fn run(blocks: u64, slowdown: f64) -> TempDir {
    let dir = tempdir().unwrap();
    record(dir.path(), blocks, slowdown);
    dir
}

#[test]
fn a_run_never_differs_from_itself() {
    let a = run(130, 1.0);
    let limits = "p99=0%,total_ns=0%,device_reads=0%,memory_bytes.p50=0%";
    let (code, stdout, stderr) = compare(a.path(), a.path(), &["--json", "--fail-on", limits]);
    assert_eq!(code, 0, "{stdout} {stderr}");
    let json: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(json["paired"], true);
    let rows = json["rows"].as_array().unwrap();
    assert!(rows.len() > 150);
    for row in rows {
        assert_eq!(row["ratio"], 1.0, "{row}");
        assert_eq!(row["interval"]["low"], 1.0, "{row}");
        assert_eq!(row["interval"]["high"], 1.0, "{row}");
    }
    for judged in json["limits"].as_array().unwrap() {
        assert_eq!(judged["verdict"], "holds");
    }
}

#[test]
fn a_slowdown_by_a_tenth_does_not_hide() {
    let (a, b) = (run(150, 1.0), run(150, 1.1));
    let (code, stdout, stderr) = compare(a.path(), b.path(), &["--fail-on", "p99=5%"]);
    assert_eq!(code, 2, "{stdout} {stderr}");
    assert!(
        stdout.contains("total_ns.p99=5%: +10.00 %: regression"),
        "{stdout}"
    );
    let (code, ..) = compare(
        a.path(),
        b.path(),
        &["--fail-on", "p99=12%,device_reads=1%"],
    );
    assert_eq!(code, 0, "within the limit");
    let (code, ..) = compare(b.path(), a.path(), &["--fail-on", "p99=5%"]);
    assert_eq!(code, 0, "faster is no regression");
}

#[test]
fn a_slowdown_within_the_noise_floor_is_no_regression() {
    let (a, b) = (run(150, 1.0), run(150, 1.1));
    let noisy = run(150, 1.15);
    let noise = noisy.path().to_str().unwrap();
    let options = ["--fail-on", "p99=5%", "--noise", noise];
    let (code, stdout, _) = compare(a.path(), b.path(), &options);
    assert_eq!(code, 0, "{stdout}");
    assert!(stdout.contains("within chance or noise"), "{stdout}");

    let stored = tempdir().unwrap();
    record_with(stored.path(), 150, 1.1, |result| {
        result.noise_floor.insert("total_ns.p99".to_owned(), 0.2);
    });
    let (code, stdout, _) = compare(a.path(), stored.path(), &["--fail-on", "p99=5%"]);
    assert_eq!(code, 0, "{stdout}");
}

#[test]
fn few_blocks_never_make_a_p99() {
    let a = run(124, 1.0);
    let (code, stdout, _) = compare(a.path(), a.path(), &["--fail-on", "p99=5%"]);
    assert_eq!(code, 2);
    assert!(
        stdout.contains("no verdict: a p99 needs 125 blocks, there are 124"),
        "{stdout}"
    );
    assert!(!stdout.contains("total_ns p99"), "{stdout}");
    let enough = run(125, 1.0);
    let (code, stdout, _) = compare(enough.path(), enough.path(), &["--fail-on", "p99=5%"]);
    assert_eq!(code, 0);
    assert!(stdout.contains("total_ns p99"), "{stdout}");
}

#[test]
fn different_workloads_are_not_compared_unless_forced() {
    let (a, b) = (run(130, 1.0), tempdir().unwrap());
    record_with(b.path(), 130, 1.0, |result| {
        result.workload.gas_multiple = 10
    });
    let (code, _, stderr) = compare(a.path(), b.path(), &[]);
    assert_eq!(code, 1);
    assert!(stderr.contains("`gas_multiple`: 1 and 10"), "{stderr}");
    let (code, stdout, _) = compare(a.path(), b.path(), &["--force"]);
    assert_eq!(code, 0);
    assert!(
        stdout.contains("note: their workloads differ in `gas_multiple`"),
        "{stdout}"
    );
    let shorter = run(126, 1.0);
    let (code, stdout, _) = compare(a.path(), shorter.path(), &["--force", "--json"]);
    assert_eq!(code, 0);
    let json: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(json["paired"], false);
}

#[test]
fn a_run_that_cannot_be_read_is_never_taken_for_a_broken_limit() {
    let (a, b) = (run(150, 1.0), run(150, 1.1));
    let limit = ["--fail-on", "p99=5%"];
    let (code, stdout, _) = compare(a.path(), b.path(), &limit);
    assert_eq!(code, 2, "{stdout}");
    assert!(stdout.contains("regression"), "{stdout}");
    std::fs::remove_file(b.path().join("result.json")).unwrap();
    let (code, stdout, stderr) = compare(a.path(), b.path(), &limit);
    assert_eq!((code, stdout.as_str()), (1, ""), "{stderr}");
}

#[test]
fn tables_are_not_too_wide_and_wrong_limits_are_wrong_command_lines() {
    let (a, b) = (run(130, 1.0), run(130, 1.1));
    let (code, stdout, _) = compare(a.path(), b.path(), &["--markdown", "--all"]);
    assert_eq!(code, 0);
    let table = stdout.lines().filter(|line| line.starts_with('|'));
    let widths: Vec<_> = table.map(|line| line.chars().count()).collect();
    assert!(
        widths.len() > 150 && widths.iter().all(|it| *it <= 80),
        "{stdout}"
    );
    for limit in ["p99", "p98=1%", "p99=x%"] {
        let (code, ..) = compare(a.path(), b.path(), &["--fail-on", limit]);
        assert_eq!(code, 2, "{limit}");
    }
    let json = a.path().join("result.json");
    let (code, ..) = compare(&json, b.path(), &[]);
    assert_eq!(code, 0, "a result.json stands for its folder");
    let (code, _, stderr) = compare(&a.path().join("none"), b.path(), &[]);
    assert_eq!(code, 1);
    assert!(stderr.contains("cannot read"), "{stderr}");
}
