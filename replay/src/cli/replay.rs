//! `thinstate replay`: a workload on a design of state, measured.

mod flags;
mod metrics;
mod plan;
pub(super) mod progress;
mod run;
mod summary;

use std::process::ExitCode;

/// Options of the command.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Print the settings, resolved, and what a run would do.
    Plan(plan::Options),
    /// Run, and leave a result.
    Run(run::Options),
}

/// Runs the command.
pub(super) fn run(options: &Options) -> eyre::Result<ExitCode> {
    match &options.command {
        Command::Plan(options) => plan::run(options),
        Command::Run(options) => run::run(options),
    }
}
