//! `thinstate compare`.

use super::{
    stdio::Out,
    store::table::{bytes, count, table},
};
use crate::{
    compare::{self, Compared, Comparison, Limit, Settings, Statistic, Verdict},
    measure::{RecordedRun, Unit},
};
use clap::ValueHint;
use eyre::WrapErr as _;
use serde::Serialize;
use std::{io::Write as _, path::PathBuf, process::ExitCode};

/// Options of the command.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
A and B are folders of results, or result.json files in them. A ratio is B's value
over A's: above 1, B needs more. Intervals are those of a bootstrap over stretches
of blocks; `*` marks ratios that differ from 1 beyond chance and beyond the noise
floor, where one is known.

Limits: p99=5% (of a block's total time), commit_ns.p90=3%, device_reads=1% (of
the mean). A limit is broken where the ratio is beyond it and the whole interval
beyond the noise floor. A p99 needs 125 blocks; without them there is no verdict,
and the limit counts as broken.

Exit status: 0 every limit holds, 1 an error occurred, 2 a limit is broken, or the
command line is wrong (which leaves stdout empty).")]
pub(super) struct Options {
    /// The run to compare with.
    #[arg(value_name = "A", value_hint = ValueHint::AnyPath)]
    a: PathBuf,
    /// The run to compare.
    #[arg(value_name = "B", value_hint = ValueHint::AnyPath)]
    b: PathBuf,
    /// Limits on how much more B may need: NAME=PERCENT%, ...
    #[arg(long, value_name = "LIMITS", value_delimiter = ',')]
    fail_on: Vec<Limit>,
    /// A second run of A's design and workload: what differs between these two
    /// is noise.
    #[arg(long, value_name = "RUN", value_hint = ValueHint::AnyPath)]
    noise: Option<PathBuf>,
    /// Compare runs of different workloads all the same.
    #[arg(long)]
    force: bool,
    /// Show every metric and statistic, also those that are zero in both.
    #[arg(long)]
    all: bool,
    /// Resamples that each interval is made from.
    #[arg(long, value_name = "N", default_value_t = compare::RESAMPLES)]
    #[arg(value_parser = clap::value_parser!(u32).range(100..=1_000_000))]
    resamples: u32,
    /// Seed of all draws.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Print JSON instead of the table.
    #[arg(long, conflicts_with = "markdown")]
    json: bool,
    /// Print headings too, to be pasted into a document.
    #[arg(long)]
    markdown: bool,
}

/// Exit status where a limit is broken: a gate can tell it from a run that cannot be read.
const BROKEN: u8 = 2;

/// A limit, and what became of it.
#[derive(Debug, Serialize)]
struct Judged {
    limit: String,
    verdict: Verdict,
    why: String,
}

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Output<'a> {
    #[serde(flatten)]
    comparison: &'a Comparison,
    limits: &'a [Judged],
}

/// Runs the command.
pub(super) fn run(options: &Options) -> eyre::Result<ExitCode> {
    let settings = Settings {
        resamples: options.resamples,
        seed: options.seed,
        force: options.force,
    };
    let (a, b) = (open(&options.a)?, open(&options.b)?);
    let mut comparison = Comparison::of(&a, &b, settings)?;
    if let Some(path) = &options.noise {
        let noise = Comparison::of(&a, &open(path)?, settings);
        let noise = noise.wrap_err("cannot compare A with the run of --noise")?;
        comparison.raise_noise_floor(&noise.noise_floor());
    }
    let judge = |limit: &Limit| {
        let (verdict, why) = compare::judge(&comparison, limit);
        Judged {
            limit: limit.to_string(),
            verdict,
            why,
        }
    };
    let limits: Vec<_> = options.fail_on.iter().map(judge).collect();
    let text = if options.json {
        let output = Output {
            comparison: &comparison,
            limits: &limits,
        };
        serde_json::to_string_pretty(&output)? + "\n"
    } else {
        describe(&comparison, &limits, options)
    };
    Out.write_all(text.as_bytes())?;
    if limits.iter().all(|it| it.verdict.passes()) {
        Ok(ExitCode::SUCCESS)
    } else {
        Ok(ExitCode::from(BROKEN))
    }
}

fn open(path: &std::path::Path) -> eyre::Result<RecordedRun> {
    RecordedRun::open(path).wrap_err_with(|| format!("cannot open the run {}", path.display()))
}

fn describe(comparison: &Comparison, limits: &[Judged], options: &Options) -> String {
    let mut text = String::new();
    if options.markdown {
        text.push_str("## Comparison of two runs\n\n");
    }
    for (name, run) in [("A", &comparison.a), ("B", &comparison.b)] {
        let (design, blocks, dir) = (&run.design, run.blocks, run.dir.display());
        text += &format!("{name}: {design}, {blocks} blocks, {dir}\n");
    }
    for note in &comparison.notes {
        text += &format!("note: {note}\n");
    }
    if !comparison.has_p99() {
        let needed = compare::P99_BLOCKS_MIN;
        text += &format!("note: no p99: it needs {needed} blocks in both runs\n");
    }
    text += &format!("\n{}\n", rows(comparison, options.all));
    if !limits.is_empty() {
        text.push('\n');
    }
    for judged in limits {
        text += &format!("{}: {}\n", judged.limit, judged.why);
    }
    text
}

fn rows(comparison: &Comparison, all: bool) -> comfy_table::Table {
    let mut table = table(&["metric", "A", "B", "B/A", "95 % interval"]);
    for row in comparison.rows.iter().filter(|row| all || is_shown(row)) {
        let label = match row.statistic {
            Statistic::Mean => row.metric.to_owned(),
            statistic => format!("{} {statistic}", row.metric),
        };
        let mark = if row.is_different() { " *" } else { "" };
        let (low, high) = (fraction(row.interval.low), fraction(row.interval.high));
        table.add_row([
            label,
            value(row.unit, row.a),
            value(row.unit, row.b),
            fraction(row.ratio),
            format!("{low} {high}{mark}"),
        ]);
    }
    table
}

/// Means of what adds up, and quantiles of times.
fn is_shown(row: &Compared) -> bool {
    let times = row.unit == Unit::Nanoseconds;
    (row.a > 0.0 || row.b > 0.0) && (times || row.statistic == Statistic::Mean)
}

fn fraction(ratio: f64) -> String {
    if ratio < 100.0 {
        format!("{ratio:.3}")
    } else {
        format!("{ratio:.0}")
    }
}

/// A value in its unit, in at most ten characters or so.
fn value(unit: Unit, value: f64) -> String {
    match unit {
        Unit::Bytes => bytes(value.round() as u64),
        Unit::Nanoseconds if value < 1e3 => format!("{value:.0} ns"),
        Unit::Nanoseconds if value < 1e6 => format!("{:.2} us", value / 1e3),
        Unit::Nanoseconds if value < 1e9 => format!("{:.2} ms", value / 1e6),
        Unit::Nanoseconds => format!("{:.2} s", value / 1e9),
        Unit::Gas if value >= 1e6 => format!("{:.2} M", value / 1e6),
        Unit::Count | Unit::Gas if value < 100.0 => format!("{value:.1}"),
        Unit::Count | Unit::Gas => count(value.round() as u64),
    }
}
