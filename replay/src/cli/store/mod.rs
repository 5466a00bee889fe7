//! `thinstate store`: looks into a store that exists, and changes nothing in its state.

mod export;
mod prove;
mod stats;
mod table;
mod verify;

use crate::inspect::datadir::{self, DatadirError};
use serde::Serialize;
use std::{
    io::{self, Write as _},
    path::PathBuf,
    process::ExitCode,
};
use thinstate_engine::{Head, PermanentTier, leaf_store::RocksStore};

/// Options of the command.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Print the head block, and what the store takes on disk and in memory.
    Stats(stats::Options),
    /// Compute every root again from the leaves; exit status 1 if one differs.
    Verify(verify::Options),
    /// Print a proof of an account and its slots, as eth_getProof answers.
    Prove(prove::Options),
    /// Write all accounts and slots, by the hashes of their keys.
    Export(export::Options),
}

/// Which store.
#[derive(Debug, clap::Args)]
struct Datadir {
    /// Folder of the store.
    #[arg(long, value_name = "DIR")]
    datadir: PathBuf,
}

impl Datadir {
    /// Opens the store, which must exist.
    fn open(&self) -> Result<PermanentTier<RocksStore>, DatadirError> {
        datadir::open(&self.datadir, Self::tier_options())
    }

    /// How the tier is opened.
    fn tier_options() -> thinstate_engine::Options {
        thinstate_engine::Options::default()
    }
}

/// Runs the command.
pub(super) fn run(options: &Options) -> eyre::Result<ExitCode> {
    match &options.command {
        Command::Stats(options) => stats::run(options),
        Command::Verify(options) => verify::run(options),
        Command::Prove(options) => prove::run(options),
        Command::Export(options) => export::run(options),
    }
}

/// The head as three lines of at most 80 columns.
fn describe_head(head: &Head) -> String {
    let block = match head.block {
        None => "none\n".to_owned(),
        Some(block) => format!("{}\nhash    {}\n", block.number, block.hash),
    };
    format!(
        "block   {block}root    {}\ncommit  {}\n",
        head.root, head.commit
    )
}

/// Prints a text to stdout. A reader that has closed the pipe has read enough.
fn print(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    unless_closed(
        stdout
            .write_all(text.as_bytes())
            .and_then(|()| stdout.flush()),
    )
}

/// Prints a value to stdout, as indented JSON.
fn print_json(value: &impl Serialize) -> eyre::Result<()> {
    let json = serde_json::to_string_pretty(value)?;
    Ok(print(&format!("{json}\n"))?)
}

fn unless_closed(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}
