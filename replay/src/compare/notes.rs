//! What a reader should know before the figures.

use crate::measure::{RecordedRun, RunStatus};

/// What differs between two runs besides their design, or makes their figures less certain.
pub(super) fn notes(a: &RecordedRun, b: &RecordedRun) -> Vec<String> {
    let mut notes = vec![];
    for (name, run) in [("A", &a.result), ("B", &b.result)] {
        match run.status {
            RunStatus::Completed => {}
            RunStatus::Decided => notes.push(format!(
                "{name} ended early: its p99 could not fit the slot any more"
            )),
            RunStatus::Interrupted => notes.push(format!("{name} was interrupted")),
            RunStatus::Failed => notes.push(format!("{name} failed")),
        }
        if run.is_short() {
            notes.push(format!(
                "{name} was at work for less than a second: too little to trust"
            ));
        }
        if run.program.dirty == Some(true) {
            notes.push(format!("{name} was built from changes without a commit"));
        }
    }
    for fact in [
        "hostname",
        "cpu_model",
        "kernel_version",
        "file_system",
        "block_device",
    ] {
        let (of_a, of_b) = (&a.result.machine[fact], &b.result.machine[fact]);
        if of_a != of_b {
            notes.push(format!(
                "their machines differ in {fact}: {of_a} and {of_b}"
            ));
        }
    }
    notes
}
