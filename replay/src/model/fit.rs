//! The parts of a model, each fitted to the runs of one design.

use super::{
    Point,
    least_squares::{Equation, solve},
};
use serde::{Deserialize, Serialize};

/// `exp(constant + multiple * ln m + accounts * ln S)`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PowerLaw {
    /// Logarithm of the value at one times mainnet's gas and one account.
    pub constant: f64,
    /// Exponent of the gas multiple.
    pub multiple: f64,
    /// Exponent of the number of accounts; zero where the runs have one state size.
    pub accounts: f64,
}

/// `constant + slope * ln S`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LogLine {
    /// At one account.
    pub constant: f64,
    /// For each factor of e.
    pub slope: f64,
}

impl PowerLaw {
    /// The law closest to what `of` says of each run; `None` where runs do not determine it.
    pub(super) fn fit(points: &[Point], of: impl Fn(&Point) -> f64) -> Option<Self> {
        let value = |point: &Point| of(point).max(f64::MIN_POSITIVE).ln();
        if several_sizes(points) {
            let equations: Vec<_> = points
                .iter()
                .map(|point| Equation {
                    terms: [1.0, point.ln_multiple(), point.ln_accounts()],
                    value: value(point),
                    weight: 1.0,
                })
                .collect();
            let [constant, multiple, accounts] = solve(&equations)?;
            return Some(Self {
                constant,
                multiple,
                accounts,
            });
        }
        let equations: Vec<_> = points
            .iter()
            .map(|point| Equation {
                terms: [1.0, point.ln_multiple()],
                value: value(point),
                weight: 1.0,
            })
            .collect();
        let [constant, multiple] = solve(&equations)?;
        Some(Self {
            constant,
            multiple,
            accounts: 0.0,
        })
    }

    /// The value at a multiple and a number of accounts.
    pub fn at(&self, multiple: f64, accounts: f64) -> f64 {
        (self.constant + self.multiple * multiple.ln() + self.accounts * accounts.ln()).exp()
    }
}

impl LogLine {
    /// The line closest to what `of` says of each run.
    pub(super) fn fit(points: &[Point], of: impl Fn(&Point) -> f64) -> Self {
        let mean = || points.iter().map(&of).sum::<f64>() / points.len().max(1) as f64;
        if !several_sizes(points) {
            return Self {
                constant: mean(),
                slope: 0.0,
            };
        }
        let equations: Vec<_> = points
            .iter()
            .map(|point| Equation {
                terms: [1.0, point.ln_accounts()],
                value: of(point),
                weight: 1.0,
            })
            .collect();
        match solve(&equations) {
            Some([constant, slope]) => Self { constant, slope },
            None => Self {
                constant: mean(),
                slope: 0.0,
            },
        }
    }

    /// The value at a number of accounts; never below zero.
    pub fn at(&self, accounts: f64) -> f64 {
        (self.constant + self.slope * accounts.ln()).max(0.0)
    }
}

/// Fixed time of a block, and time for each key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CpuLaw {
    /// Seconds of a block however small, a sync included.
    pub block_s: f64,
    /// Seconds for each key, by state size.
    pub key_s: LogLine,
}

impl CpuLaw {
    /// The law closest, relative to each run, to what `rest` leaves of its time.
    pub(super) fn fit(points: &[Point], rest: impl Fn(&Point) -> f64) -> Option<Self> {
        let equations: Vec<_> = points
            .iter()
            .map(|point| {
                let value = rest(point).max(1e-9);
                Equation {
                    terms: [1.0, point.keys, point.keys * point.ln_accounts()],
                    value,
                    weight: 1.0 / (value * value),
                }
            })
            .collect();
        let law = match several_sizes(points) {
            true => solve(&equations).map(|[block_s, constant, slope]| Self {
                block_s,
                key_s: LogLine { constant, slope },
            }),
            false => {
                let one_size: Vec<_> = equations
                    .iter()
                    .map(|it| Equation {
                        terms: [it.terms[0], it.terms[1]],
                        value: it.value,
                        weight: it.weight,
                    })
                    .collect();
                solve(&one_size).map(|[block_s, constant]| Self {
                    block_s,
                    key_s: LogLine {
                        constant,
                        slope: 0.0,
                    },
                })
            }
        }?;
        if law.block_s >= 0.0 {
            return Some(law);
        }
        // No block takes less than nothing: then all is by key.
        let key_s = LogLine::fit(points, |point| rest(point).max(0.0) / point.keys);
        Some(Self {
            block_s: 0.0,
            key_s,
        })
    }

    /// Seconds for a block of so many keys, without a device.
    pub fn at(&self, keys: f64, accounts: f64) -> f64 {
        self.block_s + keys * self.key_s.at(accounts)
    }
}

/// Whether the runs are of more than one state size.
fn several_sizes(points: &[Point]) -> bool {
    let (least, most) = points.iter().fold((u64::MAX, 0), |(least, most), point| {
        (least.min(point.accounts), most.max(point.accounts))
    });
    most > least.saturating_add(least / 4)
}
