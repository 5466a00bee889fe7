//! The study: designs, state sizes and gas multiples, and the largest multiple that fits a slot.
//!
//! A study is a TOML file ([`StudySpec`]). Its matrix has a *cell* for each design and state size. In each cell the
//! multiples that the file names are measured; then the largest one whose p99 block work fits a slot is found by
//! bisection between the last that fits and the first that does not ([`search()`]), each step a run of its own on a
//! fresh copy of the filled store. What saturates first is read off the run at that multiple ([`Saturation`]).
//!
//! ```text
//! OUT/study.json                           the whole study, written after each cell
//! OUT/study.lock                           held while a study writes into the folder
//! OUT/runs/DESIGN/ACCOUNTS/xMULTIPLE/      a result folder each, see `docs/results.md`
//! OUT/runs/DESIGN/ACCOUNTS/xMULTIPLE-again the one run that is repeated, for the noise floor
//! ```
//!
//! The last run repeats one of the first design at the smallest state size ([`NoiseSpec`], `noise-floor` in the file): what lies between
//! the two is noise, and no smaller difference between designs means anything ([`NoiseFloor`]).
//!
//! Runs that are complete are not repeated when a study is run again into the same folder; one with another
//! specification is refused, and so is one while another process is at work there. Designs with the same trie
//! must have the same root after every block: a root that differs ends the study with the block and both roots.
//!
//! A run ends early, after two blocks at least, once it is certain that it does not fit: when more of its blocks
//! took longer than the slot than p99 of all of them can bear. With few blocks one is enough. The result says so
//! (status `decided`); `run.whole` in the file runs all blocks.
//!
//! A p99 of few blocks is their maximum. How many there were stands beside each figure: at high multiples a
//! block takes seconds, and a study that gave each 125 blocks would take days.

mod cell;
mod error;
mod folder;
mod noise;
mod predict;
mod replayed;
mod result;
mod run;
mod saturation;
mod search;
mod spec;
mod stored;
#[cfg(test)]
mod tests;

pub use cell::{Cell, CellResult, Largest, RunPoint};
pub use error::StudyError;
pub use noise::{NoiseFloor, NoiseMeasured, NoiseMissing, NoiseRow, NoiseSpec};
pub use predict::{ModelReport, Predicted};
pub use replayed::Replayed;
pub use result::{STUDY_SCHEMA, StudyResult, StudyStatus};
pub use run::{Runner, Shape, run};
pub use saturation::{Resource, Saturation};
pub use search::{Step, search};
pub use spec::{Bisect, PredictSpec, RunSpec, StudySpec};
