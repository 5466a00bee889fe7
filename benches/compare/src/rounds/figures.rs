//! What rounds came to.

use alloy_primitives::B256;
use serde::{Deserialize, Serialize};
use thinstate_replay::measure::probes::Use;

/// What blocks of one size came to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BlockFigures {
    /// Blocks measured, in all rounds.
    pub blocks: u64,
    /// Updates in them.
    pub updates: u64,
    /// Of each round.
    pub updates_per_second: Vec<f64>,
    /// Time of a block's commit, root and all.
    pub commit_ns: Latencies,
    /// Time until its root was known, where the store tells; else zero.
    pub hash_ns: Latencies,
    /// Time of the flush at the end, which no block's time holds.
    pub flush_ns: u64,
    /// Bytes read and written, the flush included.
    pub bytes: Bytes,
    /// CPU time of all threads, less what making the blocks took; the flush included.
    pub cpu_ns: u64,
    /// Bytes that transactions had to bring along.
    pub witness_bytes: u64,
    /// The root after the last block, where the store tells.
    pub root: Option<B256>,
}

impl BlockFigures {
    /// Of the median round.
    pub fn median_updates_per_second(&self) -> f64 {
        let mut rounds = self.updates_per_second.clone();
        rounds.sort_by(f64::total_cmp);
        match (rounds.len(), rounds.len() / 2) {
            (0, _) => 0.0,
            (even, at) if even % 2 == 0 => f64::midpoint(rounds[at - 1], rounds[at]),
            (_, at) => rounds[at],
        }
    }

    /// A total for each update; `None` where it is not known.
    pub fn per_update(&self, total: Option<u64>) -> Option<f64> {
        let total = total.filter(|_| self.updates > 0)?;
        Some(total as f64 / self.updates as f64)
    }
}

/// Latencies, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latencies {
    /// Half are as short.
    pub p50: u64,
    /// 99 of 100 are; of fewer than 100 blocks it is the longest.
    pub p99: u64,
    /// The longest.
    pub max: u64,
}

impl Latencies {
    /// Of these, in any order; a quantile is the shortest that so many do not exceed.
    pub fn of(mut times: Vec<u64>) -> Self {
        times.sort_unstable();
        let quantile = |hundredths: usize| {
            let rank = (times.len() * hundredths).div_ceil(100);
            let time = times.get(rank.saturating_sub(1));
            time.copied().unwrap_or_default()
        };
        Self {
            p50: quantile(50),
            p99: quantile(99),
            max: quantile(100),
        }
    }
}

/// Bytes and operations; `None` is not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bytes {
    /// Fetched from a device for this process (`read_bytes` of `/proc/self/io`).
    pub process_read_bytes: Option<u64>,
    /// Sent to a device by it, or dirtied in the page cache (`write_bytes`).
    pub process_written_bytes: Option<u64>,
    /// Read by the device under the store, for whomever.
    pub device_read_bytes: Option<u64>,
    /// Written by it, for whomever.
    pub device_written_bytes: Option<u64>,
    /// Reads that it completed, for whomever.
    pub device_reads: Option<u64>,
}

impl Bytes {
    /// What was used between two looks.
    pub const fn of(used: &Use) -> Self {
        Self {
            process_read_bytes: used.process.device_read_bytes,
            process_written_bytes: used.process.device_written_bytes,
            device_read_bytes: used.device.read_bytes,
            device_written_bytes: used.device.written_bytes,
            device_reads: used.device.reads,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_quantile_is_between_two_times() {
        let times: Vec<u64> = (1..=200).rev().collect();
        let expected = Latencies {
            p50: 100,
            p99: 198,
            max: 200,
        };
        assert_eq!(Latencies::of(times), expected);
        assert_eq!(Latencies::of(vec![7]).p99, 7);
        assert_eq!(Latencies::of(vec![]), Latencies::default());
    }

    #[test]
    fn the_median_is_of_rounds() {
        let of = |rounds: &[f64]| {
            let figures = BlockFigures {
                updates_per_second: rounds.to_vec(),
                ..BlockFigures::default()
            };
            figures.median_updates_per_second() as u64
        };
        assert_eq!(of(&[9.0, 1.0, 5.0]), 5);
        assert_eq!(of(&[9.0, 1.0]), 5);
        assert_eq!(of(&[]), 0);
    }
}
