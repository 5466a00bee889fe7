//! What a run used, as shares of what there is.

use crate::measure::RunResult;
use serde::{Deserialize, Serialize};

/// Something that can be used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resource {
    /// Cores.
    Cpu,
    /// Random reads of the device.
    ReadIops,
    /// Bytes that the device can write.
    WriteBandwidth,
    /// Bytes that the device can read.
    ReadBandwidth,
    /// Memory.
    Memory,
}

impl Resource {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Cpu,
        Self::ReadIops,
        Self::ReadBandwidth,
        Self::WriteBandwidth,
        Self::Memory,
    ];

    /// Its name, for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cpu => "CPU",
            Self::ReadIops => "read IOPS",
            Self::WriteBandwidth => "write bandwidth",
            Self::ReadBandwidth => "read bandwidth",
            Self::Memory => "memory",
        }
    }
}

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
        let sum = |name: &str| run.metrics.get(name).map_or(0, |it| it.sum) as f64;
        let busy_s = (sum("total_ns") + sum("background_ns")) / 1e9;
        let cores = run.machine["cpu_cores"].as_u64().unwrap_or(1).max(1);
        let threads = run.config["threads"].as_u64().unwrap_or(cores).max(1);
        let mut shares = Vec::new();
        let mut share = |resource, used: f64, limit: Option<f64>| {
            if let Some(limit) = limit.filter(|limit| *limit > 0.0) {
                shares.push((resource, used / limit));
            }
        };
        if busy_s > 0.0 {
            let per_s = |name: &str| sum(name) / busy_s;
            share(Resource::Cpu, per_s("cpu_ns") / 1e9, Some(cores as f64));
            if let Some(device) = &run.device {
                let most = device.read_iops.values().copied().reduce(f64::max);
                let most = most.or(device.read_iops_max);
                share(Resource::ReadIops, per_s("device_reads"), most);
                let bytes = per_s("device_written_bytes");
                share(
                    Resource::WriteBandwidth,
                    bytes,
                    device.write_bytes_per_second,
                );
                let bytes = per_s("device_read_bytes");
                share(Resource::ReadBandwidth, bytes, device.read_bytes_per_second);
            }
        }
        let memory = run.machine["memory_total_bytes"].as_f64();
        share(Resource::Memory, run.totals.memory_bytes_max as f64, memory);
        let stages = ["state_read", "state_hash", "commit"]
            .map(|stage| (stage, sum(&format!("{stage}_ns"))));
        let all: f64 = stages.iter().map(|(_, ns)| ns).sum();
        let most = stages.into_iter().max_by(|a, b| a.1.total_cmp(&b.1));
        let (stage, stage_ns) = most.unwrap_or_default();
        Self {
            first: shares
                .iter()
                .max_by(|a, b| a.1.total_cmp(&b.1))
                .map(|(resource, _)| *resource),
            shares,
            stage: stage.to_owned(),
            stage_share: if all > 0.0 { stage_ns / all } else { 0.0 },
            cores: u32::try_from(cores).unwrap_or(u32::MAX),
            threads: u32::try_from(threads).unwrap_or(u32::MAX),
        }
    }
}
