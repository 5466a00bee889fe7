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

use super::{Data, RunData, Section, format};

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
