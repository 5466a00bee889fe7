//! How the values of each metric are spread, while blocks come in.
//!
//! Quantiles are those of an HDR histogram with three significant digits (at most 0.1 % too high); count, sum, least and
//! largest are exact. Memory: at most 0.5 MB for each metric.

use super::{BlockCost, Distribution, METRICS, Unit};
use hdrhistogram::Histogram;
use std::collections::BTreeMap;

/// Significant digits of all histograms.
pub(super) const DIGITS: u8 = 3;

/// Readers of HDR logs in Java have signed values.
pub(super) const VALUE_MAX: u64 = i64::MAX as u64;

/// A histogram that grows with its values.
pub(super) fn histogram() -> Histogram<u64> {
    Histogram::new(DIGITS).expect("three digits are within what a histogram can have")
}

/// Counts a value. What is above [`VALUE_MAX`] is counted as that.
pub(super) fn record(histogram: &mut Histogram<u64>, value: u64) {
    histogram
        .record(value.min(VALUE_MAX))
        .expect("it grows to any value of 63 bits");
}

/// One metric.
#[derive(Clone, Debug)]
struct Spread {
    unit: Unit,
    histogram: Histogram<u64>,
    sum: u64,
    min: u64,
    max: u64,
}

impl Spread {
    fn new(unit: Unit) -> Self {
        Self {
            unit,
            histogram: histogram(),
            sum: 0,
            min: u64::MAX,
            max: 0,
        }
    }

    fn add(&mut self, value: u64) {
        record(&mut self.histogram, value);
        self.sum = self.sum.saturating_add(value);
        self.min = self.min.min(value);
        self.max = self.max.max(value);
    }

    /// `None` where nothing was counted.
    fn distribution(&self) -> Option<Distribution> {
        let count = self.histogram.len();
        let at = |quantile| {
            let value = self.histogram.value_at_quantile(quantile);
            value.clamp(self.min, self.max)
        };
        (count > 0).then(|| Distribution {
            unit: self.unit,
            count,
            sum: self.sum,
            mean: self.sum as f64 / count as f64,
            min: self.min,
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p999: at(0.999),
            max: self.max,
        })
    }
}

/// All metrics.
#[derive(Clone, Debug)]
pub(super) struct Distributions {
    /// In the order of [`METRICS`].
    spreads: Vec<Spread>,
}

impl Distributions {
    pub(super) fn new() -> Self {
        Self {
            spreads: METRICS.iter().map(|it| Spread::new(it.unit)).collect(),
        }
    }

    /// Counts a block.
    pub(super) fn add(&mut self, cost: &BlockCost) {
        for (spread, metric) in self.spreads.iter_mut().zip(METRICS) {
            spread.add((metric.of)(cost));
        }
    }

    /// Counts values of a metric.
    pub(super) fn add_values(&mut self, metric: &str, values: &[u64]) {
        let both = self.spreads.iter_mut().zip(METRICS);
        for (spread, _) in both.filter(|(_, it)| it.name == metric) {
            values.iter().for_each(|value| spread.add(*value));
        }
    }

    /// Of every metric that has a value.
    pub(super) fn all(&self) -> BTreeMap<String, Distribution> {
        let both = self.spreads.iter().zip(METRICS);
        let named = both.filter_map(|(s, it)| Some((it.name.to_owned(), s.distribution()?)));
        named.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: impl IntoIterator<Item = u64>) -> Distribution {
        let mut spread = Spread::new(Unit::Count);
        values.into_iter().for_each(|value| spread.add(value));
        spread.distribution().expect("there are values")
    }

    #[test]
    fn p99_of_few_blocks_is_never_less_than_the_slowest() {
        let few = of((1..=99).map(|i| i * 1_000_003));
        assert_eq!((few.p99, few.p999), (few.max, few.max));
        let enough = of(1..=1000);
        assert_eq!((enough.p50, enough.p90, enough.p99), (500, 900, 990));
        assert_eq!((enough.min, enough.max, enough.sum), (1, 1000, 500_500));
    }

    #[test]
    fn no_value_is_too_large() {
        let all = of([0, 1 << 40, u64::MAX]);
        assert_eq!((all.min, all.max, all.sum), (0, u64::MAX, u64::MAX));
        assert!(Spread::new(Unit::Count).distribution().is_none());
    }
}
