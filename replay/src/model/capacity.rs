//! The model of one design, and what it predicts.

use super::{
    Assumption, Hashing, Measured, ModelError, Point, Prediction, Scenario,
    fit::{Curve, LogLine, Tail},
    hashing, machine,
};
use crate::measure::DeviceProfile;
use serde::{Deserialize, Serialize};

/// Fewest runs that a model is fitted to.
const RUNS_MIN: usize = 3;
/// Multiples beyond this one are not looked for.
const MULTIPLE_MAX: u32 = 1_000_000;

/// The fitted model of one design.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DesignModel {
    /// The design.
    pub design: String,
    /// Distinct keys of a block.
    pub keys: Curve,
    /// Seconds without device and hashing, for each key.
    pub key_s: Curve,
    /// What it hashes, for each function whose cost was measured; other hashing is among the seconds for each key.
    #[serde(default)]
    pub hashing: Vec<Hashing>,
    /// Blocks that the store fetches from files, for each key.
    pub block_reads_per_key: LogLine,
    /// Bytes that reach the device.
    pub written_bytes: Curve,
    /// Bytes of the state on disk for each account.
    pub state_bytes_per_account: f64,
    /// p99 over mean.
    pub tail: Tail,
    /// Share of the work that one thread does alone.
    pub serial_share: f64,
    /// Threads of the measured runs.
    pub threads: u32,
    /// What the measured device took to sync, which is among a block's seconds.
    pub sync_s: f64,
    /// What it took to read 4 KiB, one read at a time, in microseconds, where that is known.
    #[serde(default)]
    pub read_latency_us: Option<f64>,
}

impl DesignModel {
    /// Fits a model to the runs of one design on one machine.
    pub fn fit(design: &str, points: &[Point], measured: Measured<'_>) -> Result<Self, ModelError> {
        let device = measured.device;
        let points: Vec<Point> = points
            .iter()
            .filter(|it| it.design == design)
            .cloned()
            .collect();
        if points.len() < RUNS_MIN {
            return Err(ModelError::TooFew {
                design: design.to_owned(),
                expected: RUNS_MIN,
                got: points.len(),
            });
        }
        let degenerate = |quantity| ModelError::Degenerate {
            design: design.to_owned(),
            quantity,
        };
        let of_device = |point: &Point| device.map_or(0.0, |device| point.device_s(device));
        let keys = Curve::fit(&points, 1.0, |it| it.keys).ok_or_else(|| degenerate("keys"))?;
        let sync_s = device
            .and_then(|it| it.sync_latency_us)
            .map_or(0.0, |us| us / 1e6);
        // What the device does not explain; at least a tenth, as it may work while cores do.
        let rest = |it: &Point| (it.mean_s - of_device(it) - sync_s).max(it.mean_s / 10.0);
        let threads = points.iter().map(|it| it.threads).max().unwrap_or(1).max(1);
        let serial_share = serial_share(&points, threads);
        let share = amdahl(serial_share, threads);
        let hashing = Hashing::fit(&points, measured.hash_costs, rest, share);
        let key_s = Curve::fit(&points, 0.0, |it| {
            (rest(it) - share * hashing::seconds_of(&hashing, it)) / it.keys
        })
        .ok_or_else(|| degenerate("block work"))?;
        let written_bytes = Curve::fit(&points, 1.0, |it| it.written_bytes)
            .ok_or_else(|| degenerate("bytes written"))?;
        Ok(Self {
            design: design.to_owned(),
            keys,
            key_s,
            hashing,
            block_reads_per_key: LogLine::fit(&points, |it| it.block_reads / it.keys),
            written_bytes,
            state_bytes_per_account: median(
                points.iter().map(|it| it.state_bytes / it.accounts as f64),
            ),
            tail: Tail::fit(&points),
            serial_share,
            threads,
            sync_s,
            read_latency_us: device.and_then(|it| it.read_latency_us),
        })
    }

