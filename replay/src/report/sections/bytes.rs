//! Bytes of an object, by tier.

use super::accounts;
use crate::{
    measure::{StateSize, TierBytes},
    report::{
        CellData, Data, Figure, Section, Table,
        format::{self, bytes},
        plot::{Bar, BarChart, BarGroup, Scale},
    },
};

pub(super) fn section(data: &Data) -> Option<Section> {
    let sizes = data.sizes().into_iter();
    let figures: Vec<_> = sizes.map(|size| figure(data, size)).collect();
    Some(Section {
        id: "bytes",
        title: "Bytes of an object".to_owned(),
        text: vec![
            "What an object takes. Live: on disk and in memory, while it can be read or spent. Permanent: what the state keeps for ever of one that is sealed, and of each record from the beginning; what it keeps of one that expired, a part of a stub, is among the bytes of live ones. \
             Archive: what somebody has to keep so that it can come back; no node needs it to verify. A tier without such objects has no bar."
                .to_owned(),
        ],
        figures,
        tables: Vec::new(),
    })
}

/// Bytes of one object of a tier: live on disk, live in memory, permanent, archived.
pub(super) fn of_object(name: &str, tier: &TierBytes) -> [f64; 4] {
    let per = |bytes: u64, objects: u64| match objects {
        0 => 0.0,
        objects => bytes as f64 / objects as f64,
    };
    [
        per(tier.live_disk_bytes, tier.live_objects),
        per(tier.live_memory_bytes, tier.live_objects),
        per(tier.permanent_bytes, left(name, tier)),
        per(tier.archive_bytes, left(name, tier)),
    ]
}

/// Objects that something is kept of for ever: a record has its bit, and its place in the archive, from the beginning; what
/// else there is, from its end.
const fn left(name: &str, tier: &TierBytes) -> u64 {
    match name.as_bytes() {
        b"utxo" => tier.live_objects + tier.dead_objects,
        _ => tier.dead_objects,
    }
}

/// The state after the last run of a cell.
pub(super) fn state(cell: &CellData) -> &StateSize {
    let last = cell.runs.last();
    last.map_or(&cell.state, |run| &run.result.state_after)
}

fn figure(data: &Data, size: u64) -> Figure {
    let names = ["live, on disk", "live, in memory", "permanent", "archive"];
    let mut groups = Vec::new();
    let mut table = Table::new([
        "design and tier",
        "live objects",
        "dead objects",
        "live, on disk",
        "live, in memory",
        "permanent",
        "archive",
        "whole tier on disk",
    ]);
    for cell in data.of_size(size) {
        for (name, tier) in &state(cell).tiers {
            if tier.live_objects + tier.dead_objects == 0 {
                continue;
            }
            let each = of_object(name, tier);
            let bars = names.iter().zip(each).enumerate();
            let bars = bars.filter(|(_, (_, value))| *value > 0.0);
            let title = format!("{}, {name}", cell.design.name);
            groups.push(BarGroup {
                name: title.clone(),
                bars: bars
                    .map(|(style, (name, value))| Bar {
                        name: (*name).to_owned(),
                        style,
                        value,
                        note: None,
                    })
                    .collect(),
            });
            let mut row = vec![
                title,
                format::count(tier.live_objects),
                format::count(tier.dead_objects),
            ];
            row.extend(each.map(bytes));
            row.push(bytes((tier.live_disk_bytes + tier.permanent_bytes) as f64));
            table.row(row);
        }
    }
    let chart = BarChart {
        name: format!("Bytes of an object by tier, {}", accounts(size)),
        label: "bytes of an object".to_owned(),
        scale: Scale::Log,
        format: bytes,
        stacked: false,
        groups,
    };
    Figure {
        caption: format!("{}, after the last run. Logarithmic.", accounts(size)),
        svg: chart.svg(),
        choice: None,
        table,
    }
}
