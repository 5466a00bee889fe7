//! Numbers shuffled without a table, and back.

/// A permutation of the numbers below `len`: `n -> n * stride + offset (mod len)`.
///
/// The stride is near the golden section of `len`, so that neighbours lie far from each other, and any
/// run of numbers is spread evenly over all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Permutation {
    len: u64,
    stride: u64,
    inverse: u64,
    offset: u64,
}

impl Permutation {
    pub(super) fn new(len: u64, offset: u64) -> Self {
        let len = len.max(1);
        let stride = stride(len);
        Self {
            len,
            stride,
            inverse: inverse(stride, len),
            offset: offset % len,
        }
    }

    /// How many numbers it permutes.
    pub(super) const fn len(&self) -> u64 {
        self.len
    }

    /// Where `number`, which is below `len`, goes.
    pub(super) const fn forward(&self, number: u64) -> u64 {
        let at = number as u128 * self.stride as u128 + self.offset as u128;
        (at % self.len as u128) as u64
    }

    /// Which number goes to `at`, which is below `len`.
    pub(super) const fn back(&self, at: u64) -> u64 {
        let from = at as u128 + self.len as u128 - self.offset as u128;
        ((from % self.len as u128) * self.inverse as u128 % self.len as u128) as u64
    }

    /// The place of the number behind the one at `place`.
    pub(super) const fn next(&self, place: u64) -> u64 {
        let left = self.len - place;
        match self.stride < left {
            true => place + self.stride,
            false => self.stride - left,
        }
    }
}

/// A number without a divisor in common with `of`, so that its multiples go through all of them.
fn stride(of: u64) -> u64 {
    let mut stride = (of as f64 * 0.618_033_988_749) as u64 | 1;
    while gcd(stride, of) != 1 {
        stride += 2;
    }
    stride % of.max(2)
}

const fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// The number by which `of`, which has no divisor in common with `modulus`, is multiplied to give 1.
fn inverse(of: u64, modulus: u64) -> u64 {
    let modulus = i128::from(modulus);
    let (mut old, mut rest) = (i128::from(of), modulus);
    let (mut factor, mut next) = (1, 0);
    while rest != 0 {
        let quotient = old / rest;
        (old, rest) = (rest, old - quotient * rest);
        (factor, next) = (next, factor - quotient * next);
    }
    factor.rem_euclid(modulus) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_numbers_go_to_one_place() {
        for len in (1..200).chain([1_000, 4_096, 65_537, 99_990]) {
            let permutation = Permutation::new(len, 7_919);
            let mut taken = vec![false; len as usize];
            let mut place = permutation.forward(0);
            for number in 0..len {
                let at = permutation.forward(number);
                assert!(at < len && !taken[at as usize], "{number} of {len}");
                taken[at as usize] = true;
                assert_eq!(permutation.back(at), number, "{number} of {len}");
                assert_eq!(place, at, "{number} of {len}");
                place = permutation.next(place);
            }
        }
    }

    #[test]
    fn no_place_is_lost_among_large_numbers() {
        for len in [204_500_000, 1_552_600_000, u64::MAX / 3, (1 << 62) + 1] {
            let permutation = Permutation::new(len, u64::MAX);
            for number in [0, 1, 12_345, len / 2, len - 1] {
                assert_eq!(permutation.back(permutation.forward(number)), number);
            }
        }
    }
}
