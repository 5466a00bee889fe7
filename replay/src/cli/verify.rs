//! `thinstate verify`: real blocks through the store.

mod blocks;
mod chain;
mod output;

use eyre::{WrapErr as _, bail};
use std::{path::PathBuf, process::ExitCode};
use thinstate_engine::leaf_store::StoreKind;

/// Options of `thinstate verify`.
///
/// Witness files: each block gets a new store that holds its witness, and nothing else. With
/// `--era1`: all blocks in one store, from genesis.
#[derive(Debug, Default, clap::Args)]
pub(super) struct Options {
    /// Witness files, or folders of them.
    #[arg(value_name = "PATH", required_unless_present = "era1")]
    pub(super) paths: Vec<PathBuf>,
    /// Genesis file (`genesis.json`, also with .zst) that the era1 files begin with.
    #[arg(long, value_name = "FILE", requires = "era1")]
    genesis: Option<PathBuf>,
    /// Era1 files in order, the first one beginning with block 0.
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with = "paths", requires = "genesis")]
    era1: Vec<PathBuf>,
    /// Folder for the stores: a temporary one, removed at the end, if not given. With --era1 the
    /// store in it is kept, and gone on with.
    #[arg(long, value_name = "DIR")]
    datadir: Option<PathBuf>,
    /// Where a collapse needs a sibling that the witness lacks, take it for a branch.
    #[arg(long)]
    assume_branch_siblings: bool,
    /// Write all block reports to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// The leaf store, `rocksdb` or `page`: what --datadir holds if not given, or `page`.
    #[arg(long, value_name = "STORE")]
    store: Option<StoreKind>,
    /// Threads for reading and hashing; one for each core if not given.
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// Do not print a line for each block.
    #[arg(long, short)]
    quiet: bool,
}

/// Runs the command.
pub(super) fn run(options: &Options) -> eyre::Result<ExitCode> {
    if options.era1.is_empty() {
        blocks::run(options)
    } else {
        chain::run(options)
    }
}

/// Verifies the witnesses in some files and folders. Siblings that they lack are taken for
/// branches, which is said of each, and the roots have to come out all the same.
pub(super) fn run_paths(paths: &[PathBuf]) -> eyre::Result<ExitCode> {
    run(&Options {
        paths: paths.to_vec(),
        assume_branch_siblings: true,
        ..Options::default()
    })
}

/// Parameters of the stores.
fn store_options(options: &Options) -> thinstate_engine::Options {
    thinstate_engine::Options {
        threads: options.threads,
        ..thinstate_engine::Options::default()
    }
}

/// The folder for stores, and whether it goes at the end.
enum WorkDir {
    Kept(PathBuf),
    Temporary(tempfile::TempDir),
}

impl WorkDir {
    fn new(given: Option<&PathBuf>) -> eyre::Result<Self> {
        match given {
            Some(dir) => {
                std::fs::create_dir_all(dir).wrap_err_with(|| dir.display().to_string())?;
                Ok(Self::Kept(dir.clone()))
            }
            None => match tempfile::Builder::new().prefix("thinstate-").tempdir() {
                Ok(dir) => Ok(Self::Temporary(dir)),
                Err(error) => bail!("no temporary folder: {error}; give one with --datadir"),
            },
        }
    }

    fn path(&self) -> &std::path::Path {
        match self {
            Self::Kept(dir) => dir,
            Self::Temporary(dir) => dir.path(),
        }
    }
}
