//! `thinstate store init` that is killed, or interrupted, goes on where it stopped when it is run again: with the same
//! store in the end, in its folder and in the cache. Another init does not go on with it.

#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]
#![cfg(unix)]

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::Duration,
};

const THINSTATE: &str = env!("CARGO_BIN_EXE_thinstate");
const POLL: Duration = Duration::from_millis(1);
/// Times that a step is looked for: a minute.
const POLLS: u32 = 60_000;
/// Fills that may be over before the signal comes.
const ATTEMPTS: u32 = 10;
/// Some two million entries, in steps of a twentieth.
const STATE: &str = "--accounts 400000 --step-entries 100000";

fn init(datadir: &Path, more: &str) -> Command {
    let mut command = Command::new(THINSTATE);
    command.args(["store", "init", "--json", "--quiet", "--datadir"]);
    command.arg(datadir).args(more.split_whitespace());
    command
}

/// Runs it to its end: what it said.
fn run(datadir: &Path, more: &str) -> Value {
    let output = init(datadir, more).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{more}: {text}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Whether the store has taken over what three steps have written.
fn has_steps(store: &Path) -> bool {
    // Codes have 21 MB of pages, a step 6.5 MB, of which one step's may not be taken over yet.
    let pages = fs::metadata(store.join("pages")).map_or(0, |it| it.len());
    let entries = fs::read_dir(store).into_iter().flatten();
    let names = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let tables = names.filter(|it| it.extension().is_some_and(|it| it == "sst"));
    // Codes, and slots and accounts of three steps.
    pages > 60_000_000 || tables.count() >= 7
}

/// Begins, and sends the signal once some steps are done, which show in the store under `at`. Where the fill was over by
/// then, what it made goes, in `datadir` and `cache`, and it begins again.
fn interrupt(
    datadir: &Path,
    cache: Option<&Path>,
    more: &str,
    signal: Signal,
    at: impl Fn() -> PathBuf,
) {
    for _ in 0..ATTEMPTS {
        if is_interrupted(datadir, more, signal, &at) {
            return;
        }
        for made in [Some(datadir), cache].into_iter().flatten() {
            fs::remove_dir_all(made).unwrap();
        }
    }
    panic!("{ATTEMPTS} fills ended before the signal came");
}

fn is_interrupted(datadir: &Path, more: &str, signal: Signal, at: &impl Fn() -> PathBuf) -> bool {
    let mut child = init(datadir, more)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    for _ in 0..POLLS {
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        if has_steps(&at()) {
            kill_process(Pid::from_child(&child), signal).unwrap();
            return !child.wait().unwrap().success();
        }
        thread::sleep(POLL);
    }
    panic!("no step was done");
}

/// At least three steps, but the last may not have been noted.
fn assert_kept(filled: &Value, expected: &Value) {
    assert_eq!(filled["head"], expected["head"]);
    let kept = filled["accounts_kept"].as_u64().unwrap();
    assert!((30_000..400_000).contains(&kept), "{kept}");
}

#[test]
fn no_step_is_done_twice() {
    let dir = tempfile::tempdir().unwrap();
    let whole = run(&dir.path().join("whole"), STATE);
    assert_eq!(whole["accounts_kept"], 0);
    // Not SIGINT, which is ignored in what a shell runs in the background.
    for (kind, signal) in [
        ("page", Signal::KILL),
        ("page", Signal::TERM),
        ("rocksdb", Signal::KILL),
        ("rocksdb", Signal::TERM),
    ] {
        let store = dir.path().join(format!("{kind}-{signal:?}"));
        let state = format!("{STATE} --store {kind}");
        interrupt(&store, None, &state, signal, || store.clone());
        let mut stats = Command::new(THINSTATE);
        let stats = stats
            .args(["store", "stats", "--datadir"])
            .arg(&store)
            .output();
        let text = String::from_utf8(stats.unwrap().stderr).unwrap();
        assert!(text.contains("was interrupted"), "{text}");
        assert_kept(&run(&store, &state), &whole);
        let mut verify = Command::new(THINSTATE);
        let verify = verify
            .args(["store", "verify", "--datadir"])
            .arg(&store)
            .output();
        assert!(verify.unwrap().status.success());
    }
}

#[test]
fn no_step_in_the_cache_is_done_twice() {
    let dir = tempfile::tempdir().unwrap();
    let cache = dir.path().join("cache");
    let more = format!("{STATE} --cache {}", cache.display());
    let partial = || {
        let entries = fs::read_dir(&cache).into_iter().flatten();
        let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
        let mut partial = paths.filter(|it| it.extension().is_some_and(|it| it == "partial"));
        partial.next().unwrap_or_default().join("store")
    };
    let first = dir.path().join("a");
    interrupt(&first, Some(&cache), &more, Signal::KILL, partial);
    let whole = run(&dir.path().join("whole"), STATE);
    assert_kept(&run(&dir.path().join("b"), &more), &whole);
    // Whole now, and no build any more.
    let cached = run(&dir.path().join("c"), &more);
    assert_eq!(cached["cached"], true);
    assert_eq!(cached["head"], whole["head"]);
}

#[test]
fn no_other_state_is_gone_on_with() {
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("store");
    interrupt(&store, None, STATE, Signal::KILL, || store.clone());
    let other = "--accounts 3000 --seed 4";
    let filled = run(&store, other);
    assert_eq!(filled["accounts_kept"], 0);
    let expected = run(&dir.path().join("other"), other);
    assert_eq!(filled["head"], expected["head"]);
}
