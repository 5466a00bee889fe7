//! `thinstate store stats`.

use super::{
    Datadir, describe_head, print, print_json,
    table::{bytes, count, mean, table},
};
use crate::inspect::sizes::{StoreSizes, TableSizes, TierSizes, TrieSizes};
use comfy_table::Table;
use std::{iter, process::ExitCode};

/// Options of the command.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    #[command(flatten)]
    datadir: Datadir,
    /// Print JSON instead of tables.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(super) fn run(options: &Options) -> eyre::Result<ExitCode> {
    let tier = options.datadir.open()?;
    let sizes = StoreSizes::of(&tier, Datadir::tier_options().bucket_entries_max)?;
    if options.json {
        print_json(&sizes)?;
    } else {
        print(&format!(
            "{}{}",
            describe_head(&tier.head()),
            describe(&sizes)
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}

const NOTES: &str = "
~ from the files' own estimate of their entries; other counts are exact
";

/// The tables, in Markdown, at most 80 columns wide.
fn describe(sizes: &StoreSizes) -> String {
    let tiers = sizes.tiers.iter().map(|tier| {
        format!(
            "\n## {} tier\n\n{}\n\n{}\n",
            tier.tier,
            tables(tier),
            interiors(tier)
        )
    });
    let totals = format!("\n## Total\n\n{}\n", totals(sizes));
    tiers.chain([totals, NOTES.to_owned()]).collect()
}

fn tables(tier: &TierSizes) -> Table {
    let columns = [
        "table",
        "entries",
        "stubs",
        "in files",
        "in memory",
        "B/entry",
    ];
    let mut table = table(&columns);
    for sizes in &tier.tables {
        table.add_row(row_of_table(sizes));
    }
    table
}

fn row_of_table(sizes: &TableSizes) -> Vec<String> {
    let mark = if sizes.entries_exact { "" } else { "~" };
    let per_entry = match sizes.bytes_per_entry {
        None => mean(None),
        some => format!("{mark}{}", mean(some)),
    };
    vec![
        sizes.table.to_owned(),
        format!("{mark}{}", count(sizes.entries)),
        count(sizes.stubs),
        bytes(sizes.file_bytes),
        bytes(sizes.memory_bytes),
        per_entry,
    ]
}

/// A column for each kind of trie, so that numbers of any length fit.
fn interiors(tier: &TierSizes) -> Table {
    let names = tier.interior.iter().map(|tries| tries.tries);
    let columns: Vec<_> = iter::once("interior, in memory").chain(names).collect();
    let mut table = table(&columns);
    for (what, describe) in INTERIOR_ROWS {
        let cells = tier.interior.iter().map(describe);
        table.add_row(iter::once(what.to_owned()).chain(cells));
    }
    table
}

/// A label, and what stands behind it for some tries.
type InteriorRow = (&'static str, fn(&TrieSizes) -> String);

const INTERIOR_ROWS: [InteriorRow; 7] = [
    ("tries", |tries| count(tries.count)),
    ("of more than one bucket", |tries| {
        count(tries.with_interior)
    }),
    ("their branches", |tries| count(tries.branches)),
    ("their buckets", |tries| count(tries.buckets)),
    ("entries per bucket", |tries| mean(tries.entries_per_bucket)),
    ("memory", |tries| bytes(tries.bytes)),
    ("bytes per bucket", |tries| mean(tries.bytes_per_bucket)),
];

fn totals(sizes: &StoreSizes) -> Table {
    let mut table = table(&["tier", "in files", "in memory"]);
    for tier in &sizes.tiers {
        let (files, memory) = (bytes(tier.file_bytes()), bytes(tier.memory_bytes()));
        table.add_row([tier.tier.to_owned(), files, memory]);
    }
    let files = sizes.tiers.iter().map(TierSizes::file_bytes).sum();
    let memory = sizes.tiers.iter().map(TierSizes::memory_bytes).sum();
    table.add_row(["all".to_owned(), bytes(files), bytes(memory)]);
    table
}
