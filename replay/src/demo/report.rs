//! The summary for a terminal of 80 columns.

use super::{
    costs::{BlockCosts, SHOWN},
    result::{CheckRecord, DemoResult, StateRecord, Status},
    summary::Quantiles,
};
use crate::{
    measure::{Metric, Unit},
    numbers::grouped as count,
};
use comfy_table::{CellAlignment, Table, presets::ASCII_MARKDOWN};
use core::fmt::{self, Write as _};

/// What `result.json` says, for people. Lines have at most 80 columns, the names of files aside.
pub fn render(result: &DemoResult) -> String {
    let mut text = String::new();
    write(&mut text, result).expect("a string takes all that is written to it");
    text
}

fn write(text: &mut String, result: &DemoResult) -> fmt::Result {
    let (config, blocks) = (&result.config, &result.blocks);
    writeln!(text, "Mainnet's genesis state, built in the store")?;
    if let Some(genesis) = &result.genesis {
        writeln!(text, "  root      {}", genesis.state_root)?;
        writeln!(text, "  accounts  {}\n", count(genesis.accounts))?;
    }
    let (load, setup) = (count(blocks.load), count(blocks.setup));
    writeln!(
        text,
        "{load} generated blocks on top of it, after {setup} of setup (seed {})",
        config.seed
    )?;
    if blocks.load > 0 {
        writeln!(text, "\n{}\n", table(&result.per_block))?;
        write_totals(text, result)?;
    }
    if let Some(state) = &result.state {
        write_state(text, state)?;
    }
    write_machine(text, result)?;
    writeln!(text)?;
    write_verdict(text, result)?;
    let out = config.out.display();
    writeln!(text, "\nfiles     {out}: result.json, blocks.csv, store/")
}

/// The metrics that have a row, in units for people.
fn table(per_block: &[Quantiles]) -> Table {
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN);
    table.set_header(["per block", "p50", "p90", "p99", "max"]);
    for quantiles in per_block {
        let is_row = |metric: &&Metric<BlockCosts>| {
            metric.name == quantiles.metric && SHOWN.contains(&metric.name)
        };
        if let Some(metric) = super::METRICS.iter().find(is_row) {
            let show = |value| quantity(value, metric.unit);
            let Quantiles {
                p50, p90, p99, max, ..
            } = *quantiles;
            let row = [show(p50), show(p90), show(p99), show(max)];
            table.add_row([metric.label.to_owned()].into_iter().chain(row));
        }
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn write_totals(text: &mut String, result: &DemoResult) -> fmt::Result {
    let blocks = &result.blocks;
    writeln!(
        text,
        "together  {} transactions, {} gas in {:.3} s",
        count(blocks.tx_count),
        quantity(blocks.gas_used, Unit::Gas),
        blocks.total_s
    )?;
    let slowest = blocks.gas_per_second_min.unwrap_or_default();
    writeln!(
        text,
        "speed     {:.1} Mgas/s (slowest block {:.1}), without the oracle's time",
        blocks.gas_per_second / 1e6,
        slowest / 1e6
    )
}

fn write_state(text: &mut String, state: &StateRecord) -> fmt::Result {
    writeln!(
        text,
        "state     {} accounts, {} slots at block {}",
        count(state.accounts),
        count(state.slots),
        count(state.block_number)
    )?;
    let files: u64 = state.tables.iter().map(|table| table.file_bytes).sum();
    let memory: u64 = state.tables.iter().map(|table| table.memory_bytes).sum();
    writeln!(
        text,
        "store     {} in tables, {} waiting in memory, {} in the interior",
        quantity(files, Unit::Bytes),
        quantity(memory, Unit::Bytes),
        quantity(state.interior_bytes, Unit::Bytes)
    )
}

fn write_machine(text: &mut String, result: &DemoResult) -> fmt::Result {
    let (machine, process) = (&result.machine, &result.process);
    writeln!(
        text,
        "machine   {}\n          {} cores, keccak {}, {} file system",
        machine.cpu_model.as_deref().unwrap_or(&machine.arch),
        machine.cpu_cores,
        machine.keccak_width,
        machine.file_system.as_deref().unwrap_or("unknown")
    )?;
    if let (Some(memory), Some(written)) = (process.memory_bytes_max, process.device_written_bytes)
    {
        writeln!(
            text,
            "process   {} of memory at most, {} to the device, {:.1} s",
            quantity(memory, Unit::Bytes),
            quantity(written, Unit::Bytes),
            result.elapsed_s
        )?;
    }
    writeln!(text, "caches    {}", caches(&result.per_block))
}

/// Where the reads came from.
fn caches(per_block: &[Quantiles]) -> &'static str {
    let from_files = per_block.iter().find(|q| q.metric == "block_reads");
    if from_files.is_none_or(|quantiles| quantiles.max == 0) {
        "warm: no block of the store was read from a file"
    } else {
        "warm: files were read through the page cache, which was not dropped"
    }
}

