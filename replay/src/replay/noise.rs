//! How far two runs of the same lie apart.

use crate::measure::Distribution;
use std::collections::BTreeMap;

/// Metrics of which the noise floor tells.
const STAGES: &[&str] = &[
    "total_ns",
    "state_read_ns",
    "state_hash_ns",
    "commit_ns",
    "background_ns",
];

/// The relative difference of mean, median and 99th percentile of each stage between two runs, by
/// `metric.statistic`: `|a - b| / ((a + b) / 2)`. What is zero in both is left out.
pub fn noise_floor(
    one: &BTreeMap<String, Distribution>,
    other: &BTreeMap<String, Distribution>,
) -> BTreeMap<String, f64> {
    let mut floor = BTreeMap::new();
    for metric in STAGES {
        let (Some(a), Some(b)) = (one.get(*metric), other.get(*metric)) else {
            continue;
        };
        let statistics = [
            ("mean", a.mean, b.mean),
            ("p50", a.p50 as f64, b.p50 as f64),
            ("p99", a.p99 as f64, b.p99 as f64),
        ];
        for (statistic, a, b) in statistics {
            let middle = f64::midpoint(a, b);
            if middle > 0.0 {
                floor.insert(format!("{metric}.{statistic}"), (a - b).abs() / middle);
            }
        }
    }
    floor
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::Unit;

    fn spread(mean: f64, p50: u64, p99: u64) -> BTreeMap<String, Distribution> {
        let distribution = Distribution {
            unit: Unit::Nanoseconds,
            count: 10,
            sum: 0,
            mean,
            min: 0,
            p50,
            p90: 0,
            p99,
            p999: 0,
            max: 0,
        };
        [("total_ns".to_owned(), distribution)].into()
    }

    #[test]
    fn a_difference_is_relative_and_has_no_sign() {
        let floor = noise_floor(&spread(90.0, 50, 0), &spread(110.0, 50, 0));
        assert_eq!(floor.get("total_ns.mean").copied(), Some(0.2));
        assert_eq!(floor.get("total_ns.p50").copied(), Some(0.0));
        assert_eq!(floor.get("total_ns.p99"), None, "zero in both");
        assert_eq!(floor.len(), 2);
    }
}
