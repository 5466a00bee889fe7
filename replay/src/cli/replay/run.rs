//! `thinstate replay run`.

use super::{flags::Flags, metrics::Exported, progress, summary};
use crate::{
    cli::{
        interrupt::{INTERRUPTED, stop_on_ctrl_c},
        stdio::Out,
    },
    measure::RunStatus,
    replay::{self, RunConfig, Workload},
};
use clap::ValueHint;
use core::sync::atomic::AtomicBool;
use std::{
    io::Write as _,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Options of the command.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Files in the folder of --out: blocks.csv (one row for each slot), histograms/,
SHA256SUMS and result.json, which is written last; see docs/results.md. The
store lies in store/ while the run goes.

The first Ctrl-C ends it after the slot at hand, with a result of status
`interrupted`; the second at once. Exit status: 0 all holds, 1 not so (a root that
differs, an error), 130 interrupted.")]
pub(super) struct Options {
    #[command(flatten)]
    flags: Flags,
    /// Go on with the run in the folder of --out, from its last checkpoint.
    #[arg(long)]
    resume: bool,
    /// Replay each block of the trace on its own witness, of which this folder
    /// has a file: roots have to be the headers'.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    #[arg(conflicts_with = "resume")]
    witness: Option<PathBuf>,
    /// Serve figures to Prometheus while it runs; see etc/prometheus.
    #[arg(long, value_name = "IP:PORT")]
    metrics_addr: Option<SocketAddr>,
    /// Say nothing on stderr but errors.
    #[arg(short, long)]
    quiet: bool,
}

/// Runs the command.
pub(super) fn run(options: &Options) -> eyre::Result<ExitCode> {
    let config = options.flags.resolve()?;
    let stop = stop_on_ctrl_c()?;
    let progress = progress::for_stderr(options.quiet);
    if let Some(folder) = &options.witness {
        return witnesses(&config, folder, &*progress, &stop);
    }
    let workload = Workload::open(&config)?;
    let exported = match options.metrics_addr {
        Some(address) => Some(Exported::serve(address, &config, &*progress)?),
        None => None,
    };
    let told: &dyn replay::Progress = match &exported {
        Some(exported) => exported,
        None => &*progress,
    };
    let outcomes = replay::run(&config, &workload, options.resume, told, &stop)?;
    drop(exported);
    drop(progress);
    for outcome in &outcomes {
        writeln!(Out, "{}", summary::of(outcome))?;
    }
    let interrupted = |it: &replay::Outcome| it.result.status == RunStatus::Interrupted;
    Ok(match outcomes.iter().any(interrupted) {
        true => ExitCode::from(INTERRUPTED),
        false => ExitCode::SUCCESS,
    })
}

fn witnesses(
    config: &RunConfig,
    folder: &Path,
    progress: &dyn replay::Progress,
    stop: &AtomicBool,
) -> eyre::Result<ExitCode> {
    let report = replay::replay_witnesses(config, folder, progress, stop)?;
    writeln!(Out, "{} blocks end at their headers' roots", report.agreed)?;
    for (number, node) in &report.unknown {
        writeln!(Out, "block {number}: no root: {node}")?;
    }
    Ok(match report.completed {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(INTERRUPTED),
    })
}