    /// What one block costs at a multiple.
    pub fn predict(&self, scenario: &Scenario, multiple: f64) -> Prediction {
        let accounts = scenario.accounts as f64;
        let keys = self.keys.at(multiple, accounts);
        let state_bytes = self.state_bytes_per_account * accounts;
        let miss = 1.0 - (scenario.cache_bytes / state_bytes.max(1.0)).clamp(0.0, 1.0);
        let device_reads = keys * self.block_reads_per_key.at(accounts) * miss;
        let written_bytes = self.written_bytes.at(multiple, accounts);
        let (device, _) = self.completed(scenario);
        let here = amdahl(self.serial_share, self.threads);
        let there = amdahl(self.serial_share, scenario.threads);
        let cpu_s = keys * self.key_s.at(multiple, accounts) * there / here;
        let core_s = |it: &Hashing| {
            let ns = scenario.hash_costs.of(it.function);
            it.core_s(multiple, accounts, ns)
        };
        let hash_s = there * self.hashing.iter().map(core_s).sum::<f64>();
        let read_s = device.seconds(device_reads, 0.0, scenario.threads);
        let write_s = device.seconds(0.0, written_bytes, scenario.threads);
        let sync_s = device.sync_latency_us.map_or(0.0, |us| us / 1e6);
        let mean_s = cpu_s + hash_s + read_s + write_s + sync_s;
        Prediction {
            keys,
            device_reads,
            written_bytes,
            cpu_s,
            hash_s,
            read_s,
            write_s,
            sync_s,
            mean_s,
            p99_s: mean_s * self.tail.at(multiple),
        }
    }

    /// The largest multiple whose p99 block work fits into a slot; `None` if not even one does.
    pub fn largest_multiple(&self, scenario: &Scenario, slot_s: f64) -> Option<u32> {
        let fits = |multiple: u32| self.predict(scenario, f64::from(multiple)).p99_s <= slot_s;
        if !fits(1) {
            return None;
        }
        let (mut low, mut high) = (1, MULTIPLE_MAX);
        while low < high {
            let middle = low + (high - low).div_ceil(2);
            match fits(middle) {
                true => low = middle,
                false => high = middle - 1,
            }
        }
        Some(low)
    }

    /// Seconds of hashing for each key, on the threads of the measured runs.
    pub fn hash_key_s(&self, multiple: f64, accounts: f64) -> f64 {
        let core_s = |it: &Hashing| it.core_s(multiple, accounts, None);
        let core_s: f64 = self.hashing.iter().map(core_s).sum();
        amdahl(self.serial_share, self.threads) * core_s / self.keys.at(multiple, accounts)
    }

    /// What is assumed of a scenario's device, as its profile does not say it.
    pub fn assumptions(&self, scenario: &Scenario) -> Vec<Assumption> {
        self.completed(scenario).1
    }

    fn completed(&self, scenario: &Scenario) -> (DeviceProfile, Vec<Assumption>) {
        let sync_us = Some(self.sync_s * 1e6).filter(|us| *us > 0.0);
        let (device, threads) = (&scenario.device, scenario.threads);
        machine::completed(device, threads, self.read_latency_us, sync_us)
    }
}

/// What a second of work on one core takes on `threads` of them (Amdahl).
fn amdahl(serial_share: f64, threads: u32) -> f64 {
    serial_share + (1.0 - serial_share) / f64::from(threads.max(1))
}

/// The share of work that is done by one thread alone, from how many threads were busy on average.
fn serial_share(points: &[Point], threads: u32) -> f64 {
    if threads < 2 {
        return 1.0;
    }
    let threads = f64::from(threads);
    let busy = median(points.iter().map(|it| it.cpu_s / it.mean_s)).clamp(1.0, threads);
    ((threads / busy - 1.0) / (threads - 1.0)).clamp(0.0, 1.0)
}

/// The middle one; of two, the upper; zero of none.
fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.filter(|it| it.is_finite()).collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests;
