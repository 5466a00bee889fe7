//! Where the time of a block goes.

use super::{accounts, multiple, timed};
use crate::report::{
    Data, Figure, RunData, Section, Table,
    format::{self, seconds},
    plot::{Bar, BarChart, BarGroup, Scale},
};

/// Stages, as metrics name them.
const STAGES: [(&str, &str); 4] = [
    ("state_read", "state_read_ns"),
    ("state_hash", "state_hash_ns"),
    ("commit", "commit_ns"),
    ("background", "background_ns"),
];

pub(super) fn section(data: &Data) -> Option<Section> {
    Some(Section {
        id: "stages",
        title: "Time by stage".to_owned(),
        text: vec![
            "Mean time of each stage, for each unit of mainnet's gas that a block carries: what a stage costs more than in proportion shows as a longer bar. \
             Background is what the design owes between blocks: steps of expiry and of seals."
                .to_owned(),
        ],
        figures: data.sizes().into_iter().map(|size| figure(data, size)).collect(),
        tables: Vec::new(),
    })
}

/// Seconds of a stage for one times mainnet's gas.
fn per_multiple(run: &RunData, metric: &str) -> f64 {
    run.mean(metric) / 1e9 / f64::from(run.multiple().max(1))
}

fn figure(data: &Data, size: u64) -> Figure {
    let named = data.study.as_ref().map(|study| study.multiples.clone());
    let shown = |run: &&RunData| {
        named
            .as_ref()
            .is_none_or(|multiples| multiples.contains(&run.multiple()))
    };
    let mut groups = Vec::new();
    let mut table = Table::new([
        "design",
        "multiple",
        "state_read",
        "state_hash",
        "commit",
        "background",
        "total",
        "CPU",
    ]);
    for cell in data.of_size(size) {
        for run in cell.runs.iter().filter(shown) {
            groups.push(BarGroup {
                name: format!("{} {}", cell.design.name, multiple(run.multiple())),
                bars: STAGES
                    .iter()
                    .enumerate()
                    .map(|(style, (name, metric))| Bar {
                        name: (*name).to_owned(),
                        style,
                        value: per_multiple(run, metric),
                        note: None,
                    })
                    .collect(),
            });
            let mean = |metric: &str| timed(run, seconds(run.mean(metric) / 1e9));
            let mut row = vec![cell.design.name.clone(), multiple(run.multiple())];
            row.extend(STAGES.iter().map(|(_, metric)| mean(metric)));
            row.extend([mean("total_ns"), mean("cpu_ns")]);
            table.row(row);
        }
    }
    let chart = BarChart {
        name: format!("Time by stage, {}", accounts(size)),
        label: "mean time for each one times mainnet's gas".to_owned(),
        scale: Scale::Linear,
        format: seconds,
        stacked: true,
        groups,
    };
    Figure {
        caption: format!(
            "{}: mean time by stage over the gas multiple. The table has the times of whole blocks.",
            accounts(size)
        ),
        svg: chart.svg(),
        choice: None,
        table: table.titled(format!(
            "Mean time of a block, {}",
            format::short(size as f64) + " accounts"
        )),
    }
}
