//! The parts of a model, each fitted to the runs of one design.

use super::{
    Point,
    least_squares::{Equation, solve},
};
use serde::{Deserialize, Serialize};

/// Runs of one state size that a bend can be told from.
const BEND_RUNS: usize = 3;

/// `exp(constant + multiple x + bend x^2 + accounts ln S)`, with `x = ln m`.
///
/// Beyond the largest measured multiple it goes on straight, with the slope that it has there, but no faster than in
/// proportion to the multiple.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Curve {
    /// Logarithm of the value at one times mainnet's gas and one account.
    pub constant: f64,
    /// Exponent of the gas multiple at one times mainnet's gas.
    pub multiple: f64,
    /// How that exponent changes; zero where there are too few runs.
    pub bend: f64,
    /// Exponent of the number of accounts; zero where the runs have one state size.
    pub accounts: f64,
    /// Logarithm of the largest measured multiple.
    pub last: f64,
    /// Largest exponent of the multiple beyond that.
    pub slope_max: f64,
}

/// `constant + slope * ln S`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LogLine {
    /// At one account.
    pub constant: f64,
    /// For each factor of e.
    pub slope: f64,
}

/// `1 + floor + spread / sqrt(m)`: p99 over mean. A slot that holds m blocks varies less than one of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tail {
    /// What does not become less.
    pub floor: f64,
    /// What does.
    pub spread: f64,
}

impl Curve {
    /// The curve closest to the logarithm of what `of` says of each run; `None` where runs do not determine it.
    /// `slope_max` is the largest exponent of the multiple beyond the measured ones.
    pub(super) fn fit(
        points: &[Point],
        slope_max: f64,
        of: impl Fn(&Point) -> f64,
    ) -> Option<Self> {
        let sizes = several_sizes(points);
        let bends = multiples(points) > BEND_RUNS.min(2) && points.len() > 3 + usize::from(sizes);
        let equation = |point: &Point| {
            let x = point.ln_multiple();
            Equation {
                terms: [
                    1.0,
                    x,
                    if bends { x * x } else { 0.0 },
                    if sizes { point.ln_accounts() } else { 0.0 },
                ],
                value: of(point).max(f64::MIN_POSITIVE).ln(),
                weight: 1.0,
            }
        };
        let equations: Vec<_> = points.iter().map(equation).collect();
        let [constant, multiple, bend, accounts] = match (bends, sizes) {
            (true, true) => solve(&equations)?,
            (true, false) => {
                let [a, b, c] = solve(&reduced(&equations, [0, 1, 2]))?;
                [a, b, c, 0.0]
            }
            (false, true) => {
                let [a, b, d] = solve(&reduced(&equations, [0, 1, 3]))?;
                [a, b, 0.0, d]
            }
            (false, false) => {
                let [a, b] = solve(&reduced(&equations, [0, 1]))?;
                [a, b, 0.0, 0.0]
            }
        };
        let last = points.iter().map(Point::ln_multiple).fold(0.0, f64::max);
        Some(Self {
            constant,
            multiple,
            bend,
            accounts,
            last,
            slope_max,
        })
    }

    /// The value at a multiple and a number of accounts.
    pub fn at(&self, multiple: f64, accounts: f64) -> f64 {
        let x = multiple.ln();
        let within = x.min(self.last);
        let slope = (self.multiple + 2.0 * self.bend * self.last).min(self.slope_max);
        let beyond = slope * (x - within);
        let bent = self.multiple * within + self.bend * within * within;
        (self.constant + bent + beyond + self.accounts * accounts.ln()).exp()
    }
}

/// The equations with these of their terms alone.
fn reduced<const N: usize>(equations: &[Equation<4>], terms: [usize; N]) -> Vec<Equation<N>> {
    let reduce = |it: &Equation<4>| Equation {
        terms: terms.map(|term| it.terms[term]),
        value: it.value,
        weight: it.weight,
    };
    equations.iter().map(reduce).collect()
}

impl LogLine {
    /// The line closest to what `of` says of each run.
    pub(super) fn fit(points: &[Point], of: impl Fn(&Point) -> f64) -> Self {
        let mean = || points.iter().map(&of).sum::<f64>() / points.len().max(1) as f64;
        let flat = || Self {
            constant: mean(),
            slope: 0.0,
        };
        if !several_sizes(points) {
            return flat();
        }
        let equation = |point: &Point| Equation {
            terms: [1.0, point.ln_accounts()],
            value: of(point),
            weight: 1.0,
        };
        let equations: Vec<_> = points.iter().map(equation).collect();
        solve(&equations).map_or_else(flat, |[constant, slope]| Self { constant, slope })
    }

    /// The value at a number of accounts; never below zero.
    pub fn at(&self, accounts: f64) -> f64 {
        (self.constant + self.slope * accounts.ln()).max(0.0)
    }
}

impl Tail {
    /// The tail closest to that of each run.
    pub(super) fn fit(points: &[Point]) -> Self {
        let equation = |point: &Point| Equation {
            terms: [1.0, f64::from(point.multiple.max(1)).sqrt().recip()],
            value: point.p99_s / point.mean_s - 1.0,
            weight: 1.0,
        };
        let equations: Vec<_> = points.iter().map(equation).collect();
        match solve(&equations) {
            Some([floor, spread]) => Self {
                floor: floor.max(0.0),
                spread: spread.max(0.0),
            },
            None => {
                let all = equations.iter().map(|it| it.value).sum::<f64>();
                Self {
                    floor: (all / equations.len().max(1) as f64).max(0.0),
                    spread: 0.0,
                }
            }
        }
    }

    /// p99 over mean at a multiple.
    pub fn at(&self, multiple: f64) -> f64 {
        1.0 + self.floor + self.spread / multiple.max(1.0).sqrt()
    }
}

/// Different multiples among the runs.
fn multiples(points: &[Point]) -> usize {
    let mut multiples: Vec<u32> = points.iter().map(|it| it.multiple).collect();
    multiples.sort_unstable();
    multiples.dedup();
    multiples.len()
}

/// Whether the runs are of more than one state size.
fn several_sizes(points: &[Point]) -> bool {
    let (least, most) = points.iter().fold((u64::MAX, 0), |(least, most), point| {
        (least.min(point.accounts), most.max(point.accounts))
    });
    most > least.saturating_add(least / 4)
}
