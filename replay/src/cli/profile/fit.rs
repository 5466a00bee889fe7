//! A profile of a trace.

use crate::{
    cli::stdio::Out,
    inspect::export::PartialFile,
    load::BlockLoad,
    profile::{Fitted, fit},
    trace::TraceReader,
};
use std::{io::Write as _, path::PathBuf, process::ExitCode};

/// Options of the command.
///
/// Counts per block, classes, shares of absence and sizes of code are taken from the trace; what a trace of
/// its length cannot show is taken from another profile, and said.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// The trace: see `thinstate trace`.
    #[arg(value_name = "TRACE")]
    trace: PathBuf,
    /// Where the profile goes; stdout if not given.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The profile for what the trace cannot show; mainnet's, which is built in, if not given.
    #[arg(long, value_name = "PROFILE")]
    base: Option<PathBuf>,
    /// Name of the profile; the numbers of the first and last block if not given.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Leave out the blocks below this one.
    #[arg(long, value_name = "NUMBER")]
    from: Option<u64>,
    /// Blocks in a day, for locality; mainnet's 7,200 if not given.
    #[arg(long, value_name = "BLOCKS")]
    blocks_per_day: Option<f64>,
}

pub(super) fn run(options: &Options) -> eyre::Result<ExitCode> {
    let base = super::load(options.base.as_ref())?;
    let reader = TraceReader::open(&options.trace)?;
    let mut failed = None;
    let loads = reader
        .blocks_from(options.from.unwrap_or_default().into())
        .map(|block| -> eyre::Result<BlockLoad> { Ok(BlockLoad::collapse(&block?)?) })
        .map_while(|load| load.map_err(|error| failed = Some(error)).ok());
    let fitted = fit(loads, &base, options.blocks_per_day);
    if let Some(error) = failed {
        return Err(error);
    }
    let mut fitted = fitted?;
    if let Some(name) = &options.name {
        fitted.profile.name.clone_from(name);
    }
    status!("fitted to {} blocks", fitted.blocks);
    for (key, why) in &fitted.from_base {
        status!("from {}: {key} ({why})", base.name);
    }
    let text = text(&fitted, &base.name);
    match &options.output {
        None => Out.write_all(text.as_bytes())?,
        Some(path) => {
            let mut file = PartialFile::create(path)?;
            file.write_all(text.as_bytes())?;
            file.finish()?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The file: what is not of the trace stands at its head.
fn text(fitted: &Fitted, base: &str) -> String {
    let mut text = format!(
        "# Made by `thinstate profile fit` of {} blocks. From {base}, because the blocks do not show it:\n#\n",
        fitted.blocks
    );
    for (key, why) in &fitted.from_base {
        text += &format!("#   {key}: {why}\n");
    }
    text += "\n";
    text += &fitted.profile.to_toml();
    text
}
