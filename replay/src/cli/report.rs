//! `thinstate report`: results to one HTML file, or to Markdown.

use super::stdio::Out;
use crate::report::{Data, html, markdown, sections, write};
use eyre::WrapErr as _;
use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Options of the command.
///
/// A study's folder gives everything that the study holds; folders of single runs stand beside each other by
/// design and state size. The HTML file needs nothing beside it: it opens from disk, without network, in light and
/// dark, and prints.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Folders of a study or of runs, or result.json files.
    #[arg(value_name = "RUN", required = true)]
    paths: Vec<PathBuf>,
    /// Where the HTML file goes [default: report.html in the first folder].
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write Markdown to this file, too; `-` for stdout.
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// The title; the study's name if not given.
    #[arg(long)]
    title: Option<String>,
}

/// Runs the command.
pub(super) fn run(options: &Options) -> eyre::Result<ExitCode> {
    let data = Data::open(&options.paths)?;
    let title = options.title.as_ref().unwrap_or(&data.title);
    let sections = sections(&data);
    let output = match &options.output {
        Some(output) => output.clone(),
        None => beside(&options.paths),
    };
    write(&output, html(title, &sections).as_bytes())
        .wrap_err_with(|| format!("cannot write {}", output.display()))?;
    status!("{}", output.display());
    match &options.markdown {
        None => {}
        Some(path) if path.as_os_str() == "-" => {
            Out.write_all(markdown(title, &sections).as_bytes())?;
        }
        Some(path) => {
            write(path, markdown(title, &sections).as_bytes())
                .wrap_err_with(|| format!("cannot write {}", path.display()))?;
            status!("{}", path.display());
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The default name, in the first folder.
fn beside(paths: &[PathBuf]) -> PathBuf {
    let first = paths
        .first()
        .map_or_else(|| Path::new("."), PathBuf::as_path);
    let folder = match first.is_dir() {
        true => first,
        false => first.parent().unwrap_or_else(|| Path::new(".")),
    };
    folder.join("report.html")
}
