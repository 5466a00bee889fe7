//! The largest multiple that fits, by bisection.

use super::{Bisect, Largest};

/// What a run at a multiple showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The block work fits the slot.
    Fits,
    /// It does not.
    TooMuch,
    /// No further run may begin: the search ends with what it has.
    Stop,
}

/// Measures the given multiples in order, and then looks for the largest one that fits.
///
/// Multiples behind the first that does not fit are skipped. If all fit, the search doubles the last one up to
/// `multiple_max`. Between the last that fits and the first that does not it halves, by proportion: multiples
/// range over orders of magnitude. `measure` is called once for each multiple.
///
/// A larger multiple is taken to cost more. Where noise makes it cheaper, the answer is one of the places at which
/// it crosses the slot.
pub fn search<E>(
    multiples: &[u32],
    bisect: Option<&Bisect>,
    mut measure: impl FnMut(u32) -> Result<Step, E>,
) -> Result<Largest, E> {
    let mut largest = Largest::default();
    for multiple in multiples {
        if largest.first_unfit.is_some() {
            break;
        }
        if !largest.note(*multiple, measure(*multiple)?) {
            return Ok(largest);
        }
    }
    let Some(bisect) = bisect else {
        return Ok(largest);
    };
    while let Some(multiple) = next(&largest, bisect) {
        if !largest.note(multiple, measure(multiple)?) {
            break;
        }
    }
    Ok(largest)
}

/// The multiple to try next; `None` if what is known is exact enough.
fn next(largest: &Largest, bisect: &Bisect) -> Option<u32> {
    match (largest.multiple, largest.first_unfit) {
        (None, None) => None,
        (None, Some(unfit)) => (unfit > 1).then_some(unfit.div_ceil(10).min(unfit - 1)),
        (Some(fit), None) => {
            let doubled = fit.saturating_mul(2).min(bisect.multiple_max);
            (doubled > fit).then_some(doubled)
        }
        (Some(fit), Some(unfit)) => {
            let exact = f64::from(unfit) <= f64::from(fit) * (1.0 + bisect.resolution);
            let middle = (f64::from(fit) * f64::from(unfit)).sqrt().round() as u32;
            let middle = middle.clamp(fit + 1, unfit.max(fit + 2) - 1);
            (!exact && unfit > fit + 1).then_some(middle)
        }
    }
}

impl Largest {
    /// Notes what a run showed; whether the search may go on.
    fn note(&mut self, multiple: u32, step: Step) -> bool {
        match step {
            Step::Fits => self.multiple = self.multiple.max(Some(multiple)),
            Step::TooMuch => {
                let known = self.first_unfit.unwrap_or(u32::MAX);
                self.first_unfit = Some(known.min(multiple));
            }
            Step::Stop => return false,
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::convert::Infallible;

    /// Searches for a threshold; the answer and the multiples that were measured.
    fn find(threshold: u32, multiples: &[u32], bisect: Option<Bisect>) -> (Largest, Vec<u32>) {
        let mut tried = Vec::new();
        let found = search(multiples, bisect.as_ref(), |multiple| {
            tried.push(multiple);
            Ok::<_, Infallible>(match multiple <= threshold {
                true => Step::Fits,
                false => Step::TooMuch,
            })
        });
        let Ok(found) = found;
        (found, tried)
    }

    #[test]
    fn no_larger_multiple_is_missed_by_more_than_the_resolution() {
        for threshold in [1, 2, 3, 7, 10, 11, 99, 100, 101, 640, 1_000, 1_500, 3_999] {
            let (found, tried) = find(threshold, &[1, 10, 100, 1_000], Some(Bisect::default()));
            let fit = found.multiple.expect("one times fits");
            let unfit = found.first_unfit.expect("4,000 times does not");
            assert!(fit <= threshold && threshold < unfit, "{found:?}");
            assert!(
                unfit == fit + 1 || f64::from(unfit) <= 1.1 * f64::from(fit),
                "{threshold}: {found:?}"
            );
            let mut once = tried.clone();
            once.sort_unstable();
            once.dedup();
            assert_eq!(once.len(), tried.len(), "{threshold}: {tried:?}");
            assert!(tried.len() <= 12, "{threshold}: {tried:?}");
        }
    }

    #[test]
    fn what_was_not_tried_is_never_the_answer() {
        let (found, tried) = find(u32::MAX, &[1, 1_000], Some(Bisect::default()));
        assert_eq!(found.multiple, Some(4_000));
        assert_eq!(found.first_unfit, None);
        assert_eq!(tried, [1, 1_000, 2_000, 4_000]);
        let (found, tried) = find(0, &[1, 10], Some(Bisect::default()));
        assert_eq!((found.multiple, found.first_unfit), (None, Some(1)));
        assert_eq!(tried, [1]);
        let (found, tried) = find(4, &[10, 100], Some(Bisect::default()));
        assert_eq!(found.multiple, Some(4));
        assert!(!tried.contains(&100), "{tried:?}");
        let (found, _) = find(500, &[1, 100, 1_000], None);
        assert_eq!(
            (found.multiple, found.first_unfit),
            (Some(100), Some(1_000))
        );
    }

    #[test]
    fn a_search_that_is_stopped_never_goes_on() {
        let mut calls = 0;
        let found = search(&[1, 10, 100], Some(&Bisect::default()), |multiple| {
            calls += 1;
            Ok::<_, Infallible>(match multiple {
                1 => Step::Fits,
                _ => Step::Stop,
            })
        });
        let Ok(found) = found;
        assert_eq!(
            (found.multiple, found.first_unfit, calls),
            (Some(1), None, 2)
        );
    }
}
