//! Tests that run in a process of their own: the test binary runs one of its ignored tests.

use std::{env, path::PathBuf, process::Command};

/// Where the child finds its store.
pub const FOLDER: &str = "THINSTATE_TEST_FOLDER";

/// A process that runs the ignored test of this name.
pub fn command(test: &str) -> Command {
    let mut command = Command::new(env::current_exe().expect("a test has a path"));
    command.args(["--exact", test, "--ignored", "--nocapture"]);
    command
}

/// The same, run by a shell after `setup`, and the shell by `launcher`.
pub fn through_shell(launcher: &[&str], setup: &str, test: &str) -> Command {
    let script = format!("{setup} && exec \"$0\" --exact {test} --ignored --nocapture");
    let mut command = Command::new(launcher[0]);
    command
        .args(&launcher[1..])
        .args(["sh", "-c", &script])
        .arg(env::current_exe().expect("a test has a path"));
    command
}

/// The folder given to this process; `None` where nobody runs it as a child.
pub fn folder() -> Option<PathBuf> {
    env::var_os(FOLDER).map(PathBuf::from)
}
