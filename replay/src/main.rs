//! The `thinstate` program.

use clap::Parser as _;
use std::{
    io::{Write as _, stderr},
    process::ExitCode,
};
use thinstate_replay::cli;

/// A block of 10,000 changes makes and drops some 100,000 pieces of memory, many on other threads than those
/// that made them (`docs/adr/0018-subtrees-as-tasks.md`).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match cli::run(cli::Cli::parse()) {
        Ok(code) => code,
        Err(error) => {
            // Where nobody reads it, the exit status says it.
            let _ = writeln!(stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
