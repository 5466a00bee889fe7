//! The distribution of each metric over the blocks that count.

use super::{
    costs::{BlockCosts, METRICS},
    generate::BlockKind,
};
use crate::measure::Metric;
use hdrhistogram::Histogram;
use serde::Serialize;
use std::time::Duration;

/// Significant digits that a histogram keeps.
const DIGITS: u8 = 3;

/// What all blocks cost together.
#[derive(Debug)]
pub struct Summary {
    /// Blocks that count.
    pub blocks: u64,
    /// Blocks before them, which only prepare: in no figure but this one.
    pub setup_blocks: u64,
    /// Transactions.
    pub tx_count: u64,
    /// Gas.
    pub gas_used: u64,
    /// Time that the blocks cost, without the oracle's.
    pub total: Duration,
    /// Gas per second of the slowest block.
    pub gas_per_second_min: Option<f64>,
    /// One for each of [`METRICS`].
    histograms: Vec<Histogram<u64>>,
}

/// A distribution, to three digits: values are rounded up by a thousandth at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Quantiles {
    /// The name of the metric.
    pub metric: &'static str,
    /// The least value.
    pub min: u64,
    /// The median.
    pub p50: u64,
    /// Nine of ten values are at most this.
    pub p90: u64,
    /// 99 of 100 values are at most this.
    pub p99: u64,
    /// 999 of 1,000 values are at most this.
    #[serde(rename = "p99.9")]
    pub p999: u64,
    /// The greatest value.
    pub max: u64,
}

impl Default for Summary {
    fn default() -> Self {
        let histogram = |_: &Metric<BlockCosts>| {
            Histogram::new(DIGITS).expect("three digits are within what a histogram keeps")
        };
        Self {
            blocks: 0,
            setup_blocks: 0,
            tx_count: 0,
            gas_used: 0,
            total: Duration::ZERO,
            gas_per_second_min: None,
            histograms: METRICS.iter().map(histogram).collect(),
        }
    }
}

impl Summary {
    /// Adds a block.
    pub fn add(&mut self, block: &BlockCosts) {
        if block.kind == BlockKind::Setup {
            self.setup_blocks += 1;
            return;
        }
        self.blocks += 1;
        self.tx_count += block.tx_count;
        self.gas_used += block.gas_used;
        self.total += block.total();
        let speed = per_second(block.gas_used, block.total());
        self.gas_per_second_min = Some(self.gas_per_second_min.unwrap_or(speed).min(speed));
        for (metric, histogram) in METRICS.iter().zip(&mut self.histograms) {
            histogram
                .record((metric.of)(block))
                .expect("a histogram that grows has room for every value");
        }
    }

    /// Gas per second over all blocks that count.
    pub fn gas_per_second(&self) -> f64 {
        per_second(self.gas_used, self.total)
    }

    /// Each metric with its distribution, in the order of [`METRICS`].
    pub fn quantiles(&self) -> impl Iterator<Item = (&'static Metric<BlockCosts>, Quantiles)> {
        let quantiles = |(metric, histogram): (&'static Metric<BlockCosts>, &Histogram<u64>)| {
            let at = |quantile| histogram.value_at_quantile(quantile);
            let quantiles = Quantiles {
                metric: metric.name,
                min: histogram.min(),
                p50: at(0.5),
                p90: at(0.9),
                p99: at(0.99),
                p999: at(0.999),
                max: histogram.max(),
            };
            (metric, quantiles)
        };
        METRICS.iter().zip(&self.histograms).map(quantiles)
    }
}

/// Gas per second; 0 where there was no time.
fn per_second(gas: u64, time: Duration) -> f64 {
    let seconds = time.as_secs_f64();
    if seconds > 0.0 {
        gas as f64 / seconds
    } else {
        0.0
    }
}
