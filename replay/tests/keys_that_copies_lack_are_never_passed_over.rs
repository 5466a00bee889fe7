//! Copies of users over a state that is too small for them: how many keys they lack is in the result, and in the summary.

#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

use assert_cmd::Command;
use std::path::Path;
use thinstate_replay::measure::{RecordedRun, RunResult};

/// Two slots, the first to warm up, of so many copies over 3,000 accounts.
fn replayed(out: &Path, copies: &str) -> (RunResult, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_thinstate"));
    command.args(["replay", "run", "--design", "mpt", "--accounts", "3000"]);
    command.args(["--blocks", "1", "--warm-up", "1", "--threads", "2"]);
    command.args(["--amplify", "clone", "--scale", copies, "--out"]);
    let run = command.arg(out).assert().success();
    let printed = String::from_utf8(run.get_output().stdout.clone()).unwrap();
    let errors = String::from_utf8(run.get_output().stderr.clone()).unwrap();
    let result = RecordedRun::open(out).unwrap().result;
    (result, printed + &errors)
}

#[test]
fn no_lack_of_keys_is_passed_over_and_none_is_made_up() {
    let dir = tempfile::tempdir().unwrap();
    let (enough, printed) = replayed(&dir.path().join("enough"), "2");
    assert_eq!(enough.workload.deviation("keys_lacking"), None);
    assert!(!printed.contains("not in the state"), "{printed}");
    let (few, printed) = replayed(&dir.path().join("few"), "200");
    let lacking = few.workload.deviation("keys_lacking").unwrap();
    assert!(lacking.got > 0.0 && lacking.target == 0.0, "{lacking:?}");
    let note = format!("{} keys (", lacking.got);
    assert!(printed.contains(&note), "{printed}");
    assert!(printed.contains("not in the state"), "{printed}");
}
