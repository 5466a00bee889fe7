//! The command line: one file for each subcommand, each with its `Options` and its `run`.
//!
//! Data goes to files and to stdout, status to stderr. Exit status: 0 all holds, 1 something does
//! not or an error occurred, 2 the command line is wrong, 130 interrupted.

mod demo;
mod shell;
mod store;
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
    Trace(trace::Options),
    /// Look into a store: sizes, full verification, proofs, export; resurrect.
    Store(store::Options),
    /// Build mainnet's genesis state, execute generated blocks on it, and check every root.
    Demo(demo::Options),
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
        Command::Completions(options) => shell::completions(&options),
        Command::Man(options) => shell::man(&options),
    }
}
