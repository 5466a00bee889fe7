//! Sorted leaves, and where a set of them divides.

use super::Leaf;
use alloy_primitives::B256;

/// Leaves are not in ascending order of their locations. Sort them, and keep one of each location.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("leaf {index}: expected a location above {previous}, got {got}")]
pub struct OrderError {
    /// The leaf's place in the slice.
    pub index: u64,
    /// The location before it.
    pub previous: B256,
    /// Its location.
    pub got: B256,
}

/// Checks that locations ascend, and so that none comes twice.
pub fn check_order(leaves: &[Leaf]) -> Result<(), OrderError> {
    let ascends = |pair: &[Leaf]| pair[0].location < pair[1].location;
    match leaves.windows(2).position(|pair| !ascends(pair)) {
        None => Ok(()),
        Some(at) => Err(OrderError {
            index: at as u64 + 1,
            previous: leaves[at].location,
            got: leaves[at + 1].location,
        }),
    }
}

/// Bit `at` of a location, below 256; 0 is the most significant bit of its first byte.
pub fn bit(location: &B256, at: u16) -> bool {
    let byte = location[usize::from(at / 8)];
    byte >> (7 - at % 8) & 1 == 1
}

/// The first bit in which two locations differ; `None` where they are the same.
pub fn first_differing_bit(a: &B256, b: &B256) -> Option<u16> {
    let byte = a.iter().zip(b.iter()).position(|(a, b)| a != b)?;
    Some(byte as u16 * 8 + (a[byte] ^ b[byte]).leading_zeros() as u16)
}

/// The two halves of at least two sorted leaves, neither empty.
pub(super) fn halves(leaves: &[Leaf]) -> (&[Leaf], &[Leaf]) {
    let (first, last) = (&leaves[0], &leaves[leaves.len() - 1]);
    let at = first_differing_bit(&first.location, &last.location)
        .expect("locations ascend, so the first and the last differ");
    leaves.split_at(leaves.partition_point(|leaf| !bit(&leaf.location, at)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_locations_differ_at_another_bit() {
        let zero = B256::ZERO;
        assert_eq!(first_differing_bit(&zero, &zero), None);
        for at in 0..256u16 {
            let mut other = zero;
            other[usize::from(at / 8)] = 0x80 >> (at % 8);
            assert_eq!(first_differing_bit(&zero, &other), Some(at));
            assert!(bit(&other, at));
            assert!(!bit(&zero, at));
            let mut more = other;
            more[31] |= 1;
            assert_eq!(first_differing_bit(&zero, &more), Some(at));
        }
    }

    #[test]
    fn no_unsorted_or_repeated_leaf_passes() {
        let leaf = |byte| Leaf {
            location: B256::repeat_byte(byte),
            value: B256::ZERO,
        };
        assert_eq!(check_order(&[]), Ok(()));
        assert_eq!(check_order(&[leaf(1), leaf(2), leaf(3)]), Ok(()));
        for (second, third) in [(2, 2), (3, 2)] {
            let error = check_order(&[leaf(1), leaf(second), leaf(third)]);
            let expected = OrderError {
                index: 2,
                previous: B256::repeat_byte(second),
                got: B256::repeat_byte(third),
            };
            assert_eq!(error, Err(expected));
        }
    }
}
