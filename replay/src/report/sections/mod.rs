//! The sections of a report, one file for each.

mod bytes;
mod growth;
mod headline;
mod io;
mod latency;
mod machine;
mod model;
mod multiples;
mod noise;
mod stages;
mod witness;
mod workload;

use super::{Choice, Data, Figure, RunData, Section, format};

/// All sections that the data has something for.
pub fn sections(data: &Data) -> Vec<Section> {
    let all = [
        headline::section(data),
        multiples::section(data),
        noise::section(data),
        stages::section(data),
        latency::section(data),
        io::section(data),
        bytes::section(data),
        growth::section(data),
        witness::section(data),
        model::section(data),
        workload::section(data),
        machine::section(data),
    ];
    all.into_iter().flatten().map(explained).collect()
}

/// A figure for each multiple of each state size, of which a reader picks one; first is the largest multiple that every
/// design was measured at, or else the least.
fn for_each_multiple(
    data: &Data,
    id: &str,
    figure: impl Fn(u64, u32) -> Option<Figure>,
) -> Vec<Figure> {
    let mut figures = Vec::new();
    for size in data.sizes() {
        let multiples = data.multiples(size);
        let first = data.common_multiple(size).or(multiples.first().copied());
        for at in multiples {
            let Some(mut figure) = figure(size, at) else {
                continue;
            };
            figure.caption += &not_measured(data, size, at);
            figure.choice = Some(Choice {
                group: format!("{id}-{size}"),
                question: format!("Gas multiple, {}", accounts(size)),
                answer: multiple(at),
                is_first: Some(at) == first,
            });
            figures.push(figure);
        }
    }
    figures
}

/// Which designs a figure of a multiple lacks.
fn not_measured(data: &Data, size: u64, at: u32) -> String {
    let cells = data.of_size(size).filter(|cell| cell.at(at).is_none());
    let names: Vec<_> = cells.map(|cell| cell.design.name.as_str()).collect();
    match names.is_empty() {
        true => String::new(),
        false => format!(" Not measured there: {}.", names.join(", ")),
    }
}

/// Stands behind figures of time from a run that is too short for them.
const SHORT: &str = " \u{2020}";

/// A figure of a run's time, marked where the run is too short for it.
fn timed(run: &RunData, figure: String) -> String {
    match run.result.is_short() {
        true => figure + SHORT,
        false => figure,
    }
}

/// The section, with what the mark means where one of its tables has it.
fn explained(mut section: Section) -> Section {
    let of_figures = section.figures.iter().map(|figure| &figure.table);
    let mut cells = of_figures
        .chain(&section.tables)
        .flat_map(|it| it.rows.iter().flatten());
    if cells.any(|cell| cell.ends_with(SHORT)) {
        let note = "\u{2020} Blocks of this run were at work for less than a second in all: too little for figures of time.";
        section.text.push(note.to_owned());
    }
    section
}

/// A number of accounts, in words.
fn accounts(accounts: u64) -> String {
    format!("{} accounts", format::short(accounts as f64))
}

/// A gas multiple.
fn multiple(multiple: u32) -> String {
    format!("{}x", format::count(multiple.into()))
}
