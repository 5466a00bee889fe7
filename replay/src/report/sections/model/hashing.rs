//! What the models take hashing for, and which of it has no term of its own.

use super::{run_of, with_accuracy};
use crate::{
    model::{Accuracy, HashFunction, Point},
    report::{
        Data,
        format::{self, seconds},
    },
    study::ModelReport,
};

/// What hashing was taken for.
pub(super) fn text(data: &Data) -> String {
    let costs = data.hash_costs.0.iter();
    let costs: Vec<_> = costs
        .map(|(function, ns)| format!("{function} {}", seconds(ns / 1e9)))
        .collect();
    if costs.is_empty() {
        return "What a hash takes was not measured: the time of hashing is among that of the CPU."
            .to_owned();
    }
    let mut text = format!(
        "Hashing is a term of its own: permutations (or compressions) of a block, times what one takes on one core in a batch, which was measured when the study was begun ({}). What is hashed one at a time takes longer, and the rest of it is among the time of the CPU.",
        costs.join(", ")
    );
    let in_cpu: Vec<_> = with_accuracy(data)
        .filter_map(|(report, accuracy)| in_cpu(data, report, accuracy))
        .collect();
    if !in_cpu.is_empty() {
        text += &format!(
            " Among that of the CPU altogether, as its cost was not measured, or as not every run counts a step of it in a block: {}.",
            in_cpu.join(", ")
        );
    }
    let lowered: Vec<_> = with_accuracy(data)
        .filter_map(|(report, _)| lowered(report))
        .collect();
    if !lowered.is_empty() {
        text += &format!(
            " Where a run's time has no room for that, the model takes less, of the measured costs: {}.",
            lowered.join(", ")
        );
    }
    text
}

/// A design whose model lacks a term for something that its runs hashed, or may have hashed, with what that is.
fn in_cpu(data: &Data, report: &ModelReport, accuracy: &Accuracy) -> Option<String> {
    let hashing = &report.model.as_ref()?.hashing;
    let mut functions = hashed_with(data, report, accuracy);
    functions.retain(|function| hashing.iter().all(|it| it.function != *function));
    let names: Vec<_> = functions.iter().map(ToString::to_string).collect();
    match (names.is_empty(), hashing.is_empty()) {
        (false, _) => Some(format!("{} ({})", report.design, names.join(", "))),
        (true, true) => Some(format!("{} (whatever it is)", report.design)),
        (true, false) => None,
    }
}

/// What a design's runs, of those that its model is compared with, say that they hashed with.
fn hashed_with(data: &Data, report: &ModelReport, accuracy: &Accuracy) -> Vec<HashFunction> {
    let runs = accuracy.points.iter();
    let runs = runs.filter_map(|it| run_of(data, &report.design, it));
    let points = runs.filter_map(|run| Point::of(&run.result, run.accounts(), 1));
    let steps = points.flat_map(|point| point.permutations);
    let mut functions: Vec<_> = steps
        .filter(|(_, steps)| *steps > 0.0)
        .map(|(function, _)| function)
        .collect();
    functions.sort_unstable();
    functions.dedup();
    functions
}

/// A design whose model takes less than the measured costs, with the share that it takes.
fn lowered(report: &ModelReport) -> Option<String> {
    let mut hashing = report.model.as_ref()?.hashing.iter();
    let lowered = hashing.find(|it| it.cost_ns < it.measured_ns)?;
    let share = lowered.cost_ns / lowered.measured_ns;
    Some(format!("{} {}", report.design, format::percent(share)))
}
