//! `thinstate compare`.

use std::process::ExitCode;

/// Options of the command.
#[derive(Debug, clap::Args)]
pub(super) struct Options {}

/// Runs the command.
pub(super) fn run(_options: &Options) -> eyre::Result<ExitCode> {
    eyre::bail!("not built yet")
}
