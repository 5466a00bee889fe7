//! The `thinstate` program.

use clap::Parser as _;
use std::process::ExitCode;
use thinstate_replay::cli;

fn main() -> ExitCode {
    match cli::run(cli::Cli::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
