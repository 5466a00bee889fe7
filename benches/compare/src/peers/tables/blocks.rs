//! Blocks: rates, latencies, bytes.

use super::{
    cells::{bytes, decimal, each, joined, milliseconds, none, whole},
    empty,
};
use crate::peers::DrawsFound;
use comfy_table::Table;

/// A row for each store and size of block.
pub(super) fn blocks(stores: &[(&str, &DrawsFound)], unit: &str) -> Table {
    let mut table = empty(&[
        "store".to_owned(),
        "block".to_owned(),
        format!("{unit}s/s"),
        "blocks".to_owned(),
        "commit p50".to_owned(),
        "p99".to_owned(),
        "max".to_owned(),
        "root p50".to_owned(),
        format!("written B/{unit}: process / device"),
        "read: process / device".to_owned(),
        format!("device reads/{unit}"),
        format!("CPU s/M {unit}s"),
        format!("witness B/{unit}"),
        "peak memory".to_owned(),
    ]);
    for (name, found) in stores {
        for it in &found.blocks.sizes {
            let figures = &it.figures;
            let per = |total: Option<u64>| each(figures.per_update(total));
            let used = &figures.bytes;
            table.add_row([
                (*name).to_owned(),
                whole(it.size.block),
                whole(figures.median_updates_per_second() as u64),
                whole(figures.blocks),
                milliseconds(figures.commit_ns.p50),
                milliseconds(figures.commit_ns.p99),
                milliseconds(figures.commit_ns.max),
                Some(figures.hash_ns.p50)
                    .filter(|ns| *ns > 0)
                    .map_or_else(none, milliseconds),
                joined([
                    per(used.process_written_bytes),
                    per(used.device_written_bytes),
                ]),
                joined([per(used.process_read_bytes), per(used.device_read_bytes)]),
                figures
                    .per_update(used.device_reads)
                    .map_or_else(none, decimal),
                // Nanoseconds for each are thousandths of seconds for a million.
                figures
                    .per_update(Some(figures.cpu_ns))
                    .map_or_else(none, |ns| decimal(ns / 1e3)),
                Some(figures.witness_bytes)
                    .filter(|it| *it > 0)
                    .map_or_else(none, |it| per(Some(it))),
                found.blocks.memory_bytes_max.map_or_else(none, bytes),
            ]);
        }
    }
    table
}
