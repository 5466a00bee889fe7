//! Processes of their own: each store's memory and I/O are then its own.
//!
//! A child is told on standard input what to do, after it was moved into its control group where it has one, and answers on
//! standard output.

use super::{INTERRUPTED, replay};
use core::sync::atomic::{AtomicBool, Ordering::SeqCst};
use eyre::{OptionExt as _, WrapErr as _, bail};
use std::{
    io::{self, Write as _},
    process::{Child, Command, ExitCode, ExitStatus, Output, Stdio},
};
use thinstate_compare::{limit::Group, phases};

/// What a child does.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(super) enum Task {
    /// A replay, which leaves its result in a folder.
    Replay(Box<replay::Task>),
    /// A phase of a comparison, whose result is the answer.
    Phase(phases::Task),
}

/// Does what standard input says.
pub(super) fn serve(stop: &AtomicBool) -> eyre::Result<ExitCode> {
    let task: Task = serde_json::from_reader(io::stdin().lock())?;
    match task {
        Task::Replay(task) => task.run(stop),
        Task::Phase(task) => match task.run(stop) {
            Ok(found) => {
                serde_json::to_writer(io::stdout().lock(), &found)?;
                Ok(ExitCode::SUCCESS)
            }
            Err(error) if error.is_interrupted() => Ok(ExitCode::from(INTERRUPTED)),
            Err(error) => Err(error.into()),
        },
    }
}

/// Has a child do it, and waits for its answer.
pub(super) fn ask(task: &Task, group: Option<&Group>) -> eyre::Result<String> {
    let program = std::env::current_exe().wrap_err("cannot tell which program this is")?;
    let mut child = Command::new(program)
        .arg("child")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .wrap_err("cannot start a process for a store")?;
    if let Err(error) = tell(&mut child, task, group) {
        // It waits for what it will not be told, or has ended already.
        let _ = child.kill();
        let _ = child.wait();
        return Err(error);
    }
    let Output { status, stdout, .. } = child.wait_with_output()?;
    if !status.success() {
        bail!(ended(status, group));
    }
    String::from_utf8(stdout).wrap_err("a process answered with what is no text")
}

fn tell(child: &mut Child, task: &Task, group: Option<&Group>) -> eyre::Result<()> {
    if let Some(group) = group {
        group.add(child.id())?;
    }
    let mut stdin = child.stdin.take().ok_or_eyre("it has no standard input")?;
    let task = serde_json::to_vec(task)?;
    let told = stdin.write_all(&task);
    told.wrap_err("cannot tell a process what to do")
}

/// How a child ended that did not do what it was told.
fn ended(status: ExitStatus, group: Option<&Group>) -> String {
    match group.map_or(0, Group::killed) {
        0 if status.code() == Some(INTERRUPTED.into()) => "interrupted".to_owned(),
        0 => format!("its process ended with {status}; what it said is above"),
        killed => format!("its process ended with {status}; the limit of memory killed {killed}"),
    }
}

/// Runs each of these, one after the other, until somebody asks for an end. What fails is named, and the others still run.
pub(super) fn each<T>(
    names: impl IntoIterator<Item = T>,
    stop: &AtomicBool,
    mut run: impl FnMut(&T) -> eyre::Result<()>,
) -> ExitCode
where
    T: AsRef<str>,
{
    let mut failed = false;
    for name in names {
        if stop.load(SeqCst) {
            break;
        }
        if let Err(error) = run(&name) {
            eprintln!("{}: failed: {error:#}", name.as_ref());
            failed = true;
        }
    }
    match (stop.load(SeqCst), failed) {
        (true, _) => ExitCode::from(INTERRUPTED),
        (false, true) => ExitCode::FAILURE,
        (false, false) => ExitCode::SUCCESS,
    }
}
