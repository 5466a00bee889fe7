//! `thinstate device` as a user runs it, to its end or not.

#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

use assert_cmd::Command;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::{
    fs,
    io::{BufRead as _, BufReader},
    os::unix::process::ExitStatusExt as _,
    path::Path,
    process::{self, ExitStatus, Stdio},
};
use thinstate_replay::measure::DeviceProfile;

const THINSTATE: &str = env!("CARGO_BIN_EXE_thinstate");

fn files(dir: &Path) -> Vec<String> {
    let names = fs::read_dir(dir).unwrap();
    names
        .map(|it| it.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[test]
fn a_whole_probe_leaves_its_profile_alone() {
    let dir = tempfile::tempdir().unwrap();
    let profile = dir.path().join("here.toml");
    let mut command = Command::new(THINSTATE);
    let command = command.args(["device", "--seconds", "1", "--size", "16M", "--json"]);
    let command = command.arg("--dir").arg(dir.path()).arg("-o").arg(&profile);
    let output = command.assert().success().get_output().clone();
    assert_eq!(files(dir.path()), ["here.toml"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let written: DeviceProfile = toml::from_str(&fs::read_to_string(profile).unwrap()).unwrap();
    assert_eq!(report["profile"], serde_json::to_value(&written).unwrap());
    assert_eq!(
        (written.source.as_str(), written.read_iops.len()),
        ("measured", 7)
    );
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(
        stderr.contains("device: random writes, 64 in flight"),
        "{stderr}"
    );
}

/// Sends a signal when the probe is in the middle of its reads.
fn interrupt(dir: &Path, signal: Signal) -> ExitStatus {
    let mut child = process::Command::new(THINSTATE)
        .args(["device", "--seconds", "20", "--size", "16M", "--dir"])
        .arg(dir)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let stderr = BufReader::new(child.stderr.take().unwrap());
    let mut lines = stderr.lines().map_while(Result::ok);
    assert!(lines.any(|line| line.contains("random reads, 1 in flight")));
    kill_process(Pid::from_child(&child), signal).unwrap();
    child.wait().unwrap()
}

#[test]
fn a_probe_that_is_interrupted_says_so() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(interrupt(dir.path(), Signal::INT).code(), Some(130));
    assert!(files(dir.path()).is_empty());
}

#[test]
fn a_probe_that_is_killed_leaves_nothing_either() {
    let dir = tempfile::tempdir().unwrap();
    let status = interrupt(dir.path(), Signal::KILL);
    assert_eq!(status.signal(), Some(Signal::KILL.as_raw()));
    assert!(files(dir.path()).is_empty());
}

#[test]
fn the_cost_of_measuring_leaves_no_folder() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = Command::new(THINSTATE);
    let command = command.args(["device", "--overhead", "--json", "--dir"]);
    let output = command
        .arg(dir.path())
        .assert()
        .success()
        .get_output()
        .clone();
    let overhead: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(overhead["probes_ns"].as_u64().unwrap() > 0, "{overhead}");
    assert!(files(dir.path()).is_empty());
    for size in ["1M", "x", "99999999T"] {
        let mut command = Command::new(THINSTATE);
        let command = command.args(["device", "--dir", ".", "--size", size]);
        command.assert().code(2);
    }
}
