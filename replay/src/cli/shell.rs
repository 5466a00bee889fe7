//! `thinstate completions` and `thinstate man`.

use super::{Cli, stdio::Out};
use clap::CommandFactory as _;
use eyre::WrapErr as _;
use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Options of `completions`.
#[derive(Debug, clap::Args)]
pub(super) struct CompletionsOptions {
    /// The shell.
    shell: clap_complete::Shell,
}

/// Options of `man`.
#[derive(Debug, clap::Args)]
pub(super) struct ManOptions {
    /// Write a page for each command into DIR instead.
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
}

/// Prints completions.
pub(super) fn completions(options: &CompletionsOptions) -> eyre::Result<ExitCode> {
    // Into memory first: the generator panics where it cannot write.
    let mut script = Vec::new();
    clap_complete::generate(options.shell, &mut Cli::command(), "thinstate", &mut script);
    Out.write_all(&script)?;
    Ok(ExitCode::SUCCESS)
}

/// Prints the manual page, or writes the pages of all commands.
pub(super) fn man(options: &ManOptions) -> eyre::Result<ExitCode> {
    match &options.output {
        None => clap_mangen::Man::new(Cli::command()).render(&mut Out)?,
        Some(folder) => write_pages(folder)
            .wrap_err_with(|| format!("cannot write the pages to {}", folder.display()))?,
    }
    Ok(ExitCode::SUCCESS)
}

/// `thinstate.1`, `thinstate-verify.1`, `thinstate-store-stats.1` and so on.
fn write_pages(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    clap_mangen::generate_to(Cli::command().disable_help_subcommand(true), folder)
}
