//! `thinstate-compare`: the project's workloads on other stores.

mod cli;

use clap::Parser as _;
use std::process::ExitCode;

/// That of `thinstate`, for all stores.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match cli::Cli::parse().run() {
        Ok(status) => status,
        Err(error) => {
            eprintln!("thinstate-compare: {error:#}");
            ExitCode::FAILURE
        }
    }
}
