//! Bytes read and written for gas, at three levels.

use super::{accounts, for_each_multiple, multiple};
use crate::report::{
    Data, Figure, RunData, Section, Table,
    format::bytes,
    plot::{Bar, BarChart, BarGroup, Scale},
};

/// Levels, with the metrics of reads and writes.
const LEVELS: [(&str, &str, &str); 3] = [
    ("logical", "logical_read_bytes", "logical_written_bytes"),
    ("store", "store_read_bytes", "store_written_bytes"),
    ("device", "device_read_bytes", "device_written_bytes"),
];

pub(super) fn section(data: &Data) -> Option<Section> {
    let figures = for_each_multiple(data, "io", |size, at| figure(data, size, at));
    (!figures.is_empty()).then(|| Section {
        id: "io",
        title: "Bytes for gas".to_owned(),
        text: vec![
            "Bytes for a million units of gas, at three levels and at each gas multiple: first the largest that every design was measured at. Logical: keys and values that the design asks for or hands over. Store: what its store reads from and writes to files, merging included. \
             Device: what reached the block device, as the kernel counts it for this process: reads that the page cache answered are not among them, and writes that it still held at the end of the run are not either."
                .to_owned(),
        ],
        figures,
        tables: Vec::new(),
    })
}

/// Bytes for a million units of gas.
fn per_mgas(run: &RunData, metric: &str) -> f64 {
    run.sum(metric) / (run.sum("gas_used") / 1e6).max(1e-9)
}

fn figure(data: &Data, size: u64, at: u32) -> Option<Figure> {
    let mut groups = Vec::new();
    let mut table = Table::new([
        "design",
        "read, logical",
        "read, store",
        "read, device",
        "written, logical",
        "written, store",
        "written, device",
    ]);
    for cell in data.of_size(size) {
        let Some(run) = cell.at(at) else { continue };
        let bars = LEVELS
            .iter()
            .enumerate()
            .map(|(style, (level, _, written))| Bar {
                name: format!("written, {level}"),
                style,
                value: per_mgas(run, written),
                note: None,
            });
        groups.push(BarGroup {
            name: cell.design.name.clone(),
            bars: bars.collect(),
        });
        let read = LEVELS.iter().map(|(_, read, _)| bytes(per_mgas(run, read)));
        let written = LEVELS
            .iter()
            .map(|(_, _, written)| bytes(per_mgas(run, written)));
        let mut row = vec![cell.design.name.clone()];
        row.extend(read.chain(written));
        table.row(row);
    }
    let chart = BarChart {
        name: format!(
            "Bytes written for a million gas, {}, {}",
            accounts(size),
            multiple(at)
        ),
        label: "bytes written for a million units of gas".to_owned(),
        scale: Scale::Linear,
        format: bytes,
        stacked: false,
        groups,
    };
    (!table.rows.is_empty()).then(|| Figure {
        caption: format!("{}, {}: bytes written.", accounts(size), multiple(at)),
        svg: chart.svg(),
        choice: None,
        table,
    })
}
