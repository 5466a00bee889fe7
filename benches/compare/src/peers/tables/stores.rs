//! Stores: reads, sizes, what they are.

use super::{
    cells::{bytes, decimal, joined, none, seconds, whole},
    empty,
};
use crate::peers::{DrawsFound, StoreFound};
use comfy_table::{CellAlignment, Table};

/// A row for each store.
pub(super) fn reads(stores: &[(&str, &DrawsFound)]) -> Table {
    let threads = stores.iter().find_map(|(_, it)| it.reads.as_ref());
    let threads = threads.iter().flat_map(|reads| &reads.threads);
    let threads: Vec<_> = threads.map(|it| it.threads.to_string()).collect();
    let threads = threads.join(" / ");
    let mut table = empty(&[
        "store".to_owned(),
        format!("cold reads/s, {threads} threads"),
        "device reads each".to_owned(),
        format!("warm reads/s, {threads} threads"),
        "opened in".to_owned(),
        "bytes on disk per key".to_owned(),
        "peak memory, blocks".to_owned(),
        "control group, blocks".to_owned(),
        "peak memory, reads".to_owned(),
    ]);
    for (name, found) in stores {
        let passes = || found.reads.iter().flat_map(|reads| &reads.threads);
        let memory = found.reads.as_ref().and_then(|it| it.memory_bytes_max);
        let per_key = found.blocks.folder_bytes as f64 / found.blocks.at.keys.max(1) as f64;
        table.add_row([
            (*name).to_owned(),
            joined(passes().map(|it| whole(it.cold.per_second() as u64))),
            joined(passes().map(|it| it.cold.device_reads_each().map_or_else(none, decimal))),
            joined(passes().map(|it| whole(it.warm.per_second() as u64))),
            seconds(found.blocks.open_ns),
            format!("{per_key:.0}"),
            found.blocks.memory_bytes_max.map_or_else(none, bytes),
            found.group_bytes_max.map_or_else(none, bytes),
            memory.map_or_else(none, bytes),
        ]);
    }
    table
}

/// A row for each store of balances.
pub(super) fn holders(stores: &[(&str, &DrawsFound)]) -> Table {
    let heads = [
        "store",
        "filled in",
        "bytes on disk per holder",
        "control group",
    ];
    let mut table = empty(&heads.map(str::to_owned));
    for (name, found) in stores {
        let each = found.blocks.folder_bytes as f64 / found.blocks.at.keys.max(1) as f64;
        table.add_row([
            (*name).to_owned(),
            seconds(found.blocks.open_ns),
            format!("{each:.0}"),
            found.group_bytes_max.map_or_else(none, bytes),
        ]);
    }
    table
}

/// A row for each store: what it is, and how it was filled.
pub(super) fn stores(stores: &[StoreFound]) -> Table {
    let heads = [
        "store",
        "root",
        "durable when a block is committed",
        "filled in",
        "files then",
        "peak memory of that",
    ];
    let mut table = empty(&heads.map(str::to_owned));
    for store in stores {
        let fill = store.fill.as_ref();
        let memory = fill.and_then(|it| it.memory_bytes_max);
        table.add_row([
            store.name.clone(),
            store.root.clone(),
            store.durability.clone(),
            fill.map_or_else(none, |it| seconds(it.ns)),
            fill.map_or_else(none, |it| bytes(it.folder_bytes)),
            memory.map_or_else(none, bytes),
        ]);
    }
    for column in table.column_iter_mut().take(3) {
        column.set_cell_alignment(CellAlignment::Left);
    }
    table
}
