//! Two processes never write results into one folder: the second ends, and names the folder; once the first is
//! gone, however that went, the folder can be used again.

#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::{
    fs,
    path::Path,
    process::{Child, Command, Output, Stdio},
    thread,
    time::Duration,
};

const THINSTATE: &str = env!("CARGO_BIN_EXE_thinstate");
const POLL: Duration = Duration::from_millis(5);
/// Times that a file is looked for: a minute.
const POLLS: u32 = 12_000;
/// A study that nobody waits for the end of.
const LONG: &str = "name = 'long'\ndesigns = ['mpt']\naccounts = [2000]\nmultiples = [1]\n\
    [run]\nblocks = 1000000\nseconds = 1e9\nwarm-up = 0\n";

/// Ends the process with the test, whichever way that ends.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        // It may have ended by itself, which the test then says.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn begin(mut command: Command, until: &Path) -> Killed {
    let command = command.stdout(Stdio::null()).stderr(Stdio::null());
    let child = Killed(command.spawn().unwrap());
    let there = (0..POLLS).any(|_| {
        thread::sleep(POLL);
        until.exists()
    });
    assert!(there, "{}", until.display());
    child
}

/// Checks that it was refused with these words, and what it named.
fn assert_refused(output: &Output, folder: &Path, words: &str) {
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains(words), "{text}");
    assert!(text.contains(folder.to_str().unwrap()), "{text}");
}

#[test]
fn no_two_studies_write_into_one_folder() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("study");
    let study = |text: &str| {
        let file = dir.path().join("study.toml");
        fs::write(&file, text).unwrap();
        let mut command = Command::new(THINSTATE);
        command
            .args(["study", "--quiet", "--out"])
            .arg(&out)
            .arg(file);
        command
    };
    let first = begin(study(LONG), &out.join("runs/mpt/2000/x1/blocks.csv"));
    let before = fs::read(out.join("study.json")).unwrap();
    let second = study(LONG).output().unwrap();
    assert_refused(&second, &out, "another study is writing into it");
    assert_eq!(fs::read(out.join("study.json")).unwrap(), before);
    drop(first);
    // Past the lock: what is refused now is what is to be done.
    let other = study(&LONG.replace("[run]", "seed = 2\n[run]")).output();
    assert_refused(&other.unwrap(), &out, "holds another study");
}

#[test]
fn no_two_runs_write_into_one_folder() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("run");
    let replay = |blocks: &str| {
        let mut command = Command::new(THINSTATE);
        command
            .args(["replay", "run", "--quiet", "--accounts", "2000"])
            .args(["--warm-up", "0", "--blocks", blocks, "--out"])
            .arg(&out);
        command
    };
    let first = begin(replay("1000000"), &out.join("store/pages"));
    let second = replay("2").output().unwrap();
    assert_refused(&second, &out, "another run is using it");
    assert!(!out.join("result.json").exists(), "the first is at work");
    drop(first);
    assert!(replay("2").output().unwrap().status.success());
    assert!(out.join("result.json").exists());
}
