//! Describing a trace.

use crate::{
    cli::stdio::Out,
    numbers::grouped,
    trace::{TraceInfo, TraceReader},
};
use comfy_table::{Cell, CellAlignment, Table, presets::UTF8_FULL_CONDENSED};
use std::{io::Write as _, path::Path, process::ExitCode};

pub(super) fn run(path: &Path, json: bool) -> eyre::Result<ExitCode> {
    let info = TraceReader::open(path)?.info()?;
    print(&info, json)?;
    Ok(ExitCode::SUCCESS)
}

/// Prints figures to stdout: as tables, or as one JSON object.
pub(super) fn print(info: &TraceInfo, json: bool) -> eyre::Result<()> {
    if json {
        serde_json::to_writer_pretty(&mut Out, info)?;
        writeln!(Out)?;
    } else {
        writeln!(Out, "{}\n{}", summary(info), accesses(info))?;
    }
    Ok(())
}

fn table() -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED);
    table
}

fn summary(info: &TraceInfo) -> Table {
    let mut table = table();
    table.set_header(["trace", ""]);
    for (name, value) in facts(info) {
        table.add_row([name.to_owned(), value]);
    }
    table
}

fn facts(info: &TraceInfo) -> Vec<(&'static str, String)> {
    let mut blocks = grouped(info.blocks);
    if let (Some(first), Some(last)) = (info.first, info.last) {
        blocks += &format!(" ({first} to {last})");
    }
    let classes = info.slots.by_class.iter();
    let classes: Vec<_> = classes
        .map(|(name, count)| format!("{name} {}", grouped(*count)))
        .collect();
    vec![
        ("chain id", info.chain_id.to_string()),
        ("values before", values_before(info).to_owned()),
        ("blocks", blocks),
        ("with expected root", grouped(info.blocks_with_root)),
        ("transactions", grouped(info.txs)),
        ("gas used", grouped(info.gas_used)),
        ("accounts wiped", grouped(info.accounts.wipes)),
        ("slots by class", classes.join("\n")),
        ("slots with preimages", percent(info.slots.preimage_share())),
        (
            "of those written",
            percent(info.slots.written_preimage_share()),
        ),
        ("bytes of records", grouped(info.bytes_raw)),
        ("bytes compressed", grouped(info.bytes_compressed)),
        ("bytes of the file", grouped(info.bytes_file)),
    ]
}

const fn values_before(info: &TraceInfo) -> &'static str {
    match (info.values_assumed, info.reads_only()) {
        (true, _) => "partly assumed",
        (false, true) => "from the source (reads only: writes are not known)",
        (false, false) => "from the source",
    }
}

fn accesses(info: &TraceInfo) -> Table {
    let (accounts, slots, code) = (&info.accounts, &info.slots, &info.code);
    let mut table = table();
    table.set_header(["accesses", "accounts", "slots", "codes", "code bytes"]);
    let mut row = |name: &str, accounts, slots, code: Option<[u64; 2]>| {
        let [codes, bytes] = code.map_or([None; 2], |it| it.map(Some));
        let counts = [Some(accounts), Some(slots), codes, bytes].map(count);
        table.add_row([Cell::new(name)].into_iter().chain(counts));
    };
    let [read, written] = [
        [code.reads, code.bytes_read],
        [code.writes, code.bytes_written],
    ];
    row("found", accounts.reads_found, slots.reads_found, Some(read));
    row("absent", accounts.reads_absent, slots.reads_zero, None);
    row("created", accounts.creates, slots.creates, Some(written));
    row("updated", accounts.updates, slots.updates, None);
    row("deleted", accounts.deletes, slots.deletes, None);
    table
}

fn count(count: Option<u64>) -> Cell {
    Cell::new(count.map_or_else(String::new, grouped)).set_alignment(CellAlignment::Right)
}

fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "none".to_owned(), |it| format!("{:.1} %", it * 100.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::{AccountCounts, CodeCounts, SlotCounts};
    use thinstate_formats::{BlockNumber, trace::ObjectClass};

    /// Far more than a year of mainnet's blocks.
    #[test]
    fn no_table_is_wider_than_a_terminal() {
        let many = 99_999_999_999;
        let classes = ObjectClass::ALL.map(|class| (class.name(), many));
        let info = TraceInfo {
            chain_id: u64::MAX,
            blocks: many,
            first: Some(BlockNumber(many)),
            last: Some(BlockNumber(many)),
            gas_used: u64::MAX,
            accounts: AccountCounts {
                reads_found: many,
                reads_absent: many,
                creates: many,
                updates: many,
                deletes: many,
                wipes: many,
            },
            slots: SlotCounts {
                reads_found: many,
                by_class: classes.into(),
                ..SlotCounts::default()
            },
            code: CodeCounts {
                reads: many,
                bytes_read: many,
                writes: many,
                bytes_written: many,
            },
            ..TraceInfo::default()
        };
        for table in [summary(&info), accesses(&info)] {
            let text = table.to_string();
            let widest = text.lines().map(|line| line.chars().count()).max();
            assert!(widest <= Some(80), "{text}");
        }
    }
}
