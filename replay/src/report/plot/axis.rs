//! Axes: from values to places, and where ticks stand.

/// How values become places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Scale {
    /// In proportion.
    Linear,
    /// By logarithm; values at or below zero have no place.
    Log,
}

/// An axis, still without a length.
#[derive(Clone, Debug)]
pub(in super::super) struct Axis {
    /// What it measures, with the unit.
    pub(in super::super) label: String,
    /// How values become places.
    pub(in super::super) scale: Scale,
    /// How a tick's value is written.
    pub(in super::super) format: fn(f64) -> String,
}

/// An axis with a range.
#[derive(Clone, Debug)]
pub(super) struct Ranged {
    scale: Scale,
    low: f64,
    high: f64,
}

impl Ranged {
    /// The range that holds all values, widened to whole ticks.
    pub(super) fn over(scale: Scale, values: impl Iterator<Item = f64>) -> Self {
        let usable = |value: &f64| value.is_finite() && (scale == Scale::Linear || *value > 0.0);
        let (mut low, mut high) = values
            .filter(usable)
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
                (low.min(value), high.max(value))
            });
        if low > high {
            (low, high) = (1.0, 10.0);
        }
        match scale {
            Scale::Linear => {
                low = low.min(0.0);
                let step = nice_step((high - low).max(f64::MIN_POSITIVE) / 4.0);
                high = (high / step).ceil() * step;
                if high <= low {
                    high = low + step;
                }
            }
            Scale::Log => {
                low = 10f64.powf(low.log10().floor());
                high = 10f64.powf(high.log10().ceil());
                if high <= low {
                    high = low * 10.0;
                }
            }
        }
        Self { scale, low, high }
    }

    /// Where a value stands, from 0 to 1; `None` for one that has no place.
    pub(super) fn place(&self, value: f64) -> Option<f64> {
        let place = match self.scale {
            Scale::Linear => (value - self.low) / (self.high - self.low),
            Scale::Log if value > 0.0 => {
                (value / self.low).log10() / (self.high / self.low).log10()
            }
            Scale::Log => return None,
        };
        place.is_finite().then_some(place.clamp(0.0, 1.0))
    }

    /// Values at which ticks stand: at most `most`.
    pub(super) fn ticks(&self, most: usize) -> Vec<f64> {
        match self.scale {
            Scale::Linear => {
                let step = nice_step((self.high - self.low) / most.max(2) as f64);
                let count = ((self.high - self.low) / step).round() as usize;
                (0..=count).map(|at| self.low + at as f64 * step).collect()
            }
            Scale::Log => {
                let decades = (self.high / self.low).log10().round() as usize;
                let every = decades.div_ceil(most.max(2) - 1).max(1);
                (0..=decades)
                    .step_by(every)
                    .map(|decade| self.low * 10f64.powi(decade as i32))
                    .collect()
            }
        }
    }
}

/// 1, 2 or 5 times a power of ten, at or above `least`.
fn nice_step(least: f64) -> f64 {
    let power = 10f64.powf(least.log10().floor());
    let factor = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .find(|factor| power * factor >= least * 0.999_999);
    power * factor.unwrap_or(10.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_value_falls_outside_its_axis() {
        for scale in [Scale::Linear, Scale::Log] {
            for values in [vec![1.0], vec![0.0, 3.0, 17.0], vec![1e-6, 1e9], vec![]] {
                let axis = Ranged::over(scale, values.iter().copied());
                for value in values
                    .iter()
                    .filter(|value| scale == Scale::Linear || **value > 0.0)
                {
                    let place = axis.place(*value).expect("a place");
                    assert!((0.0..=1.0).contains(&place), "{scale:?} {value}");
                }
                let ticks = axis.ticks(6);
                assert!((2..=8).contains(&ticks.len()), "{scale:?} {ticks:?}");
                assert!(ticks.is_sorted());
            }
        }
        assert_eq!(Ranged::over(Scale::Log, [1.0].into_iter()).place(0.0), None);
    }

    #[test]
    fn no_tick_stands_at_a_crooked_number() {
        let axis = Ranged::over(Scale::Linear, [0.0, 17.0].into_iter());
        assert_eq!(axis.ticks(4), [0.0, 5.0, 10.0, 15.0, 20.0]);
        let axis = Ranged::over(Scale::Log, [3.0, 2_000.0].into_iter());
        assert_eq!(axis.ticks(6), [1.0, 10.0, 100.0, 1_000.0, 10_000.0]);
    }
}
