//! The last entries of a page that is being filled: where it ends is chosen among them.

use super::bytes::shared_len;
use super::extent::Extent;
use super::leaf::{Mark, Stored};

/// Entries up to the page's last, in their order.
#[derive(Debug, Default)]
pub(super) struct Tail {
    bytes: Vec<u8>,
    entries: Vec<Held>,
}

#[derive(Debug)]
struct Held {
    /// Where it begins in the page.
    mark: Mark,
    /// Nibbles that it has in common with the entry before.
    common: usize,
    /// Where its key and its value begin and end among the bytes.
    start: usize,
    key_end: usize,
    end: usize,
    blob: Option<Extent>,
}

/// An entry with which a page may begin.
#[derive(Clone, Copy, Debug)]
pub(super) struct First<'t> {
    pub(super) mark: Mark,
    pub(super) key: &'t [u8],
    pub(super) value: Stored<'t>,
    pub(super) common: usize,
}

impl Tail {
    pub(super) fn push(&mut self, mark: Mark, key: &[u8], value: Stored<'_>, common: usize) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(key);
        let key_end = self.bytes.len();
        let blob = match value {
            Stored::Inline(value) => {
                self.bytes.extend_from_slice(value);
                None
            }
            Stored::Blob(extent) => Some(extent),
        };
        self.entries.push(Held {
            mark,
            common,
            start,
            key_end,
            end: self.bytes.len(),
            blob,
        });
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.entries.clear();
    }

    /// The entries from the last one on that has least in common with its neighbour; none if that is not
    /// less than `common`.
    pub(super) fn behind_cut(
        &self,
        common: usize,
    ) -> impl ExactSizeIterator<Item = First<'_>> + Clone {
        let least = self.entries.iter().map(|held| held.common).min();
        let at = least
            .filter(|least| *least < common)
            .and_then(|least| self.entries.iter().rposition(|held| held.common == least))
            .unwrap_or(self.entries.len());
        self.entries[at..].iter().map(|held| First {
            mark: held.mark,
            key: &self.bytes[held.start..held.key_end],
            value: held.blob.map_or(
                Stored::Inline(&self.bytes[held.key_end..held.end]),
                Stored::Blob,
            ),
            common: held.common,
        })
    }
}

/// Half bytes that two keys begin with alike.
pub(super) fn common_nibbles(a: &[u8], b: &[u8]) -> usize {
    let bytes = shared_len(a, b);
    let high = |key: &[u8]| key.get(bytes).map(|byte| byte >> 4);
    2 * bytes + usize::from(high(a).is_some() && high(a) == high(b))
}

/// The shortest bound between a key and the one before, with which it has so many nibbles in common: a
/// nibble more, where buckets begin too.
pub(super) fn separator(key: &[u8], common: usize) -> Vec<u8> {
    let mut bound = key[..=common / 2].to_vec();
    if common.is_multiple_of(2) {
        bound[common / 2] &= 0xf0;
    }
    bound
}

#[cfg(test)]
mod tests {
    use super::super::leaf::PageBuilder;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn no_page_ends_where_its_neighbours_have_more_in_common() {
        let mut tail = Tail::default();
        let mark = PageBuilder::new(512).mark();
        let keys: [&[u8]; 4] = [b"\x12\x34", b"\x12\x56", b"\x12\x67", b"\x12\x68"];
        let mut last: &[u8] = b"\x12\x33";
        for key in keys {
            tail.push(
                mark,
                key,
                Stored::Inline(b"value"),
                common_nibbles(last, key),
            );
            last = key;
        }
        let cut = |common| {
            tail.behind_cut(common)
                .map(|first| first.key)
                .collect::<Vec<_>>()
        };
        assert_eq!(cut(3), keys[2..]);
        assert!(cut(2).is_empty(), "what comes next has as little in common");
        tail.clear();
        assert_eq!(tail.behind_cut(9).len(), 0);
    }

    proptest! {
        #[test]
        fn separators_never_leave_a_key_on_the_wrong_side(
            mut keys in proptest::collection::vec(proptest::collection::vec(0..20_u8, 0..4), 2..3),
        ) {
            keys.sort();
            prop_assume!(keys[0] != keys[1]);
            let bound = separator(&keys[1], common_nibbles(&keys[0], &keys[1]));
            prop_assert!(keys[0] < bound && bound <= keys[1], "{bound:?}");
        }
    }

    #[test]
    fn common_nibbles_are_never_more_than_those_of_the_shorter_key() {
        assert_eq!(common_nibbles(b"\x12\x34", b"\x12\x34"), 4);
        assert_eq!(common_nibbles(b"\x12\x34", b"\x12\x35"), 3);
        assert_eq!(common_nibbles(b"\x12", b"\x12\x05"), 2);
        assert_eq!(common_nibbles(b"", b"\x05"), 0);
    }
}
