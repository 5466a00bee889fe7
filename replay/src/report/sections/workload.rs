//! The workload beside mainnet.

use crate::report::{
    Data, Section, Table,
    format::{self, number, percent, signed_percent},
};
use std::collections::BTreeMap;

pub(super) fn section(data: &Data) -> Option<Section> {
    let run = data.cells.first()?.runs.first()?;
    let workload = &run.result.workload;
    let mut text = vec![format!(
        "{} workload from {}, multiplied by `{}`, {} loop.",
        capital(&workload.kind),
        workload.source,
        workload.amplify,
        workload.loop_kind
    )];
    if let Some(seed) = workload.seed {
        text.push(format!("Seed {seed}: the same seed gives the same blocks."));
    }
    let mut deviations = Table::new([
        "number",
        "mainnet",
        "workload",
        "deviation",
        "unit",
        "source",
    ])
    .titled("How the workload differs from mainnet.");
    for deviation in data.deviations.iter().chain(&workload.deviations) {
        let relative = match deviation.target {
            0.0 => "-".to_owned(),
            target => signed_percent(deviation.got / target - 1.0),
        };
        deviations.row([
            deviation.name.clone(),
            number(deviation.target),
            number(deviation.got),
            relative,
            deviation.unit.clone(),
            deviation.source.clone(),
        ]);
    }
    Some(Section {
        id: "workload",
        title: "Workload".to_owned(),
        text,
        figures: Vec::new(),
        tables: vec![
            classes(
                &workload.slots_written_by_class,
                &workload.slots_touched_by_class,
            ),
            deviations,
        ],
    })
}

fn classes(written: &BTreeMap<String, u64>, touched: &BTreeMap<String, u64>) -> Table {
    let mut table = Table::new([
        "class of object",
        "slots written",
        "share",
        "slots touched",
        "share",
    ])
    .titled("Slots by class of object, over the blocks that count.");
    let sum = |slots: &BTreeMap<String, u64>| slots.values().sum::<u64>().max(1) as f64;
    let (all_written, all_touched) = (sum(written), sum(touched));
    for (class, touched) in touched {
        let written = written.get(class).copied().unwrap_or(0);
        table.row([
            class.clone(),
            format::count(written),
            percent(written as f64 / all_written),
            format::count(*touched),
            percent(*touched as f64 / all_touched),
        ]);
    }
    table
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().map(|it| it.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}
