//! Block work against the gas multiple.

use super::{accounts, multiple, timed};
use crate::report::{
    Data, Figure, RunData, Section, Table,
    format::{self, seconds},
    plot::{Axis, LineChart, Reference, Scale, Series},
};

pub(super) fn section(data: &Data) -> Option<Section> {
    let sizes = data.sizes();
    Some(Section {
        id: "multiples",
        title: "Block work against gas".to_owned(),
        text: vec![
            "p99 of block work by gas multiple. With fewer than 100 blocks it is the slowest block: the table says of how many. A run ends early once it is certain that it does not fit: \
             \"2 of 40\" are then the blocks that were measured. \
             Keys are the different ones that a block touches on average: merged blocks of the same users touch fewer than in proportion, and on a state much smaller than mainnet's fewer still."
                .to_owned(),
        ],
        figures: sizes.into_iter().map(|size| figure(data, size)).collect(),
        tables: Vec::new(),
    })
}

/// Different keys of a block, in all tiers.
fn keys(run: &RunData) -> f64 {
    crate::model::Point::of(&run.result, 1, 1).map_or(0.0, |point| point.keys)
}

fn figure(data: &Data, size: u64) -> Figure {
    let mut chart = LineChart::new(
        format!("p99 block work by gas multiple, {}", accounts(size)),
        Axis {
            label: "gas multiple".to_owned(),
            scale: Scale::Log,
            format: format::short,
        },
        Axis {
            label: "p99 block work".to_owned(),
            scale: Scale::Log,
            format: seconds,
        },
    );
    chart.reference = Some(Reference {
        name: format!("slot, {}", seconds(data.slot_s)),
        at: data.slot_s,
    });
    let mut table = Table::new([
        "design", "multiple", "blocks", "mean", "p50", "p90", "p99", "max", "keys", "Mgas/s",
    ]);
    for cell in data.of_size(size) {
        let runs = cell.runs.iter();
        let points = runs.map(|run| (f64::from(run.multiple()), run.p99_s()));
        chart.series.push(Series {
            name: cell.design.name.clone(),
            style: data.style(&cell.design.name),
            points: points.collect(),
        });
        for run in &cell.runs {
            let Some(total) = run.result.metrics.get("total_ns") else {
                continue;
            };
            let s = |ns: u64| timed(run, seconds(ns as f64 / 1e9));
            table.row([
                cell.design.name.clone(),
                multiple(run.multiple()),
                run.result.blocks_text(),
                timed(run, seconds(total.mean / 1e9)),
                s(total.p50),
                s(total.p90),
                s(total.p99),
                s(total.max),
                format::number(keys(run)),
                timed(run, format::number(run.result.totals.mgas_per_second)),
            ]);
        }
    }
    Figure {
        caption: format!("{}. Both axes logarithmic.", accounts(size)),
        svg: chart.svg(),
        choice: None,
        table,
    }
}
