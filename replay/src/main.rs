//! The `thinstate` program.

use clap::Parser as _;
use std::{
    io::{Write as _, stderr},
    process::ExitCode,
};
use thinstate_replay::cli;

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
