//! What is predicted for: a state, a machine, a device.

use super::HashCosts;
use crate::measure::DeviceProfile;
use serde::{Deserialize, Serialize};

/// Something to predict for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scenario {
    /// Accounts of the state.
    pub accounts: u64,
    /// Threads that read and hash, one a core.
    pub threads: u32,
    /// Memory that caches of store and system may take, in bytes.
    pub cache_bytes: f64,
    /// The device.
    pub device: DeviceProfile,
    /// What its CPU takes for hashing, where that is another one; functions that are not there are as fast as they were measured.
    #[serde(default, rename = "permutation_ns")]
    pub hash_costs: HashCosts,
}

impl DeviceProfile {
    /// Seconds for reads of 4 KiB and bytes written, with as many reads in flight as threads.
    pub fn seconds(&self, reads: f64, written_bytes: f64, threads: u32) -> f64 {
        let reading = match self.read_iops_at(threads) {
            Some(iops) if iops > 0.0 => reads / iops,
            _ => 0.0,
        };
        let writing = match self.write_bytes_per_second {
            Some(bandwidth) if bandwidth > 0.0 => written_bytes / bandwidth,
            _ => 0.0,
        };
        reading + writing
    }

    /// Random reads of 4 KiB per second at a depth: of the nearest depths that are known, in
    /// proportion; never more than the deepest has. Data sheets give the most that the device does and perhaps its
    /// latency: then the depth over the latency, up to that.
    pub fn read_iops_at(&self, depth: u32) -> Option<f64> {
        let depth = depth.max(1);
        let above = self.read_iops.range(depth..).next();
        let below = self.read_iops.range(..=depth).next_back();
        match (below, above) {
            (Some((&at, &iops)), _) if at == depth => Some(iops),
            (Some((&low, &from)), Some((&high, &to))) => {
                let share = f64::from(depth - low) / f64::from(high - low);
                Some(from + (to - from) * share)
            }
            (Some((_, &most)), None) => Some(most),
            (None, Some((_, &most))) => {
                Some(self.by_latency(depth).map_or(most, |it| it.min(most)))
            }
            (None, None) => match (self.by_latency(depth), self.read_iops_max) {
                (Some(iops), Some(most)) => Some(iops.min(most)),
                (iops, most) => iops.or(most),
            },
        }
    }

    /// Reads per second that a depth gives if each takes the latency of one alone.
    fn by_latency(&self, depth: u32) -> Option<f64> {
        let latency = self.read_latency_us.filter(|it| *it > 0.0)?;
        Some(f64::from(depth) * 1e6 / latency)
    }
}
