//! Generated blocks beside mainnet's numbers.

use crate::{
    cli::stdio::Out,
    population::{Population, PopulationSpec},
    profile::{CheckOptions, Comparison, Row, check_profile},
};
use comfy_table::{Cell, CellAlignment, Table, presets::UTF8_FULL_CONDENSED};
use indicatif::{ProgressBar, ProgressStyle};
use std::{
    io::{IsTerminal as _, Write as _, stderr},
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

/// Time between lines where stderr is no terminal.
const LOG_INTERVAL: Duration = Duration::from_secs(10);
/// Blocks between updates of the live line.
const LIVE_BLOCKS: u64 = 64;

/// Options of the command.
///
/// Prints every number that mainnet is known by, what the profile says of it, what the generated blocks have,
/// and how far that is from mainnet. Exit status 1 if any number is farther off than the tolerance, unless it
/// is listed as an exception.
///
/// Shares of the most popular keys are mainnet's over 30 days. A state of n accounts has days of
/// 7200 * n / 379.6 M blocks, so that a day touches the share of the state that mainnet's does; with fewer
/// blocks than 30 such days, or fewer than some 5 M accounts, these shares cannot come out.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// The profile; mainnet's, which is built in, if not given.
    #[arg(value_name = "PROFILE")]
    profile: Option<PathBuf>,
    /// Accounts of the population that blocks are drawn over.
    #[arg(long, value_name = "N", default_value_t = 10_000_000)]
    accounts: u64,
    /// Blocks to generate; 30 days of the population if not given.
    #[arg(long, value_name = "N")]
    blocks: Option<u64>,
    /// Seed of the generator.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Seed of the population.
    #[arg(long, value_name = "N", default_value_t = 1)]
    population_seed: u64,
    /// The largest deviation that passes, in percent.
    #[arg(long, value_name = "PERCENT", default_value_t = 10.0)]
    tolerance: f64,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(options: &Options) -> eyre::Result<ExitCode> {
    let profile = super::load(options.profile.as_ref())?;
    let spec = PopulationSpec::of(options.accounts, options.population_seed);
    let population = Arc::new(Population::new(spec)?);
    let check = CheckOptions {
        blocks: options.blocks,
        seed: options.seed,
    };
    let mut progress = Progress::new(check.blocks(&population));
    let comparison = check_profile(&profile, &population, &check, |done| progress.at(done))?;
    progress.finish();
    if options.json {
        serde_json::to_writer_pretty(&mut Out, &comparison)?;
        writeln!(Out)?;
    } else {
        writeln!(Out, "{}", table(&comparison, options.tolerance))?;
    }
    let beyond = comparison.beyond(options.tolerance).count();
    status!(
        "{}: {} blocks over {} accounts, seed {}: {} numbers, {beyond} beyond {} %",
        comparison.profile,
        comparison.blocks,
        comparison.accounts,
        comparison.seed,
        comparison.rows.len(),
        options.tolerance
    );
    Ok(match beyond {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    })
}

fn table(comparison: &Comparison, tolerance: f64) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED);
    table.set_header([
        "number",
        "mainnet",
        "profile",
        "generated",
        "off by",
        "source",
    ]);
    for row in &comparison.rows {
        let right = |text: String| Cell::new(text).set_alignment(CellAlignment::Right);
        table.add_row([
            Cell::new(name(row)),
            right(number(row.mainnet)),
            right(row.profile.map_or_else(String::new, number)),
            right(number(row.generated)),
            right(deviation(row, tolerance)),
            Cell::new(row.exception.map_or_else(
                || row.source.to_owned(),
                |why| format!("{}; {why}", row.source),
            )),
        ]);
    }
    table
}

fn name(row: &Row) -> String {
    match row.unit {
        "" => row.name.to_owned(),
        unit => format!("{}, {unit}", row.name),
    }
}

fn deviation(row: &Row, tolerance: f64) -> String {
    let mark = match (row.deviation_percent.abs() > tolerance, row.exception) {
        (false, _) => "",
        (true, None) => " !",
        (true, Some(_)) => " (known)",
    };
    format!("{:+.1} %{mark}", row.deviation_percent)
}

/// Three or more digits that count.
fn number(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        size if size >= 1e6 => format!("{:.2} M", value / 1e6),
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// One live line on a terminal, a line now and then elsewhere.
struct Progress {
    bar: ProgressBar,
    next_line: Option<Instant>,
    blocks: u64,
}

impl Progress {
    fn new(blocks: u64) -> Self {
        let live = stderr().is_terminal();
        let bar = if live {
            let style = ProgressStyle::with_template("{bar:30} {pos}/{len} blocks, {eta} left")
                .unwrap_or_else(|_| ProgressStyle::default_bar());
            ProgressBar::new(blocks).with_style(style)
        } else {
            ProgressBar::hidden()
        };
        Self {
            bar,
            next_line: (!live).then(|| Instant::now() + LOG_INTERVAL),
            blocks,
        }
    }

    fn at(&mut self, done: u64) {
        if !done.is_multiple_of(LIVE_BLOCKS) {
            return;
        }
        self.bar.set_position(done);
        if let Some(due) = self.next_line
            && Instant::now() >= due
        {
            status!("{done}/{} blocks", self.blocks);
            self.next_line = Some(Instant::now() + LOG_INTERVAL);
        }
    }

    fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
