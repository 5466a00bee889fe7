//! The model of one design, and what it predicts.

use super::{
    ModelError, Point, Scenario,
    fit::{Curve, LogLine, Tail},
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
    /// Seconds without a device, for each key.
    pub key_s: Curve,
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
}

/// What a block of a scenario is predicted to cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Prediction {
    /// Keys.
    pub keys: f64,
    /// Reads that reach the device.
    pub device_reads: f64,
    /// Bytes that reach it.
    pub written_bytes: f64,
    /// Seconds of the cores.
    pub cpu_s: f64,
    /// Seconds in which the device reads.
    pub read_s: f64,
    /// Seconds in which it writes and syncs.
    pub write_s: f64,
    /// Mean block work, in seconds.
    pub mean_s: f64,
    /// 99th percentile, in seconds.
    pub p99_s: f64,
}

impl DesignModel {
    /// Fits a model to the runs of one design on one machine.
    pub fn fit(
        design: &str,
        points: &[Point],
        device: Option<&DeviceProfile>,
    ) -> Result<Self, ModelError> {
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
        let key_s = Curve::fit(&points, 0.0, |it| rest(it) / it.keys)
            .ok_or_else(|| degenerate("block work"))?;
        let written_bytes = Curve::fit(&points, 1.0, |it| it.written_bytes)
            .ok_or_else(|| degenerate("bytes written"))?;
        let threads = points.iter().map(|it| it.threads).max().unwrap_or(1).max(1);
        Ok(Self {
            design: design.to_owned(),
            keys,
            key_s,
            block_reads_per_key: LogLine::fit(&points, |it| it.block_reads / it.keys),
            written_bytes,
            state_bytes_per_account: median(
                points.iter().map(|it| it.state_bytes / it.accounts as f64),
            ),
            tail: Tail::fit(&points),
            serial_share: serial_share(&points, threads),
            threads,
            sync_s,
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
        let device = &scenario.device;
        let sync_there = device.sync_latency_us.map_or(self.sync_s, |us| us / 1e6);
        let cpu_s = keys * self.key_s.at(multiple, accounts) * self.cores(scenario.threads);
        let read_s = device.seconds(device_reads, 0.0, scenario.threads);
        let write_s = device.seconds(0.0, written_bytes, scenario.threads) + sync_there;
        let mean_s = cpu_s + read_s + write_s;
        Prediction {
            keys,
            device_reads,
            written_bytes,
            cpu_s,
            read_s,
            write_s,
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

    /// Time on `threads` cores beside that on the measured ones (Amdahl).
    fn cores(&self, threads: u32) -> f64 {
        let serial = self.serial_share;
        let time = |threads: u32| serial + (1.0 - serial) / f64::from(threads.max(1));
        time(threads) / time(self.threads)
    }
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
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn device() -> DeviceProfile {
        DeviceProfile {
            name: "test".to_owned(),
            source: "made up".to_owned(),
            read_iops: BTreeMap::from([(1, 10_000.0), (2, 20_000.0), (32, 100_000.0)]),
            read_latency_us: Some(100.0),
            sync_latency_us: Some(100.0),
            read_bytes_per_second: Some(1e9),
            write_bytes_per_second: Some(3e8),
            ..DeviceProfile::default()
        }
    }

    /// Runs of a machine that follows the model's own law, with a little noise.
    fn runs() -> Vec<Point> {
        let mut points = Vec::new();
        for (size, accounts) in [1_000_000u64, 10_000_000].into_iter().enumerate() {
            for (step, multiple) in [1u32, 10, 100, 1_000].into_iter().enumerate() {
                let keys = 2_000.0 * f64::from(multiple).powf(0.95);
                let device_reads = keys * 0.2 * size as f64;
                let written_bytes = keys * 300.0;
                let noise = 1.0 + 0.02 * ((step * 7 + size * 3) % 5) as f64 - 0.04;
                let cpu = 0.001 + keys * (1e-6 + 5e-7 * (accounts as f64).ln());
                let mean_s = noise * (cpu + device().seconds(device_reads, written_bytes, 2));
                points.push(Point {
                    design: "mpt".to_owned(),
                    accounts,
                    multiple,
                    blocks: 100,
                    keys,
                    block_reads: keys * 0.25,
                    device_reads,
                    written_bytes,
                    cpu_s: mean_s * 1.6,
                    mean_s,
                    p99_s: mean_s * 1.3,
                    state_bytes: accounts as f64 * 300.0,
                    threads: 2,
                });
            }
        }
        points
    }

    #[test]
    fn no_run_that_was_held_out_is_mispredicted() {
        let all = runs();
        for held_out in &all {
            let rest: Vec<_> = all.iter().filter(|it| *it != held_out).cloned().collect();
            let model = DesignModel::fit("mpt", &rest, Some(&device())).expect("seven runs");
            let mut scenario = Scenario {
                accounts: held_out.accounts,
                threads: 2,
                cache_bytes: f64::INFINITY,
                device: device(),
            };
            let misses = held_out.device_reads / held_out.block_reads;
            scenario.cache_bytes = held_out.state_bytes * (1.0 - misses);
            let got = model.predict(&scenario, f64::from(held_out.multiple)).p99_s;
            let error = got / held_out.p99_s - 1.0;
            assert!(error.abs() < 0.15, "{error} at {held_out:?}");
        }
    }

    #[test]
    fn no_multiple_beyond_the_largest_fits() {
        let model = DesignModel::fit("mpt", &runs(), Some(&device())).expect("eight runs");
        let scenario = Scenario {
            accounts: 380_000_000,
            threads: 8,
            cache_bytes: 32e9,
            device: device(),
        };
        let largest = model.largest_multiple(&scenario, 12.0).expect("one fits");
        assert!(model.predict(&scenario, f64::from(largest)).p99_s <= 12.0);
        assert!(model.predict(&scenario, f64::from(largest + 1)).p99_s > 12.0);
        assert_eq!(model.largest_multiple(&scenario, 1e-9), None);
    }

    #[test]
    fn too_few_runs_are_never_a_model() {
        let got = DesignModel::fit("mpt", &runs()[..2], None);
        let expected = ModelError::TooFew {
            design: "mpt".to_owned(),
            expected: 3,
            got: 2,
        };
        assert_eq!(got, Err(expected));
        let same = vec![runs()[0].clone(); 3];
        let got = DesignModel::fit("mpt", &same, None);
        assert!(matches!(got, Ok(_) | Err(ModelError::Degenerate { .. })));
    }
}
