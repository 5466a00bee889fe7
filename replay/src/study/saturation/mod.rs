//! What a run used, as shares of what there is.
//!
//! Shares are of the time in which blocks were at work, and each is 1 where a resource could give no more:
//!
//! | resource | share |
//! |---|---|
//! | CPU | CPU time over the time of all CPUs: cores, or the quota of the control group where that is less |
//! | hashing | time in which roots were computed: hashing that waits for nothing else is at 1, on however many cores it runs |
//! | read IOPS, write IOPS | requests that the device completed, over the most that it was probed to do, or is said to |
//! | read, write bandwidth | bytes that this process moved, over the device's sequential rate |
//! | fsync | waits for the device to have the store's bytes, times what one takes when nothing else is asked of it |
//! | memory | what was resident at most, over the machine's memory, or the control group's limit where that is less |
//!
//! Waits that run beside each other can make fsync more than 1. What permutations cost is not measured with a run, hence the stage's
//! time: it also has what the stage reads and allocates.

mod resource;
#[cfg(test)]
mod tests;

pub use resource::Resource;

use crate::measure::{DeviceProfile, RunResult};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// What a run used while it was at work, as shares of what there is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Saturation {
    /// What was nearest to its limit, or over it; `None` where nothing is known.
    pub first: Option<Resource>,
    /// The share of each resource; those whose limit is not known are left out.
    pub shares: Vec<(Resource, f64)>,
    /// The stage that took most of the time: `state_read`, `state_hash` or `commit`.
    pub stage: String,
    /// Its share of the block work.
    pub stage_share: f64,
    /// Cores that the process could use.
    pub cores: u32,
    /// CPUs whose time it could use: less than cores where a control group has a quota.
    pub cpus: f64,
    /// Threads that read and hashed.
    pub threads: u32,
}

impl Saturation {
    /// The share of a resource; `None` where its limit is not known.
    pub fn share(&self, resource: Resource) -> Option<f64> {
        let mut shares = self.shares.iter();
        shares
            .find(|(it, _)| *it == resource)
            .map(|(_, share)| *share)
    }

    /// What a run used. Shares are of the time in which blocks were at work.
    pub fn of(run: &RunResult) -> Self {
        let cores = run.machine["cpu_cores"].as_u64().unwrap_or(1).max(1);
        let threads = run.config["threads"].as_u64().unwrap_or(cores).max(1);
        let mut shares = shares_of_time(run);
        let memory = memory_bytes(&run.machine).map(|limit| {
            let used = run.totals.memory_bytes_max as f64;
            (Resource::Memory, used / limit)
        });
        shares.extend(memory);
        let (stage, stage_share) = longest_stage(run);
        Self {
            first: shares
                .iter()
                .max_by(|a, b| a.1.total_cmp(&b.1))
                .map(|(resource, _)| *resource),
            shares,
            stage: stage.to_owned(),
            stage_share,
            cores: u32::try_from(cores).unwrap_or(u32::MAX),
            cpus: cpus(&run.machine),
            threads: u32::try_from(threads).unwrap_or(u32::MAX),
        }
    }
}

/// The sum of a metric over the blocks that count.
fn sum(run: &RunResult, name: &str) -> f64 {
    run.metrics.get(name).map_or(0, |it| it.sum) as f64
}

/// Of everything that is used by the second.
fn shares_of_time(run: &RunResult) -> Vec<(Resource, f64)> {
    let busy_s = run.work_s() + sum(run, "background_ns") / 1e9;
    if busy_s <= 0.0 {
        return Vec::new();
    }
    let per_s = |name: &str| sum(run, name) / busy_s;
    let mut shares = vec![
        (Resource::Cpu, per_s("cpu_ns") / 1e9 / cpus(&run.machine)),
        (Resource::Hashing, per_s("state_hash_ns") / 1e9),
    ];
    if let Some(device) = &run.device {
        let of_device = limits(device).into_iter();
        let known = of_device.filter_map(|(resource, metric, limit)| {
            let limit = limit.filter(|limit| *limit > 0.0)?;
            Some((resource, per_s(metric) / limit))
        });
        shares.extend(known);
    }
    shares
}

/// What a device can do in a second, beside the metric that counts it.
fn limits(device: &DeviceProfile) -> [(Resource, &'static str, Option<f64>); 5] {
    let most = |by_depth: &BTreeMap<u32, f64>, said: Option<f64>| {
        by_depth.values().copied().reduce(f64::max).or(said)
    };
    let reads = most(&device.read_iops, device.read_iops_max);
    let writes = most(&device.write_iops, device.write_iops_max);
    let syncs = device.sync_latency_us.map(|us| 1e6 / us);
    [
        (Resource::ReadIops, "device_reads", reads),
        (Resource::WriteIops, "device_writes", writes),
        (
            Resource::ReadBandwidth,
            "device_read_bytes",
            device.read_bytes_per_second,
        ),
        (
            Resource::WriteBandwidth,
            "device_written_bytes",
            device.write_bytes_per_second,
        ),
        (Resource::Fsync, "store_syncs", syncs),
    ]
}

/// CPUs whose time the process may use.
fn cpus(machine: &Value) -> f64 {
    let cores = machine["cpu_cores"].as_f64().unwrap_or(1.0).max(1.0);
    let quota = machine["cgroup"]["cpus_max"].as_f64();
    let Some(quota) = quota.filter(|quota| *quota > 0.0) else {
        return cores;
    };
    match machine["cpu_cores_allowed"].as_f64() {
        Some(allowed) => quota.min(allowed),
        // Results that do not say it: the count of cores is the quota's where it is that in whole cores, at least one.
        None if quota.floor().max(1.0) == cores => quota,
        None => quota.min(cores),
    }
}

/// Memory that the process may use.
fn memory_bytes(machine: &Value) -> Option<f64> {
    let limits = [
        machine["memory_total_bytes"].as_f64(),
        machine["cgroup"]["memory_bytes_max"].as_f64(),
    ];
    let limits = limits.into_iter().flatten();
    limits.filter(|bytes| *bytes > 0.0).reduce(f64::min)
}

/// The stage that took most of the time, and its share of all three.
fn longest_stage(run: &RunResult) -> (&'static str, f64) {
    let stages =
        ["state_read", "state_hash", "commit"].map(|it| (it, sum(run, &format!("{it}_ns"))));
    let all: f64 = stages.iter().map(|(_, ns)| ns).sum();
    let most = stages.into_iter().max_by(|a, b| a.1.total_cmp(&b.1));
    let (stage, ns) = most.unwrap_or_default();
    (stage, if all > 0.0 { ns / all } else { 0.0 })
}
