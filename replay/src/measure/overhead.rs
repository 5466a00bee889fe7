//! What measuring costs: `thinstate device --overhead`.

use super::{BlockCost, RecordError, Recorder, probes::Probes};
use core::time::Duration;
use serde::Serialize;
use std::{path::Path, time::Instant};
use thinstate_formats::BlockNumber;

/// Time per block that a run spends on measuring itself.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Overhead {
    /// Blocks that were recorded for it.
    pub blocks: u64,
    /// To read all counters before a block and after it.
    pub probes_ns: u64,
    /// To record a block: its row and all histograms.
    pub recorder_ns: u64,
}

impl Overhead {
    /// Records made-up blocks into a new folder, whose device is probed with each.
    pub fn measure(dir: &Path, blocks: u64) -> Result<Self, RecordError> {
        let mut recorder = Recorder::create(dir)?;
        let mut probes = Probes::open(dir);
        let mut probing = Duration::ZERO;
        for number in 0..blocks {
            let begun = Instant::now();
            let before = probes.now();
            let used = probes.now().since(&before);
            probing += begun.elapsed();
            let mut cost = made_up(number);
            used.enter(&mut cost);
            recorder.add(&cost)?;
        }
        let per_block = |time: Duration| {
            let ns = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
            ns / blocks.max(1)
        };
        Ok(Self {
            blocks,
            probes_ns: per_block(probing),
            recorder_ns: per_block(recorder.measuring()),
        })
    }

    /// All of it.
    pub const fn total_ns(&self) -> u64 {
        self.probes_ns + self.recorder_ns
    }
}

/// A block with figures as long as real ones, and not twice the same.
fn made_up(number: u64) -> BlockCost {
    let spread = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
    let time = Duration::from_nanos(50_000_000 + spread);
    BlockCost {
        number: BlockNumber(24_000_000 + number),
        blocks: 1,
        gas_used: 30_000_000 + spread,
        tx_count: 200 + number % 50,
        state_read: time,
        state_hash: time / 2,
        commit: time / 3,
        total: time * 2,
        ..BlockCost::default()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

    use super::*;

    #[test]
    fn nothing_is_measured_for_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let overhead = Overhead::measure(dir.path(), 100).unwrap();
        assert_eq!(overhead.blocks, 100);
        assert!(overhead.probes_ns > 0 && overhead.recorder_ns > 0);
    }
}
