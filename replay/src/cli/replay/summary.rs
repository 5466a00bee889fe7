//! What a run found, in a table.

use crate::{
    measure::{Distribution, RunResult, RunStatus, Unit},
    replay::{KEYS_LACKING, Outcome},
};
use comfy_table::{CellAlignment, Table, presets::ASCII_MARKDOWN};
use indicatif::HumanBytes;

/// Metrics that are shown; all are in the files.
const SHOWN: &[&str] = &[
    "total_ns",
    "state_read_ns",
    "state_hash_ns",
    "commit_ns",
    "background_ns",
    "wait_ns",
    "cpu_ns",
    "gas_used",
    "accounts_read_hit",
    "accounts_read_absent",
    "accounts_read_cold",
    "slots_read_hit",
    "slots_read_absent",
    "slots_read_cold",
    "codes_read_cold",
    "slots_created",
    "slots_updated",
    "slots_deleted",
    "temporary_written",
    "records_appended",
    "records_spent",
    "hashes",
    "block_reads",
    "store_read_bytes",
    "store_written_bytes",
    "device_read_bytes",
    "device_written_bytes",
    "witness_bytes",
];

/// The summary of a run.
pub(super) fn of(outcome: &Outcome) -> String {
    let result = &outcome.result;
    let status = match result.status {
        RunStatus::Completed => "",
        RunStatus::Decided => " (enough to say that p99 does not fit the slot)",
        RunStatus::Interrupted => " (interrupted)",
        RunStatus::Failed => " (failed)",
    };
    let (totals, workload) = (&result.totals, &result.workload);
    let mut text = format!(
        "{}: {} slots of {} x{} {}{status}\n{:.1} Mgas/s; {:.2} s, {:.2} s CPU, {} resident at most\n",
        result.design.name,
        totals.blocks,
        workload.source,
        workload.gas_multiple,
        workload.amplify,
        totals.mgas_per_second,
        totals.elapsed_s,
        totals.cpu_s,
        HumanBytes(totals.memory_bytes_max),
    );
    let (before, after) = (&result.state_before, &result.state_after);
    text += &format!(
        "accounts {} -> {}, slots {} -> {}, folder {} -> {}\n",
        before.accounts,
        after.accounts,
        before.slots,
        after.slots,
        HumanBytes(before.folder_bytes),
        HumanBytes(after.folder_bytes),
    );
    text += &format!("\n{}\n", table(outcome));
    if !result.noise_floor.is_empty() {
        text += "\nnoise floor: the same once more\n";
        for (name, share) in &result.noise_floor {
            text += &format!("  {name:24} {:5.1} %\n", share * 100.0);
        }
    }
    if let Some(note) = lacking(result) {
        text += &format!("\n{note}\n");
    }
    if result.is_short() {
        text += "\nless than a second was measured: too little for figures of time\n";
    }
    text + &format!("\n{}\n", outcome.dir.join("result.json").display())
}

/// What copies of blocks did not find in a state that is too small for them; `None` where they lacked nothing.
fn lacking(result: &RunResult) -> Option<String> {
    let lacking = result.workload.deviation(KEYS_LACKING)?.got;
    let sum = |name: &str| result.metrics.get(name).map_or(0, |it| it.sum);
    let accounts = sum("accounts_read_hit") + sum("accounts_read_absent");
    let slots: u64 = result.workload.slots_touched_by_class.values().sum();
    let keys = (accounts + slots) as f64 + lacking;
    Some(format!(
        "{lacking:.0} keys ({:.2} % of those to be touched) are not in the state, which is too small for so many \
         copies of users: fill it with more accounts",
        100.0 * lacking / keys
    ))
}

fn table(outcome: &Outcome) -> Table {
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN);
    table.set_header(["per slot", "mean", "p50", "p90", "p99", "p99.9", "max"]);
    for name in SHOWN {
        let Some(spread) = outcome.result.metrics.get(*name) else {
            continue;
        };
        if spread.max > 0 {
            table.add_row(row(name, spread));
        }
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn row(name: &str, spread: &Distribution) -> Vec<String> {
    let value = |number: f64| match spread.unit {
        Unit::Nanoseconds => format!("{:.2} ms", number / 1e6),
        Unit::Bytes => HumanBytes(number as u64).to_string(),
        Unit::Gas => format!("{:.1} M", number / 1e6),
        Unit::Count => format!("{number:.0}"),
    };
    let mut row = vec![name.trim_end_matches("_ns").to_owned(), value(spread.mean)];
    let quantiles = [spread.p50, spread.p90, spread.p99, spread.p999, spread.max];
    row.extend(quantiles.map(|number| value(number as f64)));
    row
}
