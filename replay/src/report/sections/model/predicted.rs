//! What the models predict, term by term, and what they assume for it.

use super::{super::multiple, with_accuracy};
use crate::{
    model::{DesignModel, Scenario},
    report::{
        Data, Table,
        format::{self, bytes, seconds},
    },
};

/// The predictions, with the seconds of each term; `None` where the study asks for none.
pub(super) fn table(data: &Data) -> Option<Table> {
    let mut table = Table::new([
        "design",
        "accounts",
        "device",
        "threads",
        "memory for caches",
        "largest multiple",
        "CPU",
        "hashing",
        "reads",
        "writes",
        "sync",
        "most of it",
    ])
    .titled("Predicted largest multiples: extrapolations, beyond what was measured. Times are of a mean block at that multiple, and add up to it.");
    for report in &data.models {
        let separate = report
            .model
            .as_ref()
            .is_some_and(|it| !it.hashing.is_empty());
        for predicted in &report.predicted {
            let scenario = &predicted.scenario;
            let at = &predicted.at_largest;
            table.row([
                report.design.clone(),
                format::count(scenario.accounts),
                machine(scenario, report.model.as_ref()),
                format::count(scenario.threads.into()),
                bytes(scenario.cache_bytes),
                predicted.largest.map_or("below 1x".to_owned(), multiple),
                seconds(at.cpu_s),
                match separate {
                    true => seconds(at.hash_s),
                    false => "in CPU".to_owned(),
                },
                seconds(at.read_s),
                seconds(at.write_s),
                seconds(at.sync_s),
                at.bound_by().name().to_owned(),
            ]);
        }
    }
    (!table.rows.is_empty()).then_some(table)
}

/// The device of a scenario, and its CPU where that hashes at another speed what the model has a term for.
fn machine(scenario: &Scenario, model: Option<&DesignModel>) -> String {
    let hashing = model.into_iter().flat_map(|it| &it.hashing);
    let costs: Vec<_> = hashing
        .filter_map(|it| {
            let ns = scenario.hash_costs.of(it.function)?;
            Some(format!("{} {}", it.function, seconds(ns / 1e9)))
        })
        .collect();
    match costs.is_empty() {
        true => scenario.device.name.clone(),
        false => format!("{}; {}", scenario.device.name, costs.join(", ")),
    }
}

/// What was assumed of each device, in a sentence for each.
pub(super) fn assumptions(data: &Data) -> Vec<String> {
    let mut said: Vec<(&str, Vec<String>)> = Vec::new();
    for predicted in with_accuracy(data).flat_map(|(report, _)| &report.predicted) {
        let name = predicted.scenario.device.name.as_str();
        if predicted.assumed.is_empty() || said.iter().any(|(it, _)| *it == name) {
            continue;
        }
        let assumed = predicted.assumed.iter().map(ToString::to_string);
        said.push((name, assumed.collect()));
    }
    let sentence = |(name, assumed): (&str, Vec<String>)| {
        format!("Assumed of {name}: {}.", assumed.join("; "))
    };
    said.into_iter().map(sentence).collect()
}
