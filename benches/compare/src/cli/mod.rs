//! The command line: one file for each kind of subcommand.
//!
//! Data goes to files and to stdout, status to stderr. Exit status: 0 all holds, 1 something failed, 2 the command line is
//! wrong, 130 interrupted.

mod children;
mod count;
mod list;
mod peers;
mod replay;

use clap::{Parser, Subcommand};
use core::sync::atomic::{AtomicBool, Ordering::SeqCst};
use eyre::WrapErr as _;
use std::{
    process::{ExitCode, exit},
    sync::Arc,
};

/// The exit status of what was interrupted.
const INTERRUPTED: u8 = 130;

/// Other stores beside thinstate's: key-value workloads, transfers, and the
/// workloads of `thinstate replay`.
#[derive(Debug, Parser)]
#[command(name = "thinstate-compare", max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print the stores of this build, and what each does and does not.
    List,
    /// Run blocks of key-value updates and of transfers on every store, and print
    /// tables.
    Peers(Box<peers::Flags>),
    /// Replay generated blocks of accounts and slots on mpt, flat-lthash and every
    /// store, and print a table.
    Replay(Box<replay::AllFlags>),
    /// Replay them on one store, and leave a result as `thinstate replay run` does.
    Run(Box<replay::OneFlags>),
    /// Run what standard input says: a process of another subcommand.
    #[command(hide = true)]
    Child,
}

impl Cli {
    pub(crate) fn run(self) -> eyre::Result<ExitCode> {
        let stop = stop_on_ctrl_c()?;
        match self.command {
            Command::List => list::run(),
            Command::Peers(flags) => flags.run(&stop),
            Command::Replay(flags) => flags.run(&stop),
            Command::Run(flags) => flags.run(&stop),
            Command::Child => children::serve(&stop),
        }
    }
}

/// A flag that the first Ctrl-C sets; the second ends the process.
fn stop_on_ctrl_c() -> eyre::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    let handler = move || {
        if flag.swap(true, SeqCst) {
            exit(INTERRUPTED.into());
        }
    };
    ctrlc::set_handler(handler).wrap_err("cannot listen for Ctrl-C")?;
    Ok(stop)
}
