//! What a report is of: a study, or runs.

use super::ReportError;
use crate::{
    measure::{DesignInfo, Deviation, DeviceProfile, RecordedRun, RunResult, StateSize},
    model::HashCosts,
    replay::RunConfig,
    study::{Largest, ModelReport, NoiseFloor, NoiseMissing, Saturation, StudyResult, StudySpec},
};
use std::path::{Path, PathBuf};

/// Everything that a report shows.
#[derive(Clone, Debug)]
pub struct Data {
    /// Its title.
    pub title: String,
    /// The study, where there is one.
    pub study: Option<StudySpec>,
    /// Designs at state sizes, in the order in which they were measured.
    pub cells: Vec<CellData>,
    /// Models of a study.
    pub models: Vec<ModelReport>,
    /// What was run on.
    pub machine: serde_json::Value,
    /// What the device can do, where it was probed.
    pub device: Option<DeviceProfile>,
    /// What hashing takes on it, where a study measured that.
    pub hash_costs: HashCosts,
    /// Blocks at which roots of designs with the same trie were compared.
    pub roots_compared: u64,
    /// Seconds of a slot.
    pub slot_s: f64,
    /// A study's workload beside mainnet's numbers.
    pub deviations: Vec<Deviation>,
    /// What no difference in a study may be smaller than.
    pub noise_floor: Option<NoiseFloor>,
    /// Why there is none, where a study did repeat a run.
    pub noise_floor_missing: Option<NoiseMissing>,
}

/// A design at a state size.
#[derive(Clone, Debug)]
pub struct CellData {
    /// The design.
    pub design: DesignInfo,
    /// Accounts at the start.
    pub accounts: u64,
    /// The state at the start.
    pub state: StateSize,
    /// Runs, by ascending multiple.
    pub runs: Vec<RunData>,
    /// The largest multiple that fits, where it was looked for.
    pub largest: Largest,
    /// What was nearest to its limit there.
    pub saturation: Option<Saturation>,
}

/// A run.
#[derive(Clone, Debug)]
pub struct RunData {
    /// Its result.
    pub result: RunResult,
    /// Block work of each block that counts, in nanoseconds, ascending.
    pub total_ns: Vec<u64>,
}

impl RunData {
    fn open(path: &Path) -> Result<Self, ReportError> {
        let run = RecordedRun::open(path)?;
        let mut total_ns = run.blocks()?.counted("total_ns").unwrap_or_default();
        total_ns.sort_unstable();
        Ok(Self {
            result: run.result,
            total_ns,
        })
    }

    /// The gas multiple.
    pub fn multiple(&self) -> u32 {
        self.result.workload.gas_multiple
    }

    /// Accounts that its store was filled with for generated blocks; of a trace, those that were there when blocks
    /// began to count.
    pub fn accounts(&self) -> u64 {
        let config = &self.result.config;
        if !config["trace"].is_null() {
            return self.result.state_before.accounts;
        }
        config["accounts"].as_u64().unwrap_or(RunConfig::ACCOUNTS)
    }

    /// The mean of a metric over blocks; zero where it is not known.
    pub fn mean(&self, metric: &str) -> f64 {
        let metric = self.result.metrics.get(metric);
        metric.map_or(0.0, |it| it.mean)
    }

    /// The sum of a metric over blocks.
    pub fn sum(&self, metric: &str) -> f64 {
        let metric = self.result.metrics.get(metric);
        metric.map_or(0.0, |it| it.sum as f64)
    }

    /// p99 block work, in seconds.
    pub fn p99_s(&self) -> f64 {
        let total = self.result.metrics.get("total_ns");
        total.map_or(0.0, |it| it.p99 as f64 / 1e9)
    }

    /// Blocks that count.
    pub fn blocks(&self) -> u64 {
        self.result.totals.blocks
    }
}

impl Data {
    /// Reads a study, or runs.
    pub fn open(paths: &[PathBuf]) -> Result<Self, ReportError> {
        let mut data: Option<Self> = None;
        let mut runs = Vec::new();
        for path in paths {
            match StudyResult::read(path).map_err(Box::new)? {
                Some(_) if data.is_some() => {
                    return Err(ReportError::SecondStudy { path: path.clone() });
                }
                Some(study) => data = Some(Self::of_study(path, study)?),
                None => runs.push(RunData::open(path)?),
            }
        }
        let mut data = data.unwrap_or_else(Self::empty);
        for run in runs {
            data.add(run);
        }
        if data.cells.iter().all(|cell| cell.runs.is_empty()) {
            let path = paths.first().cloned().unwrap_or_default();
            return Err(ReportError::Empty { path });
        }
        Ok(data)
    }

    fn empty() -> Self {
        Self {
            title: "Runs".to_owned(),
            study: None,
            cells: Vec::new(),
            models: Vec::new(),
            machine: serde_json::Value::Null,
            device: None,
            hash_costs: HashCosts::default(),
            roots_compared: 0,
            slot_s: 12.0,
            deviations: Vec::new(),
            noise_floor: None,
            noise_floor_missing: None,
        }
    }

