//! Tables in Markdown.

mod blocks;
mod cells;
mod stores;

use super::{Kind, PeersResult, Setting, StoreFound};
use blocks::blocks;
use cells::{bytes, none, whole};
use comfy_table::{CellAlignment, Table, presets::ASCII_MARKDOWN};
use stores::{holders, reads, stores};
use thinstate_replay::replay::ByteSize;

/// The name of the place that the tables of a workload have in a file: what they depend on.
pub fn place(setting: &Setting) -> String {
    let what = match setting.kind {
        Kind::Keys { keys, .. } => format!("{} keys", whole(keys)),
        Kind::Transfers { holders } => format!("transfers, {} holders", whole(holders)),
    };
    let memory = setting.memory_bytes_max.map(ByteSize);
    let memory = memory.map_or_else(String::new, |it| format!(", memory {it}"));
    format!("{what}, caches {}{memory}", ByteSize(setting.cache_bytes))
}

/// All tables of a result, under a heading, with what they were measured on.
pub fn of(result: &PeersResult) -> String {
    let mut text = format!(
        "### {}\n\n{}",
        capitalized(&place(&result.setting)),
        facts(result)
    );
    let unit = match result.setting.kind {
        Kind::Keys { .. } => "update",
        Kind::Transfers { .. } => "transfer",
    };
    for draws in distributions(&result.stores) {
        let found: Vec<_> = result
            .stores
            .iter()
            .filter_map(|store| {
                let found = store.draws.iter().find(|it| it.draws == draws)?;
                Some((store.name.as_str(), found))
            })
            .collect();
        text += &format!(
            "\n**{draws}**, blocks of {unit}s:\n\n{}\n",
            blocks(&found, unit)
        );
        text += &match result.setting.kind {
            Kind::Keys { .. } => format!("\n**{draws}**, reads and sizes:\n\n{}\n", reads(&found)),
            Kind::Transfers { .. } => format!("\n**{draws}**, sizes:\n\n{}\n", holders(&found)),
        };
    }
    text += &format!("\nThe stores:\n\n{}\n", stores(&result.stores));
    let failed = result.stores.iter();
    let failed =
        failed.filter_map(|it| Some(format!("\n{} failed: {}\n", it.name, it.failed.as_ref()?)));
    text + &failed.collect::<String>()
}

/// Machine, versions, command.
fn facts(result: &PeersResult) -> String {
    let machine = &result.machine;
    let known = |text: &Option<String>| text.clone().unwrap_or_else(|| "unknown".to_owned());
    let memory = machine.memory_total_bytes.map_or_else(none, bytes);
    let versions = result.versions.iter();
    let versions: Vec<_> = versions.map(|(name, it)| format!("{name} {it}")).collect();
    let commit = match (&result.program.commit, result.program.dirty) {
        (Some(commit), Some(true)) => format!("{commit} and changes that are not committed"),
        (Some(commit), _) => commit.clone(),
        (None, _) => "unknown".to_owned(),
    };
    format!(
        "- machine: {} cores of {}, {memory} of memory, {} on {}, Linux {}\n\
         - versions: thinstate {} (commit {commit}), {}\n\
         - command: `{}`\n",
        machine.cpu_cores,
        known(&machine.cpu_model),
        known(&machine.file_system),
        known(&machine.file_system_source),
        known(&machine.kernel_version),
        result.program.version,
        versions.join(", "),
        result.command,
    )
}

/// Distributions in the order in which they were run.
fn distributions(stores: &[StoreFound]) -> Vec<&str> {
    let mut names = Vec::new();
    for found in stores.iter().flat_map(|store| &store.draws) {
        if !names.contains(&found.draws.as_str()) {
            names.push(found.draws.as_str());
        }
    }
    names
}

fn empty(heads: &[String]) -> Table {
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN);
    table.set_header(heads);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|it| it.to_uppercase().to_string());
    first.unwrap_or_default() + chars.as_str()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::{
        keys::Position,
        peers::DrawsFound,
        phases::{BlocksFound, Size, SizeFound},
        rounds::{BlockFigures, Bytes},
    };
    use alloy_primitives::B256;

    /// One store, one distribution, one size.
    pub(in crate::peers) fn example() -> StoreFound {
        let size = Size {
            block: 1_000,
            warm_up: 1,
            rounds: 3,
            blocks: 10,
        };
        let figures = BlockFigures {
            blocks: 30,
            updates: 30_000,
            updates_per_second: vec![50_000.0, 12_345.0, 6_000.0],
            bytes: Bytes {
                process_written_bytes: Some(3_000_000),
                device_reads: Some(45_000),
                ..Bytes::default()
            },
            cpu_ns: 600_000_000,
            root: Some(B256::repeat_byte(1)),
            ..BlockFigures::default()
        };
        let blocks = BlocksFound {
            open_ns: 1_500_000_000,
            sizes: vec![SizeFound { size, figures }],
            at: Position {
                keys: 2_000_000,
                block: 31,
            },
            folder_bytes: 200_000_000,
            memory_bytes_max: Some(3 << 30),
        };
        let draws = DrawsFound {
            draws: "uniform".to_owned(),
            blocks,
            group_bytes_max: None,
            reads: None,
        };
        StoreFound {
            name: "some store".to_owned(),
            summary: String::new(),
            root: "Ethereum's".to_owned(),
            durability: "yes".to_owned(),
            is_ethereum: true,
            fill: None,
            draws: vec![draws],
            failed: None,
        }
    }

    #[test]
    fn no_figure_is_in_another_column() {
        let store = example();
        let found = [("some store", &store.draws[0])];
        let row = |table: Table| -> Vec<String> {
            let text = table.to_string();
            let cells = text.lines().nth(2).expect("a row").split('|');
            cells.map(|cell| cell.trim().to_owned()).collect()
        };
        let cells = row(blocks(&found, "update"));
        assert_eq!(cells[1..5], ["some store", "1,000", "12,345", "30"]);
        assert_eq!(cells[9..13], ["100 / -", "- / -", "1.50", "20.0"]);
        assert_eq!(cells[14], "3.00 GiB");
        let cells = row(reads(&found));
        assert_eq!(cells[5..8], ["1.5 s", "100", "3.00 GiB"]);
        let cells = row(holders(&found));
        assert_eq!(cells[1..4], ["some store", "1.5 s", "100"]);
        let cells = row(stores(&[store]));
        assert_eq!(cells[1..5], ["some store", "Ethereum's", "yes", "-"]);
    }

    #[test]
    fn places_say_what_their_tables_depend_on() {
        let setting = Setting {
            kind: Kind::Keys {
                keys: 1_000_000,
                reads: 0,
            },
            sizes: Vec::new(),
            cache_bytes: 512 << 20,
            threads: 2,
            seed: 1,
            memory_bytes_max: Some(1 << 30),
        };
        let expected = "1,000,000 keys, caches 512MiB, memory 1GiB";
        assert_eq!(place(&setting), expected);
    }
}
