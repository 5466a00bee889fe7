//! How a count is spread over blocks.

use super::ProfileError;
use serde::{Deserialize, Serialize};

/// How far the mean may lie from the one that the quantiles have of themselves.
const MEAN_TOLERANCE: f64 = 0.25;
/// Shares of blocks at which a fit takes quantiles.
const FITTED: [f64; 14] = [
    0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0,
];

/// A mean, and quantiles that give the shape around it.
///
/// Between two quantiles values are spread evenly. The shape's own mean is only near to the real one, so
/// every value that is drawn is scaled by the ratio of the two.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Spread {
    /// Mean over blocks.
    pub mean: f64,
    /// `[share of blocks, value that they do not exceed]`, ascending in both, from 0 to 1.
    pub quantiles: Vec<[f64; 2]>,
}

impl Spread {
    /// The same in all blocks.
    pub fn constant(value: f64) -> Self {
        Self {
            mean: value,
            quantiles: vec![[0.0, value], [1.0, value]],
        }
    }

    /// Of values that were counted; all zero if there are none.
    pub fn of(values: &[u64]) -> Self {
        let mut sorted = values.to_vec();
        sorted.sort_unstable();
        let Some(last) = sorted.len().checked_sub(1) else {
            return Self::constant(0.0);
        };
        let at = |share: f64| {
            let place = share * last as f64;
            let (low, part) = (place as usize, place.fract());
            let (a, b) = (sorted[low] as f64, sorted[(low + 1).min(last)] as f64);
            a + (b - a) * part
        };
        let mut spread = Self {
            mean: rounded(sorted.iter().sum::<u64>() as f64 / sorted.len() as f64),
            quantiles: FITTED
                .iter()
                .map(|share| [*share, rounded(at(*share))])
                .collect(),
        };
        spread.bend();
        spread
    }

    /// With few values the straight lines between quantiles may miss the mean by more than a file may:
    /// then the lines meet the mean in between.
    fn bend(&mut self) {
        let shape = self.shape_mean();
        if shape > 0.0 && (self.mean / shape - 1.0).abs() > MEAN_TOLERANCE {
            let factor = self.mean / shape;
            self.quantiles.iter_mut().for_each(|[_, it]| *it *= factor);
        }
    }

    /// The value that this share of blocks does not exceed.
    pub fn at(&self, share: f64) -> f64 {
        let shape = self.shape_mean();
        if shape <= 0.0 {
            return self.mean;
        }
        self.raw(share) * self.mean / shape
    }

    /// The same without the ratio of the means.
    fn raw(&self, share: f64) -> f64 {
        for pair in self.quantiles.windows(2) {
            let ([from, low], [to, high]) = (pair[0], pair[1]);
            if share <= to {
                return match to > from {
                    true => low + (high - low) * (share - from) / (to - from),
                    false => high,
                };
            }
        }
        self.quantiles.last().map_or(self.mean, |last| last[1])
    }

    /// The mean that the quantiles have of themselves.
    fn shape_mean(&self) -> f64 {
        let pieces = self.quantiles.windows(2);
        pieces
            .map(|pair| (pair[1][0] - pair[0][0]) * f64::midpoint(pair[0][1], pair[1][1]))
            .sum()
    }

    /// Checks that it is one.
    pub(super) fn check(&self, key: &'static str) -> Result<(), ProfileError> {
        let at = |index: usize| self.quantiles.get(index).map(|it| it[0]);
        let ends = at(0) == Some(0.0) && at(self.quantiles.len().wrapping_sub(1)) == Some(1.0);
        let ascends = |pair: &[[f64; 2]]| pair[0][0] <= pair[1][0] && pair[0][1] <= pair[1][1];
        let finite = self.mean >= 0.0 && self.mean.is_finite();
        let sound = self
            .quantiles
            .iter()
            .all(|[_, it]| *it >= 0.0 && it.is_finite());
        let ascending = self.quantiles.windows(2).all(ascends);
        if !(finite && sound && ends && ascending && self.quantiles.len() > 1) {
            return Err(ProfileError::Quantiles { key });
        }
        let shape = self.shape_mean();
        if (shape - self.mean).abs() > MEAN_TOLERANCE * self.mean {
            return Err(ProfileError::Mean {
                key,
                mean: self.mean,
                shape,
            });
        }
        Ok(())
    }
}

/// To a thousandth: what is beyond is noise in any fit.
fn rounded(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skewed() -> Spread {
        Spread {
            mean: 100.0,
            quantiles: vec![[0.0, 0.0], [0.5, 60.0], [0.9, 220.0], [1.0, 500.0]],
        }
    }

    #[test]
    fn values_never_miss_the_mean() {
        let spread = skewed();
        let draws = 10_000;
        let sum: f64 = (0..draws)
            .map(|at| spread.at((f64::from(at) + 0.5) / f64::from(draws)))
            .sum();
        assert!((sum / f64::from(draws) - 100.0).abs() < 0.1, "{sum}");
    }

    #[test]
    fn a_fitted_spread_never_differs_from_what_was_counted() {
        let values: Vec<u64> = (0..1_000).map(|at| at * at / 500).collect();
        let spread = Spread::of(&values);
        assert_eq!(spread.check("test"), Ok(()));
        for (share, expected) in [(0.0, 0.0), (0.5, 500.0), (0.9, 1_620.0), (1.0, 1_996.0)] {
            let got = spread.at(share);
            assert!(
                (got - expected).abs() <= expected.mul_add(0.02, 2.0),
                "{share}: {got}"
            );
        }
    }

    #[test]
    fn no_table_that_contradicts_itself_is_taken() {
        assert_eq!(skewed().check("test"), Ok(()));
        let mut descends = skewed();
        descends.quantiles[1][1] = 300.0;
        assert_eq!(
            descends.check("test"),
            Err(ProfileError::Quantiles { key: "test" })
        );
        let mut open = skewed();
        open.quantiles.pop();
        assert_eq!(
            open.check("test"),
            Err(ProfileError::Quantiles { key: "test" })
        );
        let other = Spread {
            mean: 200.0,
            ..skewed()
        };
        assert!(matches!(
            other.check("test"),
            Err(ProfileError::Mean { .. })
        ));
    }
}
