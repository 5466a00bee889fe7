//! Resampled runs.

use super::{
    comparison::Interval,
    series::{STATISTICS, Series},
};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

/// What fraction of ratios lies below the interval, and above it.
const TAIL: f64 = 0.025;

/// Draws runs of a length.
#[derive(Clone, Copy, Debug)]
pub(super) struct Resampler {
    blocks: usize,
    /// Blocks drawn together.
    stretch: usize,
    seed: u64,
}

impl Resampler {
    pub(super) fn new(blocks: usize, seed: u64) -> Self {
        let stretch = (blocks as f64).cbrt().ceil() as usize;
        Self {
            blocks,
            stretch: stretch.max(1),
            seed,
        }
    }

    /// How often each block is in the resampled run of this number.
    pub(super) fn weights(&self, number: u32) -> Vec<u32> {
        let mut weights = vec![0; self.blocks];
        if self.blocks == 0 {
            return weights;
        }
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        random.set_stream(number.into());
        for _ in 0..self.blocks.div_ceil(self.stretch) {
            let begin = random.random_range(0..self.blocks);
            for step in 0..self.stretch {
                weights[(begin + step) % self.blocks] += 1;
            }
        }
        weights
    }
}

/// Statistics of a pair of series, or what belongs to each.
type Each<T> = [T; STATISTICS.len()];

/// Intervals of the ratios of pairs of series, one for each statistic. `other` draws for B where its blocks are not A's.
///
/// Costs `O(n)` for each pair and resample, but nothing for pairs in which nothing varies.
pub(super) fn intervals(
    pairs: &[(Series, Series)],
    (own, other): (Resampler, Option<Resampler>),
    resamples: u32,
) -> Vec<Each<Interval>> {
    let ratios: Vec<Vec<Each<f64>>> = (0..resamples.max(1))
        .into_par_iter()
        .map(|number| {
            let of_a = own.weights(number);
            let of_b = other.map(|other| other.weights(number));
            let of_b = of_b.as_deref().unwrap_or(&of_a);
            let varying = pairs.iter().filter(|pair| varies(pair));
            varying.map(|pair| ratios(pair, &of_a, of_b)).collect()
        })
        .collect();
    let mut column = 0;
    let of_pair = |pair: &(Series, Series)| {
        if !varies(pair) {
            let once = ratios_of_whole(pair);
            return once.map(|ratio| interval(vec![ratio]));
        }
        let own = column;
        column += 1;
        core::array::from_fn(|it| interval(ratios.iter().map(|row| row[own][it]).collect()))
    };
    pairs.iter().map(of_pair).collect()
}

fn varies((a, b): &(Series, Series)) -> bool {
    !a.is_constant() || !b.is_constant()
}

fn ratios((a, b): &(Series, Series), of_a: &[u32], of_b: &[u32]) -> Each<f64> {
    let (a, b) = (a.statistics(of_a), b.statistics(of_b));
    core::array::from_fn(|it| ratio(a[it], b[it]))
}

/// The ratios of the runs themselves.
fn ratios_of_whole(pair: &(Series, Series)) -> Each<f64> {
    let ones = |series: &Series| vec![1; series.len()];
    ratios(pair, &ones(&pair.0), &ones(&pair.1))
}

/// B's over A's. Nothing over nothing is the same; something over nothing is infinitely more.
pub(super) fn ratio(a: f64, b: f64) -> f64 {
    if a > 0.0 {
        b / a
    } else if b > 0.0 {
        f64::INFINITY
    } else {
        1.0
    }
}

/// Of ratios, of which there is one at least.
fn interval(mut ratios: Vec<f64>) -> Interval {
    ratios.sort_by(f64::total_cmp);
    let last = ratios.len().saturating_sub(1);
    let at = |fraction: f64| ratios[(last as f64 * fraction).round() as usize];
    Interval {
        low: at(TAIL),
        high: at(1.0 - TAIL),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_block_is_drawn_alike_and_draws_repeat() {
        let resampler = Resampler::new(1000, 7);
        assert_eq!(resampler.stretch, 10);
        assert_eq!(resampler.weights(3), resampler.weights(3));
        assert_ne!(resampler.weights(3), resampler.weights(4));
        let mut drawn = vec![0; 1000];
        for number in 0..2000 {
            let weights = resampler.weights(number);
            assert_eq!(weights.iter().sum::<u32>(), 1000);
            drawn
                .iter_mut()
                .zip(weights)
                .for_each(|(sum, it)| *sum += it);
        }
        let all = 1700..2300;
        assert!(drawn.iter().all(|count| all.contains(count)), "{drawn:?}");
        assert!(Resampler::new(0, 7).weights(0).is_empty());
    }

    /// Of means of independent values, the interval must be about 1.96 standard errors wide to either side.
    #[test]
    fn an_interval_is_neither_too_wide_nor_too_narrow() {
        let mut random = ChaCha8Rng::seed_from_u64(11);
        let mut draw = || Series::new((0..900).map(|_| random.random_range(500..1500)).collect());
        let pairs = [(draw(), draw())];
        let own = Resampler::new(900, 1);
        let other = Resampler::new(900, 2);
        let [[mean, ..]] = intervals(&pairs, (own, Some(other)), 2000)[..] else {
            panic!("there is an interval");
        };
        // A value's standard deviation is 289 of a mean of 1,000; two means differ by 2^0.5 of its 30th part.
        let expected = 2.0 * 1.96 * 0.289 / 30.0 * 2_f64.sqrt();
        let got = mean.high - mean.low;
        assert!((0.75..1.25).contains(&(got / expected)), "{got} {expected}");
    }
}
