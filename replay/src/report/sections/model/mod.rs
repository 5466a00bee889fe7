//! The capacity model beside every measured point, and what it predicts.

mod hashing;
mod predicted;

use super::{accounts, multiple, timed};
use crate::{
    model::PointError,
    report::{
        CellData, Data, Figure, RunData, Section, Table,
        format::{self, seconds, signed_percent},
        plot::{Axis, LineChart, Scale, Series},
    },
    study::ModelReport,
};

/// A model is relied on if it predicted the run that was held out with no larger error.
const TRUSTED_ERROR: f64 = 0.25;

pub(super) fn section(data: &Data) -> Option<Section> {
    let fitted = data.models.iter().any(|model| model.accuracy.is_some());
    if !fitted {
        return None;
    }
    let mut tables = vec![errors(data)];
    tables.extend(predicted::table(data));
    Some(Section {
        id: "model",
        title: "Capacity model".to_owned(),
        text: texts(data),
        figures: vec![points(data)],
        tables,
    })
}

fn texts(data: &Data) -> Vec<String> {
    let mut text = vec![
        "A small model for each design, fitted to its runs: keys of a block, permutations of hash functions, other CPU time for each key by state size, blocks fetched for each key, bytes written; with the device's own figures for reads, writes and syncs. \
         Each run is also predicted by a model that was fitted without it."
            .to_owned(),
        hashing::text(data),
    ];
    let held_out: Vec<String> = data
        .models
        .iter()
        .filter_map(|model| {
            let accuracy = model.accuracy.as_ref()?;
            Some(format!(
                "{} {} ({})",
                model.design,
                signed_percent(accuracy.held_out?),
                signed_percent(accuracy.held_out_p99?)
            ))
        })
        .collect();
    if let Some(at) = data.study.as_ref().and_then(|study| study.held_out)
        && !held_out.is_empty()
    {
        text.push(format!(
            "Held out altogether: {} at {}. Predicted against measured mean block work there, and p99 in brackets, which of few blocks is their maximum: {}.",
            multiple(at.multiple),
            accounts(at.accounts),
            held_out.join(", ")
        ));
        text.push(verdict(data));
    }
    for model in &data.models {
        if let Some(missing) = &model.missing {
            text.push(format!("No model: {missing}."));
        }
    }
    text.extend(predicted::assumptions(data));
    text
}

/// Which models are trusted, by the run that was held out.
fn verdict(data: &Data) -> String {
    let (mut within, mut beyond, mut unchecked) = (Vec::new(), Vec::new(), Vec::new());
    for (model, accuracy) in with_accuracy(data) {
        match accuracy.held_out {
            Some(error) if error.abs() <= TRUSTED_ERROR => within.push(&*model.design),
            Some(_) => beyond.push(&*model.design),
            None => unchecked.push(&*model.design),
        }
    }
    let allowed = format::percent(TRUSTED_ERROR);
    let mut text = match (within, beyond) {
        (_, beyond) if beyond.is_empty() => {
            format!(
                "Every model that was checked predicted that run's mean block work within {allowed}."
            )
        }
        (within, beyond) if within.is_empty() => format!(
            "No model predicted that run's mean block work within {allowed}: {}. Their predictions are not to be relied on.",
            beyond.join(", ")
        ),
        (within, beyond) => format!(
            "Within {allowed} of that run's mean block work: {}. Beyond it, and not to be relied on: {}.",
            within.join(", "),
            beyond.join(", ")
        ),
    };
    if !unchecked.is_empty() {
        text += &format!(
            " Not measured there, and so unchecked: {}.",
            unchecked.join(", ")
        );
    }
    text
}

fn points(data: &Data) -> Figure {
    let axis = |label: &str| Axis {
        label: label.to_owned(),
        scale: Scale::Log,
        format: seconds,
    };
    let mut chart = LineChart::new(
        "Predicted against measured block work",
        axis("measured mean block work"),
        axis("predicted mean block work"),
    );
    chart.joined = false;
    chart.diagonal = true;
    let mut table = Table::new([
        "design",
        "accounts",
        "multiple",
        "measured mean",
        "predicted",
        "error",
        "left out",
        "measured p99",
        "predicted",
        "error",
        "held out",
    ]);
    for (model, accuracy) in with_accuracy(data) {
        chart.series.push(Series {
            name: model.design.clone(),
            style: data.style(&model.design),
            points: accuracy
                .points
                .iter()
                .map(|it| (it.measured_s, it.predicted_s))
                .collect(),
        });
        for point in &accuracy.points {
            table.row([
                model.design.clone(),
                format::count(point.accounts),
                multiple(point.multiple),
                measured(data, model, point, point.measured_s),
                seconds(point.predicted_s),
                signed_percent(point.error),
                point.left_out_error.map_or("-".to_owned(), signed_percent),
                measured(data, model, point, point.measured_p99_s),
                seconds(point.predicted_p99_s),
                signed_percent(point.p99_error),
                if point.held_out { "yes" } else { "" }.to_owned(),
            ]);
        }
    }
    Figure {
        caption: "Each measured run; the dashed line is where prediction and measurement agree."
            .to_owned(),
        svg: chart.svg(),
        choice: None,
        table,
    }
}

/// A measured time, marked where its run is too short for it.
fn measured(data: &Data, model: &ModelReport, point: &PointError, s: f64) -> String {
    match run_of(data, &model.design, point) {
        Some(run) => timed(run, seconds(s)),
        None => seconds(s),
    }
}

/// The run of a design that a model is compared with at a point.
fn run_of<'d>(data: &'d Data, design: &str, point: &PointError) -> Option<&'d RunData> {
    let of_design = |cell: &&CellData| cell.design.name == design;
    let cell = data.of_size(point.accounts).find(of_design);
    cell.and_then(|cell| cell.at(point.multiple))
}

fn with_accuracy(data: &Data) -> impl Iterator<Item = (&ModelReport, &crate::model::Accuracy)> {
    data.models
        .iter()
        .filter_map(|model| Some((model, model.accuracy.as_ref()?)))
}

fn errors(data: &Data) -> Table {
    let mut table = Table::new([
        "design",
        "runs",
        "largest error, fitted",
        "largest error, left out",
        "error, held out",
        "CPU a key, 1,000x",
        "hashing a key, 1,000x",
        "p99 / mean, 1,000x",
        "serial share",
    ])
    .titled("Models. Errors are predicted / measured - 1, of mean block work.");
    let largest = data.sizes().last().copied().unwrap_or(1) as f64;
    for (report, accuracy) in with_accuracy(data) {
        let Some(model) = &report.model else { continue };
        table.row([
            report.design.clone(),
            format::count(accuracy.points.len() as u64),
            signed_percent(accuracy.fitted_max),
            accuracy.left_out_max.map_or("-".to_owned(), signed_percent),
            accuracy.held_out.map_or("-".to_owned(), signed_percent),
            seconds(model.key_s.at(1_000.0, largest)),
            match model.hashing.is_empty() {
                true => "-".to_owned(),
                false => seconds(model.hash_key_s(1_000.0, largest)),
            },
            format::number(model.tail.at(1_000.0)),
            format::percent(model.serial_share),
        ]);
    }
    table
}
