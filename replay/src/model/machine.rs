//! What is known of the machine that runs were measured on, and what has to be assumed of another one.

use super::HashCosts;
use crate::measure::DeviceProfile;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What is known of the machine that runs were measured on.
#[derive(Clone, Copy, Debug)]
pub struct Measured<'a> {
    /// Its device; without one nothing is taken for the device's time.
    pub device: Option<&'a DeviceProfile>,
    /// What hashing takes there; what is not known of it stays among the other work of the cores.
    pub hash_costs: &'a HashCosts,
}

/// Something that a scenario does not say, and what it was taken for.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Assumption {
    /// The device's latency of a read is not known: the measured device's, in microseconds, up to the most reads that it is said
    /// to do.
    ReadLatencyMeasured(f64),
    /// Nor is the measured one's: the most reads that it is said to do, at whatever depth.
    ReadsAtMost,
    /// Nothing is known of its reads: they take no time.
    ReadsFree,
    /// Its bandwidth for writes is not known: they take no time.
    WritesFree,
    /// Its latency of a sync is not known: the measured device's, in microseconds.
    SyncMeasured(f64),
    /// Nor is the measured one's: a sync takes no time.
    SyncFree,
}

impl fmt::Display for Assumption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ReadLatencyMeasured(us) => write!(
                f,
                "a read takes the {us:.0} \u{b5}s that it takes on the measured device, as its latency is not known"
            ),
            Self::ReadsAtMost => f.write_str(
                "as many reads as it is said to do at most, however few are in flight, as no latency is known",
            ),
            Self::ReadsFree => f.write_str("reads take no time, as nothing is known of them"),
            Self::WritesFree => f.write_str("writes take no time, as their bandwidth is not known"),
            Self::SyncMeasured(us) => write!(
                f,
                "a sync takes the {us:.0} \u{b5}s that it takes on the measured device, as its latency is not known"
            ),
            Self::SyncFree => f.write_str("a sync takes no time, as no latency of one is known"),
        }
    }
}

/// A scenario's device, with the measured one's latencies in place of those that are not known, and what was assumed.
/// How often a device reads with more in flight than the scenario's threads have says nothing of what these get.
pub(super) fn completed(
    device: &DeviceProfile,
    threads: u32,
    read_latency_us: Option<f64>,
    sync_latency_us: Option<f64>,
) -> (DeviceProfile, Vec<Assumption>) {
    let mut device = device.clone();
    let mut assumed = Vec::new();
    let is_known = device.read_iops.range(..=threads.max(1)).next().is_some();
    if device.read_latency_us.is_none() && !is_known {
        let deeper = device.read_iops.values().next().copied();
        assumed.push(match (read_latency_us, deeper.or(device.read_iops_max)) {
            (Some(us), _) => Assumption::ReadLatencyMeasured(us),
            (None, Some(_)) => Assumption::ReadsAtMost,
            (None, None) => Assumption::ReadsFree,
        });
        device.read_latency_us = read_latency_us;
    }
    if device.write_bytes_per_second.is_none() {
        assumed.push(Assumption::WritesFree);
    }
    if device.sync_latency_us.is_none() {
        assumed.push(sync_latency_us.map_or(Assumption::SyncFree, Assumption::SyncMeasured));
        device.sync_latency_us = sync_latency_us;
    }
    (device, assumed)
}
