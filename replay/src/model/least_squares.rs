//! Weighted linear least squares with a handful of unknowns.

/// Ridge that keeps near-singular systems solvable, relative to each unknown's own weight.
const RIDGE: f64 = 1e-9;
/// A pivot this small beside its column means that the unknown is not determined.
const SINGULAR: f64 = 1e-12;

/// One equation: the terms, what they should add up to, and how much it counts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Equation<const N: usize> {
    pub(super) terms: [f64; N],
    pub(super) value: f64,
    pub(super) weight: f64,
}

/// The unknowns with the least weighted square error; `None` where the equations do not determine them.
pub(super) fn solve<const N: usize>(equations: &[Equation<N>]) -> Option<[f64; N]> {
    let mut matrix = [[0.0; N]; N];
    let mut right = [0.0; N];
    for equation in equations {
        for (row, term) in equation.terms.into_iter().enumerate() {
            let weighted = equation.weight * term;
            right[row] += weighted * equation.value;
            for (cell, other) in matrix[row].iter_mut().zip(equation.terms) {
                *cell += weighted * other;
            }
        }
    }
    let scale: [f64; N] = core::array::from_fn(|at| matrix[at][at]);
    for at in 0..N {
        matrix[at][at] += RIDGE * scale[at];
    }
    eliminate(matrix, right, scale)
}

fn eliminate<const N: usize>(
    mut matrix: [[f64; N]; N],
    mut right: [f64; N],
    scale: [f64; N],
) -> Option<[f64; N]> {
    for at in 0..N {
        let pivot = (at..N).max_by(|a, b| matrix[*a][at].abs().total_cmp(&matrix[*b][at].abs()))?;
        matrix.swap(at, pivot);
        right.swap(at, pivot);
        if matrix[at][at].abs() <= SINGULAR * scale[at].abs() || matrix[at][at] == 0.0 {
            return None;
        }
        for row in at + 1..N {
            let pivot = matrix[at];
            let factor = matrix[row][at] / pivot[at];
            for (cell, above) in matrix[row].iter_mut().zip(pivot) {
                *cell -= factor * above;
            }
            right[row] -= factor * right[at];
        }
    }
    let mut unknowns = [0.0; N];
    for at in (0..N).rev() {
        let known: f64 = (at + 1..N)
            .map(|column| matrix[at][column] * unknowns[column])
            .sum();
        unknowns[at] = (right[at] - known) / matrix[at][at];
    }
    unknowns.iter().all(|it| it.is_finite()).then_some(unknowns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_exact_solution_is_missed() {
        let of = |x: f64, y: f64| Equation {
            terms: [1.0, x, y],
            value: 3.0 + 2.0 * x - 5.0 * y,
            weight: 1.0 / (1.0 + x),
        };
        let equations = [of(0.0, 1.0), of(1.0, 0.0), of(2.0, 7.0), of(9.0, 3.0)];
        let got = solve(&equations).expect("four equations determine three unknowns");
        for (got, expected) in got.into_iter().zip([3.0, 2.0, -5.0]) {
            assert!((got - expected).abs() < 1e-5, "{got}, expected {expected}");
        }
    }

    #[test]
    fn what_nothing_determines_is_never_made_up() {
        let zero = Equation {
            terms: [0.0, 0.0],
            value: 1.0,
            weight: 1.0,
        };
        assert_eq!(solve(&[zero, zero]), None);
        assert_eq!(solve::<2>(&[]), None);
    }
}
