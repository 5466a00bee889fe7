//! `thinstate classify`: which objects live in the slots of a trace.

mod eras;
mod job;
mod json;
mod logs;
mod table;

use eras::Eras;
use std::{path::PathBuf, process::ExitCode};

const AFTER_HELP: &str = "\
Recognised by: preimage or search (where the keys come from), and log (a log names this entry and \
agrees with its values), registry, learned (logs have shown what its mapping holds), earlier (the \
trace's own class, where the block's logs are not at hand), named (a log \
names it, its values move otherwise), shape (two entries moved by opposite amounts). Objects are what \
a policy can give another tier; docs/classification.md has more.";

/// Options of the command.
///
/// Each slot of each block is held against preimages (in the trace), logs (of the blocks' witnesses),
/// the registry of known layouts, and guesses from the block's addresses. What holds for a mapping in
/// one block holds in all: the trace is read twice, to learn and to classify. Slots are counted once
/// for each block that touches them.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Options {
    /// The trace.
    #[arg(value_name = "TRACE")]
    trace: PathBuf,
    /// Write the trace with classes, and with preimages that were found by search.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Witness files, or folders of them: their blocks are executed for their logs. Blocks of the trace
    /// without one are classified without logs.
    #[arg(long, value_name = "PATH")]
    blocks: Vec<PathBuf>,
    /// Known layouts, in place of those that come with the program (data/layouts.toml).
    #[arg(long, value_name = "FILE")]
    registry: Option<PathBuf>,
    /// Use no registry: logs and what they teach, alone.
    #[arg(long, conflicts_with = "registry")]
    no_registry: bool,
    /// Write what was learned, as a registry.
    #[arg(long, value_name = "FILE")]
    save_layouts: Option<PathBuf>,
    /// Entries that must have moved as logs say for a mapping to be saved.
    #[arg(long, value_name = "N", default_value_t = 2, requires = "save_layouts")]
    min_entries: u64,
    /// Read the trace once: each block is classified with what it and those before it show.
    #[arg(long)]
    forward: bool,
    /// Drop the trace's classes first. Without this, they count in blocks whose logs are not at hand: an
    /// earlier classification may have had them.
    #[arg(long)]
    forget_classes: bool,
    /// Drop the trace's preimages and classes first, as if it had been made without execution.
    #[arg(long)]
    forget_preimages: bool,
    /// Classify without preimages as well, and compare: precision and recall of the search.
    #[arg(long, conflicts_with_all = ["forget_preimages", "forward"])]
    compare_search: bool,
    /// Sum up by these years, for example 2015-2017,2022.
    #[arg(long, value_name = "YEARS", value_delimiter = ',')]
    eras: Vec<Eras>,
    /// Print every kind and method of each block as well, and a line for each block in the sums.
    #[arg(long)]
    per_block: bool,
    /// Print the figures as JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(super) fn run(options: &Options) -> eyre::Result<ExitCode> {
    let figures = job::run(options)?;
    if options.json {
        json::print(&figures)?;
    } else {
        table::print(&figures)?;
    }
    Ok(ExitCode::SUCCESS)
}
