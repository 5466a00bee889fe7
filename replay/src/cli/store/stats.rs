//! `thinstate store stats`.

use super::{
    Datadir, describe_head, print, print_json,
    table::{bytes, count, mean, table},
};
use crate::inspect::sizes::{ObjectSizes, StoreSizes, TableSizes, TierSizes, TrieSizes};
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
    let store = options.datadir.open_all()?;
    let sizes = StoreSizes::of(&store, Datadir::tier_options().bucket_entries_max)?;
    if options.json {
        print_json(&sizes)?;
    } else {
        print(&format!(
            "{}{}",
            describe_head(&store.permanent().head()),
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
        let interiors = match tier.interior[..] {
            [] => String::new(),
            _ => format!("\n{}\n", interiors(tier)),
        };
        format!("\n## {} tier\n\n{}\n{interiors}", tier.tier, tables(tier))
    });
    let objects = format!("\n## Objects\n\n{}\n", objects(sizes));
    let totals = format!("\n## Total\n\n{}\n", totals(sizes));
    tiers.chain([objects, totals, NOTES.to_owned()]).collect()
}

/// A column for each tier.
fn objects(sizes: &StoreSizes) -> Table {
    let names = sizes.tiers.iter().map(|tier| tier.tier);
    let columns: Vec<_> = iter::once("objects, and what they take")
        .chain(names)
        .collect();
    let mut table = table(&columns);
    for (what, describe) in OBJECT_ROWS {
        let cells = sizes.tiers.iter().map(|tier| describe(&tier.objects));
        table.add_row(iter::once(what.to_owned()).chain(cells));
    }
    table
}

/// A label, and what stands behind it for a tier.
type ObjectRow = (&'static str, fn(&ObjectSizes) -> String);

const OBJECT_ROWS: [ObjectRow; 11] = [
    ("live", |it| count(it.live)),
    ("dead: no longer live", |it| count(it.dead)),
    ("  of these spent: bit set", |it| count(it.spent)),
    ("live, on disk", |it| bytes(it.live_disk_bytes)),
    ("live, in memory", |it| bytes(it.live_memory_bytes)),
    ("bytes per live object", |it| mean(it.live_bytes_per_object)),
    ("permanent, on disk", |it| bytes(it.permanent_bytes)),
    ("  of these bitfields", |it| bytes(it.bitfield_bytes)),
    ("bytes per dead object", |it| {
        mean(it.permanent_bytes_per_dead_object)
    }),
    ("bits per spent object", |it| mean(it.bits_per_spent_object)),
    ("archive, on disk", |it| bytes(it.archive_bytes)),
];

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
    let mut table = table(&["tier", "tables", "bitfields", "archive", "in memory"]);
    for tier in &sizes.tiers {
        let row = TOTALS.map(|of| bytes(of(tier)));
        table.add_row(iter::once(tier.tier.to_owned()).chain(row));
    }
    let all = TOTALS.map(|of| bytes(sizes.tiers.iter().map(of).sum()));
    table.add_row(iter::once("all".to_owned()).chain(all));
    table
}

const TOTALS: [fn(&TierSizes) -> u64; 4] = [
    TierSizes::file_bytes,
    |tier| tier.objects.bitfield_bytes,
    |tier| tier.objects.archive_bytes,
    TierSizes::memory_bytes,
];
