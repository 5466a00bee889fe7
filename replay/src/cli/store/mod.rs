//! `thinstate store`: makes stores, and looks into those that exist; one command changes the state of one.

mod export;
mod init;
mod init_progress;
mod object;
mod prove;
mod resurrect;
mod stats;
pub(super) mod table;
mod verify;

use crate::{
    cli::stdio::Out,
    inspect::datadir::{self, DatadirError, OpenStore},
};
use serde::Serialize;
use std::{
    io::{self, Write as _},
    path::PathBuf,
    process::ExitCode,
};
use thinstate_engine::{Head, PermanentTier, Store, leaf_store::DiskStore};

/// Options of the command.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Make a store and fill it with a state of mainnet's shape.
    ///
    /// Accounts, slots and codes are drawn from a seed: sizes of contracts, lengths of values and the blocks in
    /// which each was last written follow mainnet's. The same spec gives the same root on any machine. An
    /// interrupted run leaves no store that opens; the same command again goes on with it.
    Init(init::Options),
    /// Print the head block, and what the store takes on disk and in memory.
    Stats(stats::Options),
    /// Compute every root again from the leaves; exit status 1 if one differs.
    Verify(verify::Options),
    /// Print a proof of an account and its slots, of an object, or of a record.
    Prove(Box<prove::Options>),
    /// Resurrect a sealed object in a block of its own. CHANGES THE STORE.
    ///
    /// The block follows the head and is committed. It has no header: its hash is made from the
    /// parent's and from what it does. The proof is that of `thinstate store prove`, of this store or
    /// another, or else comes from this store's archive. A second time is refused, with exit status 1.
    Resurrect(Box<resurrect::Options>),
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
    /// Opens the store, which must exist, with the tiers that it has.
    fn open_all(&self) -> Result<OpenStore, DatadirError> {
        datadir::open_all(&self.datadir, Self::tier_options())
    }

    /// Opens the store, which must exist and have all tiers.
    fn open_tiers(&self) -> Result<Store<DiskStore>, DatadirError> {
        datadir::open_tiers(&self.datadir, Self::tier_options())
    }

    /// Opens the permanent tier of the store, which must exist.
    fn open(&self) -> Result<PermanentTier<DiskStore>, DatadirError> {
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
        Command::Init(options) => init::run(options),
        Command::Stats(options) => stats::run(options),
        Command::Verify(options) => verify::run(options),
        Command::Prove(options) => prove::run(options),
        Command::Resurrect(options) => resurrect::run(options),
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

/// Prints a text to stdout.
fn print(text: &str) -> io::Result<()> {
    Out.write_all(text.as_bytes())?;
    Out.flush()
}

/// Prints a value to stdout, as indented JSON.
fn print_json(value: &impl Serialize) -> eyre::Result<()> {
    let json = serde_json::to_string_pretty(value)?;
    Ok(print(&format!("{json}\n"))?)
}
