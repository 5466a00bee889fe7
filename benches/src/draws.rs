//! Which of many items a workload touches: all alike, or by a Zipf distribution.
//!
//! Under Zipf's law the item of rank `r`, from 1, weighs `1 / r^s`. It is sampled by rejection-inversion (W. Hörmann, G. Derflinger,
//! "Rejection-inversion to generate variates from monotone discrete distributions", 1996): no tables, so that a process that is
//! measured holds nothing for it; at most two tries for each draw on average. Ranks are indexes of items, whose keys are
//! hashes: the popular ones lie scattered over a store.

use core::{fmt, str::FromStr};
use rand::{Rng, RngExt};

/// Largest exponent: above it a few items take nearly all draws.
const EXPONENT_MAX: f64 = 4.0;

/// How items are drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Draws {
    /// Each item as often as any other.
    Uniform,
    /// The item of rank `r` in proportion to `1 / r^exponent`.
    Zipf {
        /// Above 0, at most 4.
        exponent: f64,
    },
}

impl Draws {
    /// Draws among this many items, of which there is one at least.
    pub fn among(self, items: u64) -> Drawer {
        match self {
            Self::Uniform => Drawer::Uniform(items),
            Self::Zipf { exponent } => Drawer::Zipf(Zipf::new(items, exponent)),
        }
    }
}

impl fmt::Display for Draws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uniform => f.write_str("uniform"),
            Self::Zipf { exponent } => write!(f, "zipf:{exponent}"),
        }
    }
}

impl FromStr for Draws {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refused = || format!("expected uniform or zipf:EXPONENT like zipf:0.99, got {text:?}");
        if text == "uniform" {
            return Ok(Self::Uniform);
        }
        let exponent = text.strip_prefix("zipf:").ok_or_else(refused)?;
        let exponent: f64 = exponent.parse().map_err(|_| refused())?;
        if !(exponent > 0.0 && exponent <= EXPONENT_MAX) {
            return Err(format!(
                "expected an exponent above 0 and at most {EXPONENT_MAX}, got {exponent}"
            ));
        }
        Ok(Self::Zipf { exponent })
    }
}

/// Draws indexes of items, from 0.
#[derive(Clone, Copy, Debug)]
pub enum Drawer {
    /// Among so many, each alike.
    Uniform(u64),
    /// The first ones more often.
    Zipf(Zipf),
}

impl Drawer {
    /// The index of an item.
    pub fn index(&self, random: &mut impl Rng) -> u64 {
        match self {
            Self::Uniform(items) => random.random_range(0..*items),
            Self::Zipf(zipf) => zipf.rank(random) - 1,
        }
    }
}

/// Zipf's distribution over a number of ranks.
#[derive(Clone, Copy, Debug)]
pub struct Zipf {
    items: f64,
    exponent: f64,
    /// The integral of the weights up to the middle of the first rank, less that rank's own weight.
    first: f64,
    /// The integral up to the middle behind the last.
    last: f64,
    /// How far from a rank a point may lie and be taken at once.
    near: f64,
}

impl Zipf {
    fn new(items: u64, exponent: f64) -> Self {
        let items = items as f64;
        Self {
            items,
            exponent,
            first: integral(1.5, exponent) - 1.0,
            last: integral(items + 0.5, exponent),
            near: 2.0 - inverse(integral(2.5, exponent) - weight(2.0, exponent), exponent),
        }
    }

    /// A rank, from 1.
    fn rank(&self, random: &mut impl Rng) -> u64 {
        loop {
            let unit: f64 = random.random();
            let area = self.last + unit * (self.first - self.last);
            let point = inverse(area, self.exponent);
            let rank = (point + 0.5).floor().clamp(1.0, self.items);
            let taken = rank - point <= self.near
                || area >= integral(rank + 0.5, self.exponent) - weight(rank, self.exponent);
            if taken {
                return rank as u64;
            }
        }
    }
}

/// What a rank weighs.
fn weight(rank: f64, exponent: f64) -> f64 {
    (-exponent * rank.ln()).exp()
}

/// The integral of the weight from 1 to `x`: `(x^(1-s) - 1) / (1 - s)`, which is `ln x` where s is 1.
fn integral(x: f64, exponent: f64) -> f64 {
    let ln = x.ln();
    expm1_ratio((1.0 - exponent) * ln) * ln
}

/// The point up to which the integral is `area`.
fn inverse(area: f64, exponent: f64) -> f64 {
    // Rounding may lead just below -1, where there is no logarithm.
    let scaled = (area * (1.0 - exponent)).max(-1.0);
    (ln_1p_ratio(scaled) * area).exp()
}

/// `(e^x - 1) / x`; near 0 by its series.
fn expm1_ratio(x: f64) -> f64 {
    match x.abs() > 1e-8 {
        true => x.exp_m1() / x,
        false => 1.0 + x / 2.0 * (1.0 + x / 3.0 * (1.0 + x / 4.0)),
    }
}

/// `ln(1 + x) / x`; near 0 by its series.
fn ln_1p_ratio(x: f64) -> f64 {
    match x.abs() > 1e-8 {
        true => x.ln_1p() / x,
        false => 1.0 - x * (0.5 - x * (1.0 / 3.0 - x / 4.0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    const DRAWN: u32 = 200_000;

    #[test]
    fn no_rank_strays_from_its_weight() {
        for exponent in [0.5, 0.99, 1.0, 1.5] {
            let mut random = ChaCha8Rng::seed_from_u64(3);
            let drawer = Draws::Zipf { exponent }.among(50);
            let mut counts = [0_u32; 50];
            for _ in 0..DRAWN {
                counts[drawer.index(&mut random) as usize] += 1;
            }
            let all: f64 = (1..=50).map(|rank| weight(f64::from(rank), exponent)).sum();
            for (rank, count) in (1..).zip(counts) {
                let expected = weight(f64::from(rank), exponent) / all * f64::from(DRAWN);
                // Six standard deviations.
                let far = (f64::from(count) - expected).abs() > 6.0 * expected.sqrt();
                assert!(
                    !far,
                    "s = {exponent}, rank {rank}: {count}, expected {expected}"
                );
            }
        }
    }

    #[test]
    fn no_index_lies_outside() {
        let mut random = ChaCha8Rng::seed_from_u64(4);
        for draws in [Draws::Uniform, Draws::Zipf { exponent: 0.2 }] {
            for items in [1, 2, 1_000_000_000] {
                let drawer = draws.among(items);
                assert!((0..1_000).all(|_| drawer.index(&mut random) < items));
            }
        }
    }

    #[test]
    fn no_text_is_taken_for_another_distribution() {
        for draws in [Draws::Uniform, Draws::Zipf { exponent: 0.99 }] {
            assert_eq!(draws.to_string().parse(), Ok(draws));
        }
        for text in [
            "", "zipf", "zipf:", "zipf:0", "zipf:-1", "zipf:nan", "zipf:5", "even",
        ] {
            assert!(text.parse::<Draws>().is_err(), "{text}");
        }
    }
}
