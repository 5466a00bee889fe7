//! A position in a trie: up to 64 nibbles, packed, comparable, 33 bytes.

use alloy_primitives::B256;
use core::fmt;
use nybbles::Nibbles;

/// Nibbles of a whole key.
pub(crate) const KEY_NIBBLES: usize = 64;

/// A path of 0 to 64 nibbles from the root of a trie.
///
/// The nibbles lie packed, the unused ones are zero, so that the derived order (bytes, then
/// length) puts a stub where the leaves under it would be.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Path {
    bytes: B256,
    len: u8,
}

impl Path {
    /// The root's own path.
    pub(crate) const EMPTY: Self = Self {
        bytes: B256::ZERO,
        len: 0,
    };

    /// The path of a leaf: all 64 nibbles of its hashed key.
    #[inline]
    pub(crate) const fn leaf(key: B256) -> Self {
        Self {
            bytes: key,
            len: KEY_NIBBLES as u8,
        }
    }

    /// The path of `len` nibbles packed in `bytes`; `None` if there are more than 64, or a
    /// nibble past the end is not zero.
    #[inline]
    pub(crate) fn from_packed(bytes: B256, len: usize) -> Option<Self> {
        let path = Self::leaf(bytes);
        if len == KEY_NIBBLES {
            return Some(path);
        }
        (len < KEY_NIBBLES && path.prefix(len).bytes == bytes).then_some(Self {
            bytes,
            len: len as u8,
        })
    }

    /// The same path in the field's usual type; `None` if it is longer than a key.
    pub(crate) fn from_nibbles(nibbles: &Nibbles) -> Option<Self> {
        if nibbles.len() > KEY_NIBBLES {
            return None;
        }
        let mut bytes = B256::ZERO;
        let packed = nibbles.pack();
        bytes[..packed.len()].copy_from_slice(&packed);
        Some(Self {
            bytes,
            len: nibbles.len() as u8,
        })
    }

    /// Number of nibbles.
    #[inline]
    pub(crate) const fn len(&self) -> usize {
        self.len as usize
    }

    /// The packed nibbles, zero past the end.
    #[inline]
    pub(crate) const fn bytes(&self) -> &B256 {
        &self.bytes
    }

    /// The nibble at `index`, which is below 64; zero past the end.
    #[inline]
    pub(crate) fn nibble(&self, index: usize) -> u8 {
        let byte = self.bytes[index / 2];
        if index.is_multiple_of(2) {
            byte >> 4
        } else {
            byte & 0x0f
        }
    }

    /// The first `len` nibbles.
    pub(crate) fn prefix(&self, len: usize) -> Self {
        debug_assert!(len <= KEY_NIBBLES);
        let mut bytes = B256::ZERO;
        let whole = len / 2;
        bytes[..whole].copy_from_slice(&self.bytes[..whole]);
        if !len.is_multiple_of(2) {
            bytes[whole] = self.bytes[whole] & 0xf0;
        }
        Self {
            bytes,
            len: len as u8,
        }
    }

    /// The path one nibble further down; `None` at the end of a key.
    pub(crate) fn child(&self, nibble: u8) -> Option<Self> {
        if self.len() == KEY_NIBBLES {
            return None;
        }
        let mut child = *self;
        let shift = if self.len.is_multiple_of(2) { 4 } else { 0 };
        child.bytes[self.len() / 2] |= nibble << shift;
        child.len += 1;
        Some(child)
    }

    /// This path followed by `tail`; `None` past the length of a key.
    pub(crate) fn join(&self, tail: &Nibbles) -> Option<Self> {
        tail.iter().try_fold(*self, |path, n| path.child(n))
    }

    /// Number of leading nibbles that both have.
    #[inline]
    pub(crate) fn common_prefix(&self, other: &Self) -> usize {
        let shorter = self.len.min(other.len) as usize;
        let words = self.bytes.as_chunks::<8>().0.iter();
        let differing = words
            .zip(other.bytes.as_chunks::<8>().0)
            .map(|(a, b)| u64::from_be_bytes(*a) ^ u64::from_be_bytes(*b))
            .enumerate()
            .find(|(_, differing)| *differing != 0);
        let equal = differing.map_or(KEY_NIBBLES, |(word, differing)| {
            16 * word + differing.leading_zeros() as usize / 4
        });
        equal.min(shorter)
    }

    /// Whether `self` lies at or under `prefix`.
    #[inline]
    pub(crate) fn starts_with(&self, prefix: &Self) -> bool {
        self.len >= prefix.len && self.common_prefix(prefix) == prefix.len()
    }

    /// The first packed key behind everything under this path; `None` where nothing is behind.
    pub(crate) fn upper_bound(&self) -> Option<B256> {
        let mut bytes = self.bytes;
        let mut index = self.len();
        while index > 0 {
            index -= 1;
            let shift = if index.is_multiple_of(2) { 4 } else { 0 };
            let nibble = (bytes[index / 2] >> shift) & 0x0f;
            bytes[index / 2] &= !(0x0f << shift);
            if nibble < 0x0f {
                bytes[index / 2] |= (nibble + 1) << shift;
                return Some(bytes);
            }
        }
        None
    }

    /// The same path in the field's usual type.
    pub(crate) fn nibbles(&self) -> Nibbles {
        Nibbles::unpack(self.bytes).slice(..self.len())
    }
}

impl fmt::Debug for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (0..self.len()).try_for_each(|i| write!(f, "{:x}", self.nibble(i)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn path(nibbles: &[u8]) -> Path {
        Path::from_nibbles(&Nibbles::from_nibbles(nibbles)).expect("short enough")
    }

    #[test]
    fn upper_bound_does_not_skip_or_include_a_neighbour() {
        let bound = |n: &[u8]| path(n).upper_bound().map(|b| b[0]);
        assert_eq!(bound(&[1, 2]), Some(0x13));
        assert_eq!(bound(&[1, 0xf]), Some(0x20));
        assert_eq!(bound(&[0xf, 0xf]), None);
        assert_eq!(bound(&[]), None);
        assert_eq!(bound(&[3]), Some(0x40));
    }

    proptest! {
        #[test]
        fn agrees_with_nybbles(a in prop::collection::vec(0u8..16, 0..=64), b in prop::collection::vec(0u8..16, 0..=64), cut in 0usize..=64) {
            let (na, nb) = (Nibbles::from_nibbles(&a), Nibbles::from_nibbles(&b));
            let (pa, pb) = (path(&a), path(&b));
            prop_assert_eq!(pa.nibbles(), na);
            prop_assert_eq!(pa.common_prefix(&pb), na.common_prefix_length(&nb));
            prop_assert_eq!(pa.starts_with(&pb), na.starts_with(&nb));
            let cut = cut.min(a.len());
            prop_assert_eq!(pa.prefix(cut).nibbles(), na.slice(..cut));
            let tail = na.slice(cut..);
            prop_assert_eq!(pa.prefix(cut).join(&tail), Some(pa));
            prop_assert_eq!(Path::from_packed(*pa.bytes(), pa.len()), Some(pa));
        }
    }
}