fn write_verdict(text: &mut String, result: &DemoResult) -> fmt::Result {
    let confirmed = count(result.blocks.roots_confirmed);
    writeln!(
        text,
        "oracle    executed every block itself and hashed its own state from scratch:\n          \
         {confirmed} of {confirmed} roots equal the store's"
    )?;
    if let Some(checks) = &result.checks {
        write_checks(text, checks)?;
    }
    let verdict = match result.status {
        Status::Completed => "all holds",
        Status::Interrupted => "interrupted: what was done holds, the final checks were not made",
        Status::Failed => "FAILED",
    };
    writeln!(text, "verdict   {verdict}")
}

fn write_checks(text: &mut String, checks: &CheckRecord) -> fmt::Result {
    writeln!(
        text,
        "undo      {} blocks undone and done again, each to its former root",
        checks.blocks_replayed
    )?;
    writeln!(
        text,
        "reopened  same head; root computed again from {} accounts, {} slots",
        count(checks.accounts_verified),
        count(checks.slots_verified)
    )?;
    writeln!(
        text,
        "          {} accounts, {} slots, {} codes equal the oracle's",
        count(checks.compared.accounts),
        count(checks.compared.slots),
        count(checks.compared.codes)
    )
}

/// A value with its unit, in at most eight characters.
fn quantity(value: u64, unit: Unit) -> String {
    match unit {
        Unit::Count => count(value),
        Unit::Gas => scaled(value, 1000.0, &["", "k", "M", "G", "T"]),
        Unit::Bytes => scaled(value, 1024.0, &["B", "KiB", "MiB", "GiB", "TiB"]),
        Unit::Nanoseconds => scaled(value, 1000.0, &["ns", "µs", "ms", "s"]),
    }
}

/// Three significant digits in the largest unit that leaves at least 1.
fn scaled(value: u64, step: f64, units: &[&str]) -> String {
    let (mut number, mut unit) = (value as f64, 0);
    // 999.5 would be shown as 1000.
    while number >= step - 0.5 && unit + 1 < units.len() {
        number /= step;
        unit += 1;
    }
    let decimals = match number {
        _ if unit == 0 => 0,
        n if n < 9.995 => 2,
        n if n < 99.95 => 1,
        _ => 0,
    };
    format!("{number:.decimals$} {}", units[unit])
        .trim_end()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_not_rounded_into_another_size() {
        let shown = [
            (0, Unit::Count, "0"),
            (999, Unit::Count, "999"),
            (1_000, Unit::Count, "1,000"),
            (1_234_567, Unit::Count, "1,234,567"),
            (0, Unit::Bytes, "0 B"),
            (1_023, Unit::Bytes, "1023 B"),
            (1_024, Unit::Bytes, "1.00 KiB"),
            (999, Unit::Nanoseconds, "999 ns"),
            (9_996, Unit::Nanoseconds, "10.0 µs"),
            (999_499, Unit::Nanoseconds, "999 µs"),
            (999_501, Unit::Nanoseconds, "1.00 ms"),
            (21_000, Unit::Gas, "21.0 k"),
            (u64::MAX, Unit::Nanoseconds, "18446744074 s"),
        ];
        for (value, unit, expected) in shown {
            assert_eq!(quantity(value, unit), expected);
        }
    }
}
