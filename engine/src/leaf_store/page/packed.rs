//! Many short byte strings, one after the other in one allocation.

/// A sequence of byte strings.
#[derive(Clone, Debug, Default)]
pub(super) struct Packed {
    bytes: Vec<u8>,
    ends: Vec<u32>,
}

impl Packed {
    pub(super) fn push(&mut self, item: &[u8]) {
        self.bytes.extend_from_slice(item);
        self.ends.push(self.bytes.len() as u32);
    }

    #[inline]
    pub(super) fn get(&self, index: usize) -> &[u8] {
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.bytes[start as usize..self.ends[index] as usize]
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Index of the last item at or below `key`, where items ascend; 0 if there is none.
    #[inline]
    pub(super) fn floor(&self, key: &[u8]) -> usize {
        self.last_between(0, self.len(), |item| item <= key)
    }

    /// The same, where the item at `from` is known to be at or below `key`, and the one that is looked for
    /// is not far.
    #[inline]
    pub(super) fn floor_from(&self, from: usize, key: &[u8]) -> usize {
        self.last_near(from, |item| item <= key)
    }

    /// Index of the last item below `key`; 0 if there is none.
    #[inline]
    pub(super) fn below(&self, key: &[u8]) -> usize {
        self.last_between(0, self.len(), |item| item < key)
    }

    /// The same, where the item at `from` is below `key`, and the one that is looked for is not far; `from` if
    /// there is none.
    #[inline]
    pub(super) fn below_from(&self, from: usize, key: &[u8]) -> usize {
        self.last_near(from, |item| item < key)
    }

    /// The last item from `from` on that passes, as all before it do; `from` is not asked. What is `n` items
    /// away takes about twice the binary logarithm of `n` comparisons.
    #[inline]
    fn last_near(&self, from: usize, passes: impl Fn(&[u8]) -> bool) -> usize {
        let (mut low, mut step) = (from, 1);
        while low + step < self.len() && passes(self.get(low + step)) {
            low += step;
            step *= 2;
        }
        self.last_between(low, self.len().min(low + step), passes)
    }

    /// The last item from `low` up to `high` that passes, as all before it do; `low` is not asked.
    #[inline]
    fn last_between(
        &self,
        mut low: usize,
        mut high: usize,
        passes: impl Fn(&[u8]) -> bool,
    ) -> usize {
        while low + 1 < high {
            let middle = low.midpoint(high);
            if passes(self.get(middle)) {
                low = middle;
            } else {
                high = middle;
            }
        }
        low
    }

    /// Memory that the items take.
    pub(super) fn memory_bytes(&self) -> usize {
        self.bytes.capacity() + self.ends.capacity() * size_of::<u32>()
    }

    /// Gives back what was reserved for more items.
    pub(super) fn shrink(&mut self) {
        shrink(&mut self.bytes);
        shrink(&mut self.ends);
    }
}

/// Gives back what a vector has reserved for more. By a copy: some allocators (mimalloc) leave a block that is to shrink
/// by less than half as large as it is.
pub(super) fn shrink<T: Copy>(items: &mut Vec<T>) {
    if items.len() < items.capacity() {
        *items = items.as_slice().to_vec();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floors_are_those_of_a_sorted_list() {
        let mut packed = Packed::default();
        for item in ["", "b", "bb", "d"] {
            packed.push(item.as_bytes());
        }
        for (key, index) in [
            ("", 0),
            ("a", 0),
            ("b", 1),
            ("b0", 1),
            ("bb", 2),
            ("c", 2),
            ("e", 3),
        ] {
            assert_eq!(packed.floor(key.as_bytes()), index, "{key}");
            for from in 0..=index {
                assert_eq!(packed.floor_from(from, key.as_bytes()), index, "{key}");
            }
        }
        for (key, index) in [("", 0), ("b", 0), ("b0", 1), ("bb", 1), ("c", 2), ("e", 3)] {
            assert_eq!(packed.below(key.as_bytes()), index, "{key}");
            for from in 0..=index {
                assert_eq!(packed.below_from(from, key.as_bytes()), index, "{key}");
            }
        }
        assert_eq!(packed.get(2), b"bb");
        assert_eq!(packed.len(), 4);
    }
}
