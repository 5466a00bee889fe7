//! Runs beside each other.

use comfy_table::{CellAlignment, Table, presets::ASCII_MARKDOWN};
use thinstate_replay::measure::RunResult;

/// One row for each run: times in milliseconds per slot, bytes that reached the device.
///
/// No 99th percentile: it takes 125 slots before one means anything. `thinstate report` and `thinstate compare` show
/// what is in the folders.
pub fn of(runs: &[RunResult]) -> Table {
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN);
    table.set_header([
        "store",
        "Mgas/s",
        "total p50",
        "p90",
        "max",
        "read p50",
        "hash p50",
        "commit p50",
        "written/slot",
        "CPU/slot",
        "memory",
        "folder",
        "root",
    ]);
    for run in runs {
        table.add_row(row(run));
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn row(run: &RunResult) -> Vec<String> {
    let spread = |name: &str| run.metrics.get(name).cloned();
    let ms = |ns: Option<u64>| ns.map_or_else(none, |ns| format!("{:.1} ms", ns as f64 / 1e6));
    let total = spread("total_ns");
    let total = total.as_ref();
    let median = |name| ms(spread(name).map(|it| it.p50).filter(|ns| *ns > 0));
    let mean = |name| spread(name).map(|it| it.mean);
    let written = mean("device_written_bytes").filter(|bytes| *bytes > 0.0);
    let root = match run.last.map(|last| (last.state_root, last.commitment)) {
        Some((Some(_), _)) => "Ethereum's",
        Some((None, own)) if !own.is_zero() => "its own",
        _ => "none",
    };
    vec![
        run.design.name.clone(),
        format!("{:.0}", run.totals.mgas_per_second),
        ms(total.map(|it| it.p50)),
        ms(total.map(|it| it.p90)),
        ms(total.map(|it| it.max)),
        median("state_read_ns"),
        median("state_hash_ns"),
        median("commit_ns"),
        written.map_or_else(none, mib),
        mean("cpu_ns").map_or_else(none, |ns| format!("{:.1} ms", ns / 1e6)),
        mib(run.totals.memory_bytes_max as f64),
        mib(run.state_after.folder_bytes as f64),
        root.to_owned(),
    ]
}

fn none() -> String {
    "-".to_owned()
}

fn mib(bytes: f64) -> String {
    format!("{:.1} MiB", bytes / f64::from(1 << 20))
}
