//! `thinstate profile`: what blocks touch, as distributions.

mod check;
mod fit;

use crate::profile::Profile;
use std::{path::PathBuf, process::ExitCode};

/// Options of the command.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Make a profile of what the blocks of a trace touch.
    Fit(fit::Options),
    /// Generate blocks of a profile, and compare them with mainnet's numbers.
    Check(check::Options),
}

/// Runs the command.
pub(super) fn run(options: &Options) -> eyre::Result<ExitCode> {
    match &options.command {
        Command::Fit(options) => fit::run(options),
        Command::Check(options) => check::run(options),
    }
}

/// The profile of a file; mainnet's if there is none.
fn load(path: Option<&PathBuf>) -> eyre::Result<Profile> {
    match path {
        Some(path) => Ok(Profile::load(path)?),
        None => Ok(Profile::mainnet()),
    }
}
