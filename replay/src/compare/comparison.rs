//! All metrics of two runs.

use super::{
    COMPARISON_SCHEMA, P99_BLOCKS_MIN, RESAMPLES,
    bootstrap::{Resampler, intervals, ratio},
    series::{STATISTICS, Series, Statistic},
    workload::{WorkloadDifference, same},
};
use crate::measure::{Blocks, METRICS, Metric, ReadError, RecordedRun, RunStatus, Unit};
use serde::Serialize;
use std::{collections::BTreeMap, path::PathBuf};

/// How runs are compared.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Resamples that each interval is made from.
    pub resamples: u32,
    /// Seed of all draws.
    pub seed: u64,
    /// Compare what is not comparable.
    pub force: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            resamples: RESAMPLES,
            seed: 1,
            force: false,
        }
    }
}

/// Runs cannot be compared.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    /// A file cannot be read, or is damaged.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// They did not do the same. Repeat one of them; or force it, and know that the ratio is not the design's.
    #[error("{0}; --force compares them all the same")]
    Workload(#[from] WorkloadDifference),
    /// One has no block that counts. Repeat it with more blocks.
    #[error("{}: no block that counts", path.display())]
    NoBlocks {
        /// Its folder.
        path: PathBuf,
    },
}

/// Where 95 % of the ratios of resampled runs lie.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Interval {
    /// 2.5 % of them are less.
    pub low: f64,
    /// 2.5 % of them are more. Infinite (`null` in JSON) where A has resamples with nothing.
    pub high: f64,
}

/// One statistic of a metric in both runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Compared {
    /// The metric.
    pub metric: &'static str,
    /// The statistic.
    pub statistic: Statistic,
    /// What it counts.
    pub unit: Unit,
    /// A's.
    pub a: f64,
    /// B's.
    pub b: f64,
    /// B's over A's. Infinite (`null` in JSON) where A has nothing, and B something.
    pub ratio: f64,
    /// Its confidence interval.
    pub interval: Interval,
    /// What two runs of the same design differ by, as a fraction, where it is known.
    pub noise_floor: Option<f64>,
}

impl Compared {
    /// `metric.statistic`.
    pub fn key(&self) -> String {
        format!("{}.{}", self.metric, self.statistic)
    }

    /// Whether B is different, beyond chance and noise.
    pub fn is_different(&self) -> bool {
        let noise = self.noise_floor.unwrap_or_default();
        self.interval.low > 1.0 + noise || self.interval.high < 1.0 / (1.0 + noise)
    }
}

/// Which run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RunName {
    /// Its folder.
    pub dir: PathBuf,
    /// Its design.
    pub design: String,
    /// Its blocks that count.
    pub blocks: usize,
}

/// Two runs beside each other.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// [`COMPARISON_SCHEMA`].
    pub schema: &'static str,
    /// The first.
    pub a: RunName,
    /// The second.
    pub b: RunName,
    /// Whether both have the same blocks, and were resampled together.
    pub paired: bool,
    /// Resamples.
    pub resamples: u32,
    /// Seed of the draws.
    pub seed: u64,
    /// What else differs, or makes the figures less certain.
    pub notes: Vec<String>,
    /// Statistics, by metric in the order of `METRICS`; no p99 where there are fewer than [`P99_BLOCKS_MIN`] blocks.
    pub rows: Vec<Compared>,
}

impl Comparison {
    /// Reads the rows of both runs, and compares them.
    pub fn of(a: &RecordedRun, b: &RecordedRun, settings: Settings) -> Result<Self, CompareError> {
        let mut notes = notes(a, b);
        match same(&a.result.workload, &b.result.workload) {
            Err(difference) if settings.force => notes.push(difference.to_string()),
            other => other?,
        }
        let (of_a, of_b) = (a.blocks()?, b.blocks()?);
        let (numbers_a, numbers_b) = (of_a.counted_numbers(), of_b.counted_numbers());
        for (run, numbers) in [(a, &numbers_a), (b, &numbers_b)] {
            if numbers.is_empty() {
                let path = run.dir.clone();
                return Err(CompareError::NoBlocks { path });
            }
        }
        let paired = numbers_a == numbers_b;
        let own = Resampler::new(numbers_a.len(), settings.seed);
        // Another key of the cipher: were it the same, runs of one length would be drawn alike though they are no pair.
        let other = Resampler::new(numbers_b.len(), !settings.seed);
        let resamplers = (own, (!paired).then_some(other));
        let name = |run: &RecordedRun, blocks: usize| RunName {
            dir: run.dir.clone(),
            design: run.result.design.name.clone(),
            blocks,
        };
        Ok(Self {
            schema: COMPARISON_SCHEMA,
            a: name(a, numbers_a.len()),
            b: name(b, numbers_b.len()),
            paired,
            resamples: settings.resamples,
            seed: settings.seed,
            notes,
            rows: rows((&of_a, &of_b), resamplers, settings.resamples, &noise(a, b)),
        })
    }

