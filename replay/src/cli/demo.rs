//! `thinstate demo`.

mod progress;

use super::{
    interrupt::{INTERRUPTED, stop_on_ctrl_c},
    stdio::Out,
};
use crate::demo::{self, Config, Status};
use clap::ValueHint;
use core::sync::atomic::Ordering::SeqCst;
use std::{io::Write as _, path::PathBuf, process::ExitCode};
use thinstate_engine::leaf_store::StoreKind;

/// Options of the command.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Without options it is run from the root of the repository.

Files in the folder of --out: blocks.csv (one row for each block), result.json
(all the rest, written last) and store/ (removed by the next demo).

The first Ctrl-C ends it after the block at hand, with a result of status
`interrupted`; the second at once. Exit status: 0 all holds, 1 not so, 130
interrupted.")]
pub(super) struct Options {
    /// Mainnet's genesis: JSON in one zstd frame.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    #[arg(default_value = "data/mainnet-genesis.json.zst")]
    genesis: PathBuf,
    /// What the blocks are made of.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    #[arg(default_value = "data/profiles/demo.toml")]
    profile: PathBuf,
    /// Blocks after those of the setup [default: the profile's].
    #[arg(long, value_name = "N")]
    blocks: Option<u64>,
    /// Seed of all that is drawn [default: the profile's].
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// The leaf store, `rocksdb` or `page`.
    #[arg(long, value_name = "STORE", default_value_t)]
    store: StoreKind,
    /// Folder for the results.
    #[arg(long, value_name = "DIR", default_value = "out/demo", value_hint = ValueHint::DirPath)]
    out: PathBuf,
    /// Verify the real blocks in this folder afterwards.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    mainnet: Option<PathBuf>,
    /// Say nothing on stderr but errors.
    #[arg(short, long)]
    quiet: bool,
}

/// Runs the command.
pub(super) fn run(options: &Options) -> eyre::Result<ExitCode> {
    let stop = stop_on_ctrl_c()?;
    let config = Config {
        genesis: options.genesis.clone(),
        profile: options.profile.clone(),
        blocks: options.blocks,
        seed: options.seed,
        store: options.store,
        out: options.out.clone(),
    };
    let mut progress = progress::for_stderr(options.quiet);
    let result = demo::run(&config, progress.as_mut(), &stop)?;
    drop(progress);
    Out.write_all(demo::render(&result).as_bytes())?;
    match (result.status, &options.mainnet) {
        (Status::Interrupted, _) => Ok(ExitCode::from(INTERRUPTED)),
        (Status::Failed, _) => Ok(ExitCode::FAILURE),
        (Status::Completed, None) => Ok(ExitCode::SUCCESS),
        (Status::Completed, Some(folder)) => {
            // There is nothing more to wind up: the next Ctrl-C is to end the process.
            stop.store(true, SeqCst);
            verify_real_blocks(folder)
        }
    }
}

/// Real blocks after the generated ones: those of the folder, or of `witness` in it.
fn verify_real_blocks(folder: &std::path::Path) -> eyre::Result<ExitCode> {
    let inner = folder.join("witness");
    let folder = if inner.is_dir() { &inner } else { folder };
    writeln!(Out, "\nReal blocks in {}\n", folder.display())?;
    super::verify::run_paths(&[folder.to_owned()])
}
