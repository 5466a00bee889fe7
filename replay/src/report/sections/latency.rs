//! How block work is spread.

use super::{accounts, for_each_multiple, multiple, timed};
use crate::report::{
    Data, Figure, RunData, Section, Table,
    format::{self, seconds},
    plot::{Axis, LineChart, Scale, Series},
};

/// Places of a curve at most: more do not show.
const PLACES: usize = 200;

pub(super) fn section(data: &Data) -> Option<Section> {
    let figures = for_each_multiple(data, "latency", |size, at| figure(data, size, at));
    (!figures.is_empty()).then(|| Section {
        id: "latency",
        title: "Spread of block work".to_owned(),
        text: vec![
            "Share of blocks whose work took at most so long, at each gas multiple: first the largest that every design was measured at. \
             In a closed loop; an open loop adds waiting where a block is late."
                .to_owned(),
        ],
        figures,
        tables: Vec::new(),
    })
}

fn figure(data: &Data, size: u64, at: u32) -> Option<Figure> {
    let mut chart = LineChart::new(
        format!(
            "Share of blocks by block work, {}, {}",
            accounts(size),
            multiple(at)
        ),
        Axis {
            label: "block work".to_owned(),
            scale: Scale::Log,
            format: seconds,
        },
        Axis {
            label: "share of blocks".to_owned(),
            scale: Scale::Linear,
            format: format::percent,
        },
    );
    chart.markers = false;
    let mut table = Table::new([
        "design", "blocks", "min", "p50", "p90", "p99", "p99.9", "max",
    ]);
    for cell in data.of_size(size) {
        let Some(run) = cell.at(at) else { continue };
        chart.series.push(Series {
            name: cell.design.name.clone(),
            style: data.style(&cell.design.name),
            points: curve(run),
        });
        if let Some(total) = run.result.metrics.get("total_ns") {
            let s = |ns: u64| timed(run, seconds(ns as f64 / 1e9));
            let mut row = vec![cell.design.name.clone(), format::count(total.count)];
            row.extend(
                [
                    total.min, total.p50, total.p90, total.p99, total.p999, total.max,
                ]
                .map(s),
            );
            table.row(row);
        }
    }
    chart.series.retain(|series| !series.points.is_empty());
    (!chart.series.is_empty()).then(|| Figure {
        caption: format!(
            "{}, {}. Level axis logarithmic.",
            accounts(size),
            multiple(at)
        ),
        svg: chart.svg(),
        choice: None,
        table,
    })
}

/// The curve of a run: share of blocks by seconds.
fn curve(run: &RunData) -> Vec<(f64, f64)> {
    let blocks = run.total_ns.len();
    let every = blocks.div_ceil(PLACES).max(1);
    let place = |at: usize| {
        let share = (at + 1) as f64 / blocks as f64;
        (run.total_ns[at] as f64 / 1e9, share)
    };
    let mut points: Vec<_> = (0..blocks).step_by(every).map(place).collect();
    if blocks > 0 {
        points.insert(0, (run.total_ns[0] as f64 / 1e9, 0.0));
        points.push(place(blocks - 1));
    }
    points
}
