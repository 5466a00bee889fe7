//! The values of a metric over a run, and statistics of them under weights.

use core::fmt;
use serde::{Deserialize, Serialize};

/// What is compared of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Statistic {
    /// The mean: for what adds up.
    Mean,
    /// The median.
    P50,
    /// Nine of ten blocks have at most this.
    P90,
    /// 99 of 100 have.
    P99,
}

/// All of them, in order.
pub const STATISTICS: [Statistic; 4] = [
    Statistic::Mean,
    Statistic::P50,
    Statistic::P90,
    Statistic::P99,
];

impl Statistic {
    /// Its name in files and options.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::P50 => "p50",
            Self::P90 => "p90",
            Self::P99 => "p99",
        }
    }
}

impl fmt::Display for Statistic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The values, and their order.
#[derive(Clone, Debug)]
pub(super) struct Series {
    values: Vec<u64>,
    /// Places of the values, least value first.
    order: Vec<u32>,
}

impl Series {
    /// Values of blocks, in the blocks' order.
    pub(super) fn new(values: Vec<u64>) -> Self {
        let blocks = u32::try_from(values.len()).expect("a run has fewer than 2^32 blocks");
        let mut order: Vec<u32> = (0..blocks).collect();
        order.sort_by_key(|place| values[*place as usize]);
        Self { values, order }
    }

    /// Blocks.
    pub(super) const fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether all values are the same: then no resample differs.
    pub(super) fn is_constant(&self) -> bool {
        let ends = self.order.first().zip(self.order.last());
        ends.is_none_or(|(least, most)| self.values[*least as usize] == self.values[*most as usize])
    }

    /// Every statistic, where block `i` counts `weights[i]` times. `O(n)`.
    pub(super) fn statistics(&self, weights: &[u32]) -> [f64; STATISTICS.len()] {
        let total: u64 = weights.iter().map(|weight| u64::from(*weight)).sum();
        let at = |percent: u64| (total * percent).div_ceil(100).max(1);
        let targets = [at(50), at(90), at(99)];
        let mut found = [0.0; 3];
        let (mut seen, mut sum, mut next) = (0, 0.0, 0);
        for place in &self.order {
            let (value, weight) = (self.values[*place as usize], weights[*place as usize]);
            seen += u64::from(weight);
            sum += value as f64 * f64::from(weight);
            while next < targets.len() && seen >= targets[next] {
                found[next] = value as f64;
                next += 1;
            }
        }
        let mean = if total == 0 { 0.0 } else { sum / total as f64 };
        [mean, found[0], found[1], found[2]]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_quantile_is_off_by_one() {
        let series = Series::new((1..=200).rev().collect());
        let [mean, p50, p90, p99] = series.statistics(&[1; 200]);
        assert_eq!([mean, p50, p90, p99], [100.5, 100.0, 180.0, 198.0]);
        let few = Series::new((1..=99).collect());
        let [.., p99] = few.statistics(&[1; 99]);
        assert_eq!(p99, 99.0);
        assert!(!few.is_constant() && Series::new(vec![3; 9]).is_constant());
    }

    #[test]
    fn a_weight_is_as_many_blocks() {
        let series = Series::new(vec![7, 1, 4]);
        let same = Series::new(vec![1, 1, 1, 4, 4]);
        assert_eq!(series.statistics(&[0, 3, 2]), same.statistics(&[1; 5]));
        assert_eq!(series.statistics(&[0; 3]), [0.0; 4]);
    }
}
