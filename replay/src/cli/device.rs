//! `thinstate device`.

use super::{
    interrupt::{INTERRUPTED, stop_on_ctrl_c},
    stdio::Out,
    store::table::{bytes, count, table},
};
use crate::measure::{
    Overhead,
    device::{DeviceError, DeviceOptions, DeviceReport, LatencyRow, Operation, probe},
};
use clap::ValueHint;
use eyre::WrapErr as _;
use std::{
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

/// Blocks that `--overhead` records.
const OVERHEAD_BLOCKS: u64 = 20_000;

/// Options of the command.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Random reads and writes of 4 KiB with 1 to 64 in flight, sequential ones of 1 MiB,
and appends with fdatasync, past the page cache where the file system allows it.
The file that is read and written has no name: it is gone when the command ends,
however it ends. Let nothing else use the device meanwhile.

The profile that -o writes is what a capacity model takes. data/devices has
profiles of drives, from what their makers say of them.

Exit status: 0 done, 1 an error occurred, 2 the command line is wrong, 130
interrupted.")]
pub(super) struct Options {
    /// Folder on the device.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    dir: PathBuf,
    /// About how long to take.
    #[arg(long, value_name = "N", default_value_t = 20)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=3600))]
    seconds: u64,
    /// Bytes of the file: a number, or one with K, M, G or T (powers of 1,024).
    #[arg(long, value_name = "BYTES", default_value = "1G", value_parser = size)]
    size: u64,
    /// Keep requests in flight by threads, also where io_uring works.
    #[arg(long)]
    threads: bool,
    /// Print JSON instead of the table.
    #[arg(long)]
    json: bool,
    /// Write the profile to this file, as TOML.
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,
    /// Measure instead what it costs to measure a block of a replay.
    #[arg(long, conflicts_with_all = ["output", "threads"])]
    overhead: bool,
    /// Say nothing on stderr but errors.
    #[arg(short, long)]
    quiet: bool,
}

/// A size in bytes.
fn size(text: &str) -> Result<u64, String> {
    let (digits, shift) = match text.strip_suffix(['K', 'M', 'G', 'T']) {
        Some(digits) if text.ends_with('K') => (digits, 10),
        Some(digits) if text.ends_with('M') => (digits, 20),
        Some(digits) if text.ends_with('G') => (digits, 30),
        Some(digits) => (digits, 40),
        None => (text, 0),
    };
    let number: u64 = digits.parse().map_err(|_| "not a size".to_owned())?;
    let bytes = number.checked_mul(1 << shift).ok_or("too large")?;
    if bytes < 16 << 20 {
        return Err("at least 16M".to_owned());
    }
    Ok(bytes)
}

/// Runs the command.
pub(super) fn run(options: &Options) -> eyre::Result<ExitCode> {
    if options.overhead {
        return overhead(options);
    }
    let stop = stop_on_ctrl_c()?;
    let how = DeviceOptions {
        time: Duration::from_secs(options.seconds),
        file_bytes: options.size,
        threads: options.threads,
    };
    let mut status = |stage: &str| {
        if !options.quiet {
            status!("device: {stage}");
        }
    };
    let report = match probe(&options.dir, how, &stop, &mut status) {
        Err(DeviceError::Interrupted) => return Ok(ExitCode::from(INTERRUPTED)),
        other => other?,
    };
    if let Some(path) = &options.output {
        write_profile(path, &report)
            .wrap_err_with(|| format!("cannot write {}", path.display()))?;
    }
    let text = if options.json {
        serde_json::to_string_pretty(&report)? + "\n"
    } else {
        describe(&report)
    };
    Out.write_all(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// Whole or not at all.
fn write_profile(path: &Path, report: &DeviceReport) -> eyre::Result<()> {
    let text = toml::to_string(&report.profile)?;
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    let mut file = File::create(&partial)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&partial, path)?;
    Ok(())
}

fn describe(report: &DeviceReport) -> String {
    let columns = ["request", "per s", "bytes/s", "p50 us", "p99 us", "max us"];
    let mut table = table(&columns);
    for row in &report.latencies {
        table.add_row(row_of(row));
    }
    let notes: String = report
        .profile
        .notes
        .iter()
        .map(|note| format!("note: {note}\n"))
        .collect();
    format!("{}\n{notes}\n{table}\n", report.profile.name)
}

fn row_of(row: &LatencyRow) -> [String; 6] {
    let name = match row.operation {
        Operation::Read if row.sequential => "read in order",
        Operation::Read => "read",
        Operation::Write if row.sequential => "write in order",
        Operation::Write => "write",
        Operation::Sync => "append, fdatasync",
    };
    let us = |us: f64| format!("{us:.0}");
    [
        format!("{name} {}, {} at once", bytes(row.request_bytes), row.depth),
        count(row.iops.round() as u64),
        bytes(row.bytes_per_second.round() as u64),
        us(row.latency_us_p50),
        us(row.latency_us_p99),
        us(row.latency_us_max),
    ]
}

/// Records blocks that nobody executed into a folder beside, which goes again.
fn overhead(options: &Options) -> eyre::Result<ExitCode> {
    let dir = options
        .dir
        .join(format!(".thinstate-overhead-{}", std::process::id()));
    let measured = Overhead::measure(&dir, OVERHEAD_BLOCKS);
    fs::remove_dir_all(&dir).wrap_err_with(|| format!("cannot remove {}", dir.display()))?;
    let overhead = measured?;
    let text = if options.json {
        serde_json::to_string_pretty(&overhead)? + "\n"
    } else {
        let us = |ns: u64| format!("{:.1} us", ns as f64 / 1e3);
        let mut table = table(&["measuring, per block", "time"]);
        table.add_row(["counters of the system".to_owned(), us(overhead.probes_ns)]);
        table.add_row(["row and histograms".to_owned(), us(overhead.recorder_ns)]);
        table.add_row(["both".to_owned(), us(overhead.total_ns())]);
        format!("{table}\n")
    };
    Out.write_all(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}
