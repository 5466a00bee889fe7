//! A Zipf distribution over a population that grows: the item of rank `r` (from 1) weighs `1 / r^s`.
//!
//! New items take the last rank. Weights are integers, and the power is computed with multiplications and square roots alone,
//! which IEEE 754 rounds the same everywhere: a seed gives the same draws on any machine.
//!
//! Cost: 8 bytes an item, one binary search a draw.

use rand::{Rng, RngExt};

/// The weight of rank 1. A population may have 2^32 items before the sum could overflow.
const WEIGHT_MAX: f64 = (1_u64 << 32) as f64;
/// Bits after the binary point that an exponent keeps.
const EXPONENT_FRACTION_BITS: u32 = 16;

/// Ranks and their weights.
#[derive(Clone, Debug)]
pub(crate) struct Popularity {
    exponent: f64,
    /// At index `i` the sum of the weights of the ranks up to `i + 1`.
    cumulative: Vec<u64>,
}

impl Popularity {
    /// Nobody yet; `exponent` is not negative.
    pub(crate) const fn new(exponent: f64) -> Self {
        Self {
            exponent,
            cumulative: Vec::new(),
        }
    }

    /// A population of `items`.
    pub(crate) fn of(exponent: f64, items: usize) -> Self {
        let mut popularity = Self::new(exponent);
        (0..items).for_each(|_| popularity.push());
        popularity
    }

    pub(crate) const fn len(&self) -> usize {
        self.cumulative.len()
    }

    /// Adds the least popular item.
    pub(crate) fn push(&mut self) {
        let rank = (self.cumulative.len() + 1) as f64;
        let weight = ((WEIGHT_MAX / power(rank, self.exponent)) as u64).max(1);
        self.cumulative
            .push(self.cumulative.last().unwrap_or(&0) + weight);
    }

    /// The share of draws that each item gets, the most popular one first.
    pub(crate) fn shares(&self) -> impl Iterator<Item = f64> + '_ {
        let all = self.cumulative.last().copied().unwrap_or_default() as f64;
        let before = core::iter::once(&0).chain(&self.cumulative);
        let weights = before
            .zip(&self.cumulative)
            .map(|(before, sum)| sum - before);
        weights.map(move |weight| weight as f64 / all)
    }

    /// Draws one of all items, as its index; `None` if there is none.
    pub(crate) fn sample(&self, rng: &mut impl Rng) -> Option<usize> {
        self.sample_among(self.cumulative.len(), rng)
    }

    /// Draws one of the `first` most popular items; `None` if there is none.
    pub(crate) fn sample_among(&self, first: usize, rng: &mut impl Rng) -> Option<usize> {
        let cumulative = self.cumulative.get(..first)?;
        let drawn = rng.random_range(0..*cumulative.last()?);
        Some(cumulative.partition_point(|&sum| sum <= drawn))
    }
}

/// `base^exponent` for a base of at least 1, the exponent cut to 16 binary places.
fn power(base: f64, exponent: f64) -> f64 {
    let fixed = (exponent * f64::from(1_u32 << EXPONENT_FRACTION_BITS)) as u32;
    let whole = (0..fixed >> EXPONENT_FRACTION_BITS).fold(1.0, |product, _| product * base);
    let mut root = base;
    (0..EXPONENT_FRACTION_BITS)
        .rev()
        .fold(whole, |product, bit| {
            root = root.sqrt();
            if fixed >> bit & 1 == 1 {
                product * root
            } else {
                product
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    const SEED: u64 = 7;

    #[test]
    fn powers_are_those_of_the_standard_library() {
        for exponent in [0.0, 0.25, 0.9, 1.0, 1.35, 2.5] {
            for base in [1.0, 2.0, 17.0, 1e6_f64] {
                let expected = base.powf(exponent);
                let got = power(base, exponent);
                assert!(
                    (got / expected - 1.0).abs() < 1e-3,
                    "{base}^{exponent}: got {got}, expected {expected}"
                );
            }
        }
    }

    #[test]
    fn draws_follow_the_weights() {
        let mut rng = ChaCha8Rng::seed_from_u64(SEED);
        let popularity = Popularity::of(1.0, 3);
        let mut counts = [0_u32; 3];
        for _ in 0..110_000 {
            counts[popularity.sample(&mut rng).expect("there are three items")] += 1;
        }
        for (rank, (count, expected)) in counts
            .into_iter()
            .zip([60_000_u32, 30_000, 20_000])
            .enumerate()
        {
            assert!(
                count.abs_diff(expected) < 1_000,
                "item {rank}: got {count}, expected about {expected}"
            );
        }
    }

    #[test]
    fn an_empty_population_has_nobody_to_draw() {
        let mut rng = ChaCha8Rng::seed_from_u64(SEED);
        assert_eq!(Popularity::new(1.0).sample(&mut rng), None);
        assert_eq!(Popularity::of(1.0, 3).sample_among(0, &mut rng), None);
        assert_eq!(Popularity::of(1.0, 3).sample_among(4, &mut rng), None);
    }

    #[test]
    fn items_outside_the_first_are_not_drawn() {
        let mut rng = ChaCha8Rng::seed_from_u64(SEED);
        let popularity = Popularity::of(0.0, 10);
        assert!(
            (0..1_000)
                .filter_map(|_| popularity.sample_among(2, &mut rng))
                .all(|index| index < 2)
        );
    }
}
