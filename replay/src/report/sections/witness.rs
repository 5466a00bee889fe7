//! What transactions bring along.

use super::{accounts, multiple};
use crate::report::{
    Data, Figure, Section, Table,
    format::{self, bytes},
    plot::{Axis, LineChart, Scale, Series},
};

pub(super) fn section(data: &Data) -> Option<Section> {
    let sizes = data.sizes().into_iter();
    let figures: Vec<_> = sizes.filter_map(|size| figure(data, size)).collect();
    (!figures.is_empty()).then(|| Section {
        id: "witness",
        title: "Witness bandwidth".to_owned(),
        text: vec![format!(
            "Bytes of proofs and paths that transactions must carry because the state does not hold what they prove, for each second of a slot of {}: what the network has to move on top of transactions themselves. \
             Designs that need none are left out.",
            format::seconds(data.slot_s)
        )],
        figures,
        tables: Vec::new(),
    })
}

fn figure(data: &Data, size: u64) -> Option<Figure> {
    let mut chart = LineChart::new(
        format!("Witness bytes by gas multiple, {}", accounts(size)),
        Axis {
            label: "gas multiple".to_owned(),
            scale: Scale::Log,
            format: format::short,
        },
        Axis {
            label: "witness bytes per second".to_owned(),
            scale: Scale::Log,
            format: bytes,
        },
    );
    let mut table = Table::new([
        "design",
        "multiple",
        "witness, per block",
        "per second",
        "per transaction",
        "resurrected leaves",
        "records spent",
    ]);
    for cell in data.of_size(size) {
        let mut points = Vec::new();
        for run in &cell.runs {
            let per_block = run.mean("witness_bytes");
            if per_block <= 0.0 {
                continue;
            }
            points.push((f64::from(run.multiple()), per_block / data.slot_s));
            table.row([
                cell.design.name.clone(),
                multiple(run.multiple()),
                bytes(per_block),
                bytes(per_block / data.slot_s),
                bytes(per_block / run.mean("tx_count").max(1.0)),
                format::number(run.mean("temporary_resurrected")),
                format::number(run.mean("records_spent")),
            ]);
        }
        if !points.is_empty() {
            chart.series.push(Series {
                name: cell.design.name.clone(),
                style: data.style(&cell.design.name),
                points,
            });
        }
    }
    (!chart.series.is_empty()).then(|| Figure {
        caption: format!("{}. Both axes logarithmic.", accounts(size)),
        svg: chart.svg(),
        choice: None,
        table,
    })
}
