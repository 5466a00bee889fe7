//! `thinstate trace`: real blocks to a trace, or what a trace holds.

mod dump;
mod files;
mod info;
mod progress;
mod write;

use std::{path::PathBuf, process::ExitCode};
use thinstate_formats::BlockNumber;

/// Options of the command.
///
/// Writing: each block is executed on a store that holds its witness, and everything that its header
/// commits to is checked. At the first block that does not hold the command ends, and leaves no
/// trace.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Witness files, or folders of them.
    #[arg(value_name = "PATH", required_unless_present_any = ["info", "dump"])]
    paths: Vec<PathBuf>,
    /// Where the trace goes. A trace that is there is replaced once the new one is whole.
    #[arg(long, short, value_name = "FILE", required_unless_present_any = ["info", "dump"])]
    output: Option<PathBuf>,
    /// Remove what an interrupted command has left of the same trace (FILE.partial).
    #[arg(long, requires = "output")]
    force: bool,
    /// Folder for the blocks' stores, one at a time; the system's temporary one if not given.
    #[arg(long, value_name = "DIR", requires = "output")]
    work_dir: Option<PathBuf>,
    /// Threads for reading and hashing; one for each core if not given.
    #[arg(long, value_name = "N", requires = "output")]
    threads: Option<usize>,
    /// Describe a trace: every block is read and counted.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["paths", "output", "dump"])]
    info: Option<PathBuf>,
    /// Print the accesses of one block, one JSON object a line.
    #[arg(long, value_name = "FILE", requires = "block", conflicts_with_all = ["paths", "output"])]
    dump: Option<PathBuf>,
    /// The block to print.
    #[arg(long, value_name = "NUMBER", requires = "dump")]
    block: Option<u64>,
    /// Print the trace's figures as JSON, also after writing one.
    #[arg(long, conflicts_with = "dump")]
    json: bool,
}

/// Runs the command.
pub(super) fn run(options: &Options) -> eyre::Result<ExitCode> {
    if let Some(path) = &options.info {
        return info::run(path, options.json);
    }
    if let (Some(path), Some(number)) = (&options.dump, options.block) {
        return dump::run(path, BlockNumber(number));
    }
    match &options.output {
        Some(output) => write::run(options, output),
        None => eyre::bail!("no FILE to write the trace to (-o)"),
    }
}
