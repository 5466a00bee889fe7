//! `thinstate demo` as a user runs it.

#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

use assert_cmd::Command;
use serde_json::Value;
use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{self, Stdio},
};

const THINSTATE: &str = env!("CARGO_BIN_EXE_thinstate");
const ROOT_OF_REPOSITORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
const GENESIS_ROOT: &str = "0xd7f8974fb5ac78d9ac099b9ad5018bedc2ce0a72dad1827a1709da30580f0544";

fn demo(out: &Path) -> Command {
    let mut command = Command::new(THINSTATE);
    command
        .current_dir(ROOT_OF_REPOSITORY)
        .args(["demo", "--out"])
        .arg(out);
    command
}

fn result_of(out: &Path) -> Value {
    serde_json::from_slice(&fs::read(out.join("result.json")).unwrap()).unwrap()
}

#[test]
fn the_demo_does_not_fail_and_leaves_no_file_out() {
    let out = tempfile::tempdir().unwrap();
    let done = demo(out.path()).args(["--blocks", "3"]).assert().success();
    let stdout = String::from_utf8(done.get_output().stdout.clone()).unwrap();
    assert!(stdout.contains(GENESIS_ROOT), "{stdout}");
    assert!(stdout.contains("all holds"), "{stdout}");
    for line in stdout.lines().filter(|line| !line.starts_with("files ")) {
        assert!(line.chars().count() <= 80, "too wide: {line}");
    }

    let json = result_of(out.path());
    assert_eq!(json["schema"], "thinstate.demo.v1");
    assert_eq!(json["status"], "completed");
    assert_eq!(json["config"]["blocks"], 3);
    assert_eq!(json["genesis"]["state_root"], GENESIS_ROOT);
    let blocks = json["blocks"]["roots_confirmed"].as_u64().unwrap();

    let csv = fs::read_to_string(out.path().join("blocks.csv")).unwrap();
    let mut rows = csv.lines().map(|row| row.split(',').collect::<Vec<_>>());
    let header = rows.next().unwrap();
    assert_eq!(header[0], "block_number");
    let rows: Vec<_> = rows.collect();
    assert_eq!(rows.len() as u64, blocks);
    assert!(rows.iter().all(|row| row.len() == header.len()));
    assert_eq!(
        rows.last().unwrap().last().unwrap(),
        &json["state"]["state_root"]
    );
}

#[test]
fn a_second_demo_in_the_same_folder_does_not_see_the_first() {
    let out = tempfile::tempdir().unwrap();
    let mut roots = Vec::new();
    for _ in 0..2 {
        let run = demo(out.path()).args(["--blocks", "1", "--quiet"]).assert();
        let output = run.success().get_output().clone();
        assert!(output.stderr.is_empty(), "--quiet");
        roots.push(result_of(out.path())["state"]["state_root"].clone());
    }
    assert_eq!(roots[0], roots[1], "the same seed, from genesis both times");
}

#[test]
fn a_store_of_others_is_not_removed() {
    let out = tempfile::tempdir().unwrap();
    fs::create_dir(out.path().join("store")).unwrap();
    fs::write(out.path().join("store/CURRENT"), "mine").unwrap();
    let refused = demo(out.path()).assert().code(1);
    let stderr = String::from_utf8(refused.get_output().stderr.clone()).unwrap();
    assert!(stderr.contains("not made by an earlier demo"), "{stderr}");
    assert!(out.path().join("store/CURRENT").exists());
}

#[test]
fn a_missing_file_is_named() {
    let out = tempfile::tempdir().unwrap();
    for option in ["--genesis", "--profile"] {
        let refused = demo(out.path()).args([option, "no/such/file"]).assert();
        let output = refused.code(1).get_output().clone();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(stderr.contains("no/such/file"), "{stderr}");
        assert!(stderr.contains("No such file"), "{stderr}");
    }
}

#[test]
fn control_c_does_not_lose_the_result() {
    let out = tempfile::tempdir().unwrap();
    let mut child = process::Command::new(THINSTATE)
        .current_dir(ROOT_OF_REPOSITORY)
        .args(["demo", "--blocks", "1000000", "--out"])
        .arg(out.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let stderr = BufReader::new(child.stderr.take().unwrap());
    let mut stages = stderr.lines().map(Result::unwrap);
    assert!(stages.any(|line| line == "demo: blocks"), "blocks begin");
    let pid = child.id().to_string();
    let kill = process::Command::new("kill").args(["-INT", &pid]).status();
    assert!(kill.unwrap().success());
    stages.for_each(drop);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert_eq!(result_of(out.path())["status"], "interrupted");
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(stdout.contains("interrupted"), "{stdout}");
}
