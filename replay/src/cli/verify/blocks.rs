//! Blocks with witnesses, each in a store of its own.

use super::{
    Options, WorkDir,
    output::{Output, Tally},
    store_options,
};
use crate::{
    exec::ChainSpec,
    source::witness,
    verify::{SingleOptions, verify_witness},
};
use eyre::{WrapErr as _, bail};
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

pub(super) fn run(options: &Options) -> eyre::Result<ExitCode> {
    let files = find(&options.paths)?;
    let dir = WorkDir::new(options.datadir.as_ref())?;
    let spec = ChainSpec::mainnet();
    let single = SingleOptions {
        assume_branch_siblings: options.assume_branch_siblings,
        leaves: options.store.unwrap_or_default(),
        store: store_options(options),
    };
    let mut output = Output::new(options.quiet);
    for file in &files {
        let store = dir.path().join(store_name(file));
        remove(&store)?;
        match verify_witness(file, &store, &spec, &single) {
            Ok(report) => output.block(report)?,
            Err(error) => output.failure(file, eyre::Report::new(error))?,
        }
        remove(&store)?;
    }
    output.summary(files.len())?;
    if let Some(path) = &options.json {
        output.write_json(path)?;
    }
    Ok(match output.tally() {
        Tally::AllHold => ExitCode::SUCCESS,
        Tally::NotAll => ExitCode::FAILURE,
    })
}

fn find(paths: &[PathBuf]) -> eyre::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in paths {
        let found = witness::find(path)?;
        if found.is_empty() {
            bail!(
                "{}: no witness files (N.json, N.witness.json, also .zst)",
                path.display()
            );
        }
        files.extend(found);
    }
    Ok(files)
}

/// A name for the store of a file's block: nothing else in the folder is touched.
fn store_name(file: &Path) -> String {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    format!("store-{name}")
}

fn remove(store: &Path) -> eyre::Result<()> {
    match std::fs::remove_dir_all(store) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).wrap_err_with(|| store.display().to_string())
        }
        _ => Ok(()),
    }
}
