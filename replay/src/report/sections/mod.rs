//! The sections of a report, one file for each.

mod bytes;
mod growth;
mod headline;
mod io;
mod latency;
mod machine;
mod model;
mod multiples;
mod stages;
mod witness;
mod workload;

use super::{Data, Section, format};

/// All sections that the data has something for.
pub fn sections(data: &Data) -> Vec<Section> {
    let all = [
        headline::section(data),
        multiples::section(data),
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
    all.into_iter().flatten().collect()
}

/// A number of accounts, in words.
fn accounts(accounts: u64) -> String {
    format!("{} accounts", format::short(accounts as f64))
}

/// A gas multiple.
fn multiple(multiple: u32) -> String {
    format!("{}x", format::count(multiple.into()))
}
