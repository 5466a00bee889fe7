//! `thinstate-compare`: the project's workloads on other stores.

mod cli;

use clap::Parser as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    match cli::Cli::parse().run() {
        Ok(status) => status,
        Err(error) => {
            eprintln!("thinstate-compare: {error:#}");
            ExitCode::FAILURE
        }
    }
}