    /// Whether there are enough blocks for a p99.
    pub fn has_p99(&self) -> bool {
        has_p99(self.a.blocks, self.b.blocks)
    }

    /// The row of a statistic.
    pub fn row(&self, metric: &str, statistic: Statistic) -> Option<&Compared> {
        self.rows
            .iter()
            .find(|row| row.metric == metric && row.statistic == statistic)
    }

    /// How far apart the two are, if they ran the same design on the same machine: for each statistic the farther end of its
    /// interval, as a fraction. To be stored in `RunResult::noise_floor`.
    pub fn noise_floor(&self) -> BTreeMap<String, f64> {
        let floor = |row: &Compared| {
            let farther = (row.interval.high - 1.0)
                .max(1.0 - row.interval.low)
                .max(0.0);
            farther.is_finite().then(|| (row.key(), farther))
        };
        self.rows.iter().filter_map(floor).collect()
    }

    /// Takes a noise floor that was measured apart: of both, the larger one counts.
    pub fn raise_noise_floor(&mut self, floor: &BTreeMap<String, f64>) {
        for row in &mut self.rows {
            let known = [row.noise_floor, floor.get(&row.key()).copied()];
            row.noise_floor = known.into_iter().flatten().reduce(f64::max);
        }
    }
}

fn has_p99(a: usize, b: usize) -> bool {
    a.min(b) >= P99_BLOCKS_MIN
}

/// The larger of the noise floors that either result knows.
fn noise(a: &RecordedRun, b: &RecordedRun) -> BTreeMap<String, f64> {
    let mut noise = a.result.noise_floor.clone();
    for (key, floor) in &b.result.noise_floor {
        let known = noise.entry(key.clone()).or_insert(*floor);
        *known = known.max(*floor);
    }
    noise
}

fn rows(
    (a, b): (&Blocks, &Blocks),
    resamplers: (Resampler, Option<Resampler>),
    resamples: u32,
    noise: &BTreeMap<String, f64>,
) -> Vec<Compared> {
    let both = METRICS.iter().filter_map(|metric| {
        let (of_a, of_b) = (a.counted(metric.name)?, b.counted(metric.name)?);
        Some((metric, (Series::new(of_a), Series::new(of_b))))
    });
    let (metrics, pairs): (Vec<&Metric>, Vec<_>) = both.unzip();
    let ones = |blocks: &Blocks| vec![1; blocks.counted_numbers().len()];
    let (ones_a, ones_b) = (ones(a), ones(b));
    let with_p99 = has_p99(ones_a.len(), ones_b.len());
    let intervals = intervals(&pairs, resamplers, resamples);
    let mut rows = vec![];
    for ((metric, (of_a, of_b)), intervals) in metrics.iter().zip(&pairs).zip(intervals) {
        let (of_a, of_b) = (of_a.statistics(&ones_a), of_b.statistics(&ones_b));
        for (at, statistic) in STATISTICS.into_iter().enumerate() {
            if statistic == Statistic::P99 && !with_p99 {
                continue;
            }
            rows.push(Compared {
                metric: metric.name,
                statistic,
                unit: metric.unit,
                a: of_a[at],
                b: of_b[at],
                ratio: ratio(of_a[at], of_b[at]),
                interval: intervals[at],
                noise_floor: noise.get(&format!("{}.{statistic}", metric.name)).copied(),
            });
        }
    }
    rows
}

/// What a reader should know before the figures.
fn notes(a: &RecordedRun, b: &RecordedRun) -> Vec<String> {
    let mut notes = vec![];
    for (name, run) in [("A", &a.result), ("B", &b.result)] {
        match run.status {
            RunStatus::Completed => {}
            RunStatus::Interrupted => notes.push(format!("{name} was interrupted")),
            RunStatus::Failed => notes.push(format!("{name} failed")),
        }
        if run.totals.elapsed_s < 1.0 {
            notes.push(format!(
                "{name} took less than a second: too little to trust"
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
