//! The command line: one file for each subcommand, each with its `Options` and its `run`.
//!
//! Data goes to files and to stdout, status to stderr. Exit status: 0 all holds, 1 something does
//! not or an error occurred, 2 the command line is wrong, 130 interrupted. `compare` has 2 for a broken limit too, so
//! that 1 is an error there.

/// Prints a line of status to stderr. Where nobody reads that any more it goes nowhere, where `eprintln` panics.
macro_rules! status {
    ($($line:tt)*) => { $crate::cli::stdio::status(format_args!($($line)*)) };
}

mod classify;
mod compare;
mod demo;
mod device;
mod interrupt;
mod profile;
mod replay;
mod report;
mod shell;
mod stdio;
mod store;
mod study;
mod trace;
mod verify;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// A layered Ethereum state store, and the harness that measures it.
#[derive(Debug, Parser)]
#[command(name = "thinstate", version, about, max_term_width = 80)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Execute real blocks through the store, and check that they end at their own state roots.
    Verify(verify::Options),
    /// Write the state accesses of blocks to a trace, or describe one.
    Trace(Box<trace::Options>),
    /// Make a store, or look into one: sizes, verification, proofs, export; resurrect.
    Store(store::Options),
    /// Build mainnet's genesis state, execute generated blocks on it, and check every root.
    Demo(demo::Options),
    /// Replay a workload on a design of state, and measure it.
    Replay(Box<replay::Options>),
    /// Fit a profile to a trace, or check what it generates against mainnet.
    Profile(profile::Options),
    /// Say which objects live in the slots of a trace, and how they were recognised.
    Classify(classify::Options),
    /// Probe what the block device under a folder can do.
    Device(device::Options),
    /// Compare two runs: ratios with confidence intervals.
    Compare(compare::Options),
    /// Run a study: designs, state sizes, gas multiples.
    Study(study::Options),
    /// Write a report of runs and studies.
    Report(report::Options),
    /// Print completions for a shell.
    Completions(shell::CompletionsOptions),
    /// Print the manual page, or write the pages of all commands.
    Man(shell::ManOptions),
}

/// Runs a command.
pub fn run(cli: Cli) -> eyre::Result<ExitCode> {
    match cli.command {
        Command::Verify(options) => verify::run(&options),
        Command::Trace(options) => trace::run(&options),
        Command::Store(options) => store::run(&options),
        Command::Demo(options) => demo::run(&options),
        Command::Replay(options) => replay::run(&options),
        Command::Profile(options) => profile::run(&options),
        Command::Classify(options) => classify::run(&options),
        Command::Device(options) => device::run(&options),
        Command::Compare(options) => compare::run(&options),
        Command::Study(options) => study::run(&options),
        Command::Report(options) => report::run(&options),
        Command::Completions(options) => shell::completions(&options),
        Command::Man(options) => shell::man(&options),
    }
}
