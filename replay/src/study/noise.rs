//! How far two runs of the same lie apart: no smaller difference between designs means anything.
//!
//! Once its cells are done, a study repeats one of its runs: of the first design, at the smallest state size, at one
//! of the multiples that its file names ([`NoiseSpec`]). Both runs have the same blocks. Between them lies the rest of the study, so that what
//! the machine drifted by in that time is in their difference too.

use super::{Cell, CellResult, StudyError};
use crate::{
    compare::{self, Comparison, Statistic},
    measure::{MEASURED_S_MIN, RecordedRun, Unit},
};
use core::fmt;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// A time that is no work of the store's.
const WAIT: &str = "wait_ns";
/// The whole work of a block, which comes first.
const WHOLE: &str = "total_ns";

/// Which run is repeated, as a study's file says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "true, false, or one of `multiples`")]
pub enum NoiseSpec {
    /// `true`: the one at the least multiple that was measured for a second or more, or else at the largest
    /// measured. `false`: none.
    Chosen(bool),
    /// The one at this multiple.
    At(u32),
}

impl Default for NoiseSpec {
    fn default() -> Self {
        Self::Chosen(true)
    }
}

/// A run, and the same once more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NoiseFloor {
    /// The cell.
    pub cell: Cell,
    /// The gas multiple.
    pub multiple: u32,
    /// The folder of the run, from the study's.
    pub first: String,
    /// The folder of its repetition.
    pub again: String,
    /// What lies between them.
    pub measured: NoiseMeasured,
}

/// A repetition that has not all blocks of the run, so that there is nothing to compare.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoiseMissing {
    /// The cell.
    pub cell: Cell,
    /// The gas multiple.
    pub multiple: u32,
    /// The folder of the repetition, from the study's.
    pub again: String,
    /// Blocks that it has.
    pub blocks: u64,
    /// Blocks of the run.
    pub blocks_planned: u64,
}

impl fmt::Display for NoiseMissing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "no noise floor: {}, {} accounts, {}x once more ended after {} of {} blocks",
            self.cell.design, self.cell.accounts, self.multiple, self.blocks, self.blocks_planned
        )
    }
}

/// What lies between a run and its repetition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NoiseMeasured {
    /// Blocks that count, in each.
    pub blocks: u64,
    /// Seconds in which blocks were at work, in the shorter of the two.
    pub work_s: f64,
    /// Times, by metric and statistic.
    pub rows: Vec<NoiseRow>,
}

/// A statistic of a time in both runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NoiseRow {
    /// The metric.
    pub metric: String,
    /// The statistic. A p99 of fewer than 125 blocks has no interval.
    pub statistic: Statistic,
    /// In the first run, in nanoseconds.
    pub first_ns: f64,
    /// In its repetition, in nanoseconds.
    pub again_ns: f64,
    /// Its ratio: the repetition over the first.
    pub ratio: f64,
    /// Where 95 % of the ratios of resampled runs lie, where there are enough blocks to say that.
    pub interval: Option<(f64, f64)>,
}

impl NoiseRow {
    /// The fraction that a difference has to exceed: how far from 1 the ratio lies, or the farther end of its interval.
    pub fn floor(&self) -> f64 {
        let (low, high) = self.interval.unwrap_or((self.ratio, self.ratio));
        (high - 1.0).max(1.0 - low).max(0.0)
    }
}

impl NoiseMeasured {
    /// Compares a run with its repetition, by their folders.
    pub fn between(first: &Path, again: &Path) -> Result<Self, StudyError> {
        let open = |dir: &Path| RecordedRun::open(dir).map_err(Box::new);
        let (first, again) = (open(first)?, open(again)?);
        let compared = Comparison::of(&first, &again, compare::Settings::default());
        let comparison = compared.map_err(Box::new)?;
        let mut rows: Vec<NoiseRow> = Vec::new();
        for row in &comparison.rows {
            let is_time = row.unit == Unit::Nanoseconds && row.metric != WAIT;
            if !is_time || row.a <= 0.0 || row.b <= 0.0 {
                continue;
            }
            let ends = (row.interval.low, row.interval.high);
            rows.push(NoiseRow {
                metric: row.metric.to_owned(),
                statistic: row.statistic,
                first_ns: row.a,
                again_ns: row.b,
                ratio: row.ratio,
                interval: (ends.0.is_finite() && ends.1.is_finite()).then_some(ends),
            });
            if row.statistic == Statistic::P90 && !comparison.has_p99() {
                rows.extend(few_blocks_p99(row.metric, &first, &again));
            }
        }
        rows.sort_by_key(|row| row.metric != WHOLE);
        Ok(Self {
            blocks: comparison.a.blocks as u64,
            work_s: first.result.work_s().min(again.result.work_s()),
            rows,
        })
    }

    /// Whether either run is too short for figures of time.
    pub fn is_short(&self) -> bool {
        self.work_s < MEASURED_S_MIN
    }

    /// The row of a statistic.
    pub fn row(&self, metric: &str, statistic: Statistic) -> Option<&NoiseRow> {
        let mut rows = self.rows.iter();
        rows.find(|row| row.metric == metric && row.statistic == statistic)
    }
}

/// The p99 of too few blocks for an interval: that of the results, which is the slowest block below 100.
fn few_blocks_p99(metric: &str, first: &RecordedRun, again: &RecordedRun) -> Option<NoiseRow> {
    let p99 = |run: &RecordedRun| {
        let spread = run.result.metrics.get(metric)?;
        (spread.p99 > 0).then_some(spread.p99 as f64)
    };
    let (first_ns, again_ns) = (p99(first)?, p99(again)?);
    Some(NoiseRow {
        metric: metric.to_owned(),
        statistic: Statistic::P99,
        first_ns,
        again_ns,
        ratio: again_ns / first_ns,
        interval: None,
    })
}

/// A run to repeat.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Repeated {
    pub(super) cell: Cell,
    pub(super) multiple: u32,
    pub(super) blocks: u64,
    pub(super) dir: String,
}

/// Which run of a study to repeat; `None` if none is to be, or if none of its cell was run to its end at a multiple
/// of the file.
pub(super) fn repeated(spec: &super::StudySpec, cells: &[CellResult]) -> Option<Repeated> {
    let design = spec.designs.first()?;
    let accounts = spec.accounts.iter().copied().min()?;
    let wanted = Cell {
        design: design.clone(),
        accounts,
    };
    let cell = cells.iter().find(|it| it.cell == wanted)?;
    let whole = cell
        .runs
        .iter()
        .filter(|run| run.blocks_planned.is_none() && spec.multiples.contains(&run.multiple));
    let run = match spec.noise_floor {
        NoiseSpec::Chosen(false) => None,
        NoiseSpec::At(multiple) => whole.clone().find(|run| run.multiple == multiple),
        NoiseSpec::Chosen(true) => {
            let work_s = |run: &&super::RunPoint| run.point.mean_s * run.blocks as f64;
            let long = whole.clone().find(|run| work_s(run) >= MEASURED_S_MIN);
            long.or(whole.clone().next_back())
        }
    }?;
    Some(Repeated {
        cell: wanted,
        multiple: run.multiple,
        blocks: run.blocks,
        dir: run.dir.clone(),
    })
}
