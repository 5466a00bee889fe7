//! A measured run, as the model sees it.

use super::HashFunction;
use crate::measure::{DeviceProfile, RunResult};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Means over the blocks of one run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// The design.
    pub design: String,
    /// Accounts at the start.
    pub accounts: u64,
    /// The gas multiple.
    pub multiple: u32,
    /// Blocks that it is a mean of.
    pub blocks: u64,
    /// Distinct keys that a block touches, in all tiers.
    pub keys: f64,
    /// Blocks of 4 KiB that the store fetched from its files for a block.
    pub block_reads: f64,
    /// Of these, those that reached the device.
    pub device_reads: f64,
    /// Bytes that reached the device.
    pub written_bytes: f64,
    /// Permutations or compressions, by hash function; none where it is not known.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub permutations: BTreeMap<HashFunction, f64>,
    /// CPU time, in seconds.
    pub cpu_s: f64,
    /// Mean block work, in seconds.
    pub mean_s: f64,
    /// 99th percentile of block work, in seconds.
    pub p99_s: f64,
    /// Bytes of the state on disk.
    pub state_bytes: f64,
    /// Threads that read and hashed.
    pub threads: u32,
}

impl Point {
    /// What a run on a state of so many accounts says. `None` without blocks that count.
    pub fn of(run: &RunResult, accounts: u64, threads: u32) -> Option<Self> {
        let mean = |name: &str| run.metrics.get(name).map_or(0.0, |it| it.mean);
        let total = run.metrics.get("total_ns").filter(|it| it.count > 0)?;
        let keys = [
            "accounts_read_hit",
            "accounts_read_absent",
            "slots_read_hit",
            "slots_read_absent",
            "temporary_read_hit",
            "temporary_read_absent",
            "records_appended",
            "records_spent",
        ];
        let mut permutations = BTreeMap::new();
        for (metric, function) in HashFunction::of_metrics(&run.design) {
            let hashed = mean(metric);
            if let Some(function) = function
                && hashed > 0.0
            {
                *permutations.entry(function).or_default() += hashed;
            }
        }
        // Earlier results count all tiers together.
        let known = run.metrics.contains_key("accounts_permutations");
        if let (false, Some(function)) = (known, HashFunction::of_whole(&run.design)) {
            permutations.insert(function, mean("permutations"));
        }
        Some(Self {
            design: run.design.name.clone(),
            accounts: accounts.max(1),
            multiple: run.workload.gas_multiple,
            blocks: total.count,
            keys: keys.into_iter().map(mean).sum::<f64>().max(1.0),
            block_reads: mean("block_reads"),
            device_reads: mean("device_read_bytes") / 4096.0,
            written_bytes: mean("device_written_bytes").max(1.0),
            permutations,
            cpu_s: mean("cpu_ns") / 1e9,
            mean_s: total.mean / 1e9,
            p99_s: total.p99 as f64 / 1e9,
            state_bytes: run.state_before.folder_bytes as f64,
            threads,
        })
    }

    /// What of the block work the device explains, in seconds.
    pub(super) fn device_s(&self, device: &DeviceProfile) -> f64 {
        device.seconds(self.device_reads, self.written_bytes, self.threads)
    }

    /// Permutations or compressions of a function.
    pub(super) fn permutations_of(&self, function: HashFunction) -> f64 {
        self.permutations
            .get(&function)
            .copied()
            .unwrap_or_default()
    }

    pub(super) fn ln_multiple(&self) -> f64 {
        f64::from(self.multiple.max(1)).ln()
    }

    pub(super) fn ln_accounts(&self) -> f64 {
        (self.accounts as f64).ln()
    }
}