    fn of_study(dir: &Path, study: StudyResult) -> Result<Self, ReportError> {
        let mut data = Self {
            title: study.spec.name.clone(),
            slot_s: study.spec.slot_s,
            study: Some(study.spec),
            cells: Vec::new(),
            models: study.models,
            machine: study.machine,
            device: study.device,
            hash_costs: study.hash_costs,
            roots_compared: study.roots_compared,
            deviations: study.deviations,
            noise_floor: study.noise_floor,
            noise_floor_missing: study.noise_floor_missing,
        };
        for cell in study.cells {
            let runs = cell
                .runs
                .iter()
                .map(|run| RunData::open(&dir.join(&run.dir)));
            data.cells.push(CellData {
                design: cell.design,
                accounts: cell.cell.accounts,
                state: cell.state,
                runs: runs.collect::<Result<_, _>>()?,
                largest: cell.largest,
                saturation: cell.saturation,
            });
        }
        Ok(data)
    }

    /// Adds a run beside those of its design and state size.
    fn add(&mut self, run: RunData) {
        if self.machine.is_null() {
            self.machine = run.result.machine.clone();
            self.device = run.result.device.clone();
            self.slot_s = run.result.workload.slot_s;
        }
        let accounts = run.accounts();
        let of_run =
            |cell: &&mut CellData| cell.design == run.result.design && cell.accounts == accounts;
        let cell = match self.cells.iter_mut().find(of_run) {
            Some(cell) => cell,
            None => {
                self.cells.push(CellData {
                    design: run.result.design.clone(),
                    accounts,
                    state: run.result.state_before.clone(),
                    runs: Vec::new(),
                    largest: Largest::default(),
                    saturation: None,
                });
                self.cells.last_mut().expect("it was just pushed")
            }
        };
        cell.add(run, self.slot_s);
    }

    /// State sizes, ascending.
    pub fn sizes(&self) -> Vec<u64> {
        let mut sizes: Vec<u64> = self.cells.iter().map(|cell| cell.accounts).collect();
        sizes.sort_unstable();
        sizes.dedup();
        sizes
    }

    /// Names of designs, in the order in which they were measured.
    pub fn designs(&self) -> Vec<&str> {
        let mut designs: Vec<&str> = Vec::new();
        for cell in &self.cells {
            if !designs.contains(&cell.design.name.as_str()) {
                designs.push(&cell.design.name);
            }
        }
        designs
    }

    /// Place of a design among [`Self::designs`]: which colour it has.
    pub fn style(&self, design: &str) -> usize {
        let designs = self.designs();
        designs.iter().position(|it| *it == design).unwrap_or(0)
    }

    /// Cells of a state size.
    pub fn of_size(&self, accounts: u64) -> impl Iterator<Item = &CellData> {
        self.cells
            .iter()
            .filter(move |cell| cell.accounts == accounts)
    }

    /// Multiples at which a design of a state size was measured, ascending; of a study those that its file names, without
    /// the steps of its search.
    pub fn multiples(&self, accounts: u64) -> Vec<u32> {
        let is_named = |multiple: &u32| {
            let study = self.study.as_ref();
            study.is_none_or(|study| study.multiples.contains(multiple))
        };
        let runs = self.of_size(accounts).flat_map(|cell| &cell.runs);
        let mut multiples: Vec<u32> = runs.map(RunData::multiple).filter(is_named).collect();
        multiples.sort_unstable();
        multiples.dedup();
        multiples
    }

    /// The largest multiple that every design of a state size was measured at.
    pub fn common_multiple(&self, accounts: u64) -> Option<u32> {
        let everywhere = |multiple: &u32| {
            self.of_size(accounts)
                .all(|cell| cell.at(*multiple).is_some())
        };
        let multiples = self.multiples(accounts).into_iter();
        multiples.filter(everywhere).max()
    }
}

impl CellData {
    /// The run at a multiple.
    pub fn at(&self, multiple: u32) -> Option<&RunData> {
        self.runs.iter().find(|run| run.multiple() == multiple)
    }

    /// The run at the largest multiple that fits, or else at the least one.
    pub fn at_largest(&self) -> Option<&RunData> {
        let at_largest = self.largest.multiple.and_then(|multiple| self.at(multiple));
        at_largest.or(self.runs.first())
    }

    fn add(&mut self, run: RunData, slot_s: f64) {
        let multiple = run.multiple();
        let fits = run.p99_s() <= slot_s;
        let largest = &mut self.largest;
        match fits {
            true => largest.multiple = largest.multiple.max(Some(multiple)),
            false => {
                let least = largest.first_unfit.unwrap_or(u32::MAX).min(multiple);
                largest.first_unfit = Some(least);
            }
        }
        let at = self.runs.partition_point(|it| it.multiple() <= multiple);
        self.runs.insert(at, run);
        self.saturation = self.at_largest().map(|run| Saturation::of(&run.result));
    }

    /// What was nearest to its limit, in words.
    pub fn limit(&self) -> String {
        let Some(saturation) = &self.saturation else {
            return "-".to_owned();
        };
        match saturation.first {
            Some(first) => format!(
                "{} {}",
                first.name(),
                super::format::percent(saturation.share(first).unwrap_or_default())
            ),
            None => "-".to_owned(),
        }
    }
}
