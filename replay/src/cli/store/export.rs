//! `thinstate store export`.

use super::{Datadir, describe_head, table::count};
use crate::inspect::export::{
    CsvFolder, ExportError, Exported, Exporter, JsonLines, PartialFile, export,
};
use eyre::WrapErr as _;
use indicatif::{ProgressBar, ProgressStyle};
use std::{
    io::{self, BufWriter, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Instant,
};
use thinstate_engine::{View, leaf_store::DiskStore};

/// Options of the command.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    #[command(flatten)]
    datadir: Datadir,
    /// JSON lines, or CSV files.
    #[arg(
        long,
        value_enum,
        value_name = "jsonl|csv",
        default_value_t,
        hide_possible_values = true
    )]
    format: Format,
    /// File for JSON lines (else stdout), folder for CSV.
    #[arg(short, long, value_name = "FILE|DIR", required_if_eq("format", "csv"))]
    output: Option<PathBuf>,
    /// Add the length of each code (a read for each).
    #[arg(long)]
    code: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    #[default]
    Jsonl,
    Csv,
}

/// Entries between two looks at the progress.
const PROGRESS_EVERY: u64 = 4096;

/// Runs the command.
pub(super) fn run(options: &Options) -> eyre::Result<ExitCode> {
    let started = Instant::now();
    let tier = options.datadir.open()?;
    let view = tier.view();
    eprint!("{}", describe_head(view.head()));
    let exported = match (options.format, &options.output) {
        (Format::Jsonl, None) => to_stdout(&view, options.code)?,
        (Format::Jsonl, Some(file)) => Some(to_file(&view, options.code, file)?),
        (Format::Csv, Some(folder)) => Some(to_folder(&view, options.code, folder)?),
        (Format::Csv, None) => eyre::bail!("CSV needs a folder: give one with --output"),
    };
    match exported {
        None => status!("stopped: the reader has closed the pipe"),
        Some(exported) => status!(
            "exported {} accounts, {} slots and {} stubs in {:.1} s",
            count(exported.accounts),
            count(exported.slots),
            count(exported.stubs),
            started.elapsed().as_secs_f64()
        ),
    }
    Ok(ExitCode::SUCCESS)
}

/// `None` where the reader closed the pipe before the end.
fn to_stdout(view: &View<'_, DiskStore>, code: bool) -> eyre::Result<Option<Exported>> {
    let mut lines = JsonLines(BufWriter::with_capacity(1 << 16, io::stdout().lock()));
    let exported = with_progress(view, code, &mut lines).and_then(|exported| {
        lines.0.flush()?;
        Ok(exported)
    });
    match exported {
        Err(ExportError::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(None),
        exported => Ok(Some(exported?)),
    }
}

fn to_file(view: &View<'_, DiskStore>, code: bool, path: &Path) -> eyre::Result<Exported> {
    let mut lines = JsonLines(PartialFile::create(path)?);
    let exported = with_progress(view, code, &mut lines)?;
    lines.0.finish()?;
    Ok(exported)
}

fn to_folder(view: &View<'_, DiskStore>, code: bool, path: &Path) -> eyre::Result<Exported> {
    let mut folder = CsvFolder::create(path, code)
        .wrap_err_with(|| format!("cannot write to the folder {}", path.display()))?;
    let exported = with_progress(view, code, &mut folder)?;
    folder.finish()?;
    Ok(exported)
}

/// Exports, with a live line on stderr where that is a terminal.
fn with_progress(
    view: &View<'_, DiskStore>,
    code: bool,
    to: &mut dyn Exporter,
) -> Result<Exported, ExportError> {
    let head = view.head();
    let bar = ProgressBar::new(head.accounts + head.slots + head.stubs);
    if let Ok(style) = ProgressStyle::with_template("{wide_bar} {pos}/{len} entries, {eta} left") {
        bar.set_style(style);
    }
    let exported = export(view, code, to, &mut |exported| {
        if exported.entries().is_multiple_of(PROGRESS_EVERY) {
            bar.set_position(exported.entries());
        }
    });
    bar.finish_and_clear();
    exported
}
