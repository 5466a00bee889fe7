//! The last entries of a page that is being filled: where it ends is chosen among them.
//!
//! A cut between two keys that have `n` nibbles in common divides what lies under these nibbles. Where that
//! would fit into a page, it is better in one: a page rather ends when it has half of what it may have. What
//! is larger than a page is divided anyway, and then pages end with three quarters at least.

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

/// Bytes after which a page may end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ends {
    /// Where that keeps together what fits into a page.
    early: usize,
    /// Wherever neighbours have least in common.
    late: usize,
}

impl Ends {
    /// Of a page that is to have so many bytes, of those that it has room for.
    pub(super) fn of(target_bytes: usize, page_bytes: usize) -> Self {
        let late = target_bytes / 4 * 3;
        // With less it would soon be merged with its neighbours.
        let early = (target_bytes / 2).max(page_bytes / 8 * 3).min(late);
        Self { early, late }
    }

    /// Whether a page may end there.
    pub(super) fn allow(&self, mark: Mark) -> bool {
        mark.entries() > 0 && mark.used() >= self.early
    }
}

/// Place of the last entry with the fewest nibbles in common with the one before; behind all of them if these are
/// not fewer than `common`.
fn least(entries: &[Held], common: usize) -> usize {
    let least = entries.iter().map(|held| held.common).min();
    least
        .filter(|least| *least < common)
        .and_then(|least| entries.iter().rposition(|held| held.common == least))
        .unwrap_or(entries.len())
}

/// Whether as many entries as lie under so many nibbles may fit into one page, to judge by its last ones: they show
/// how many lie under one nibble more.
fn may_fit_a_page(last: &[Held], nibbles: usize) -> bool {
    let cuts = last.iter().skip(1).filter(|held| held.common <= nibbles);
    let under = 16 * last.len() / (cuts.count() + 1);
    last.last()
        .is_none_or(|last| under <= last.mark.entries() + 1)
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

    /// Of a page that may end there, before which another entry comes that has `common` nibbles in common with
    /// its last one: the entries that are to be in the next page; none if it is best ended before that other.
    pub(super) fn behind_cut(
        &self,
        common: usize,
        ends: Ends,
    ) -> impl ExactSizeIterator<Item = First<'_>> + Clone {
        let from = |bytes| {
            self.entries
                .partition_point(|held| held.mark.used() < bytes)
        };
        let (early, late) = (from(ends.early), from(ends.late));
        let mut at = late + least(&self.entries[late..], common);
        let divided = self.entries.get(at).map_or(common, |held| held.common);
        if may_fit_a_page(&self.entries[late..], divided) {
            let is_whole = |held: &Held| held.common < divided;
            let before = self.entries[early..late].iter().rposition(is_whole);
            at = before.map_or(at, |before| early + before);
        }
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

    const PAGE_BYTES: usize = 512;

    fn ends() -> Ends {
        Ends::of(PAGE_BYTES, PAGE_BYTES)
    }

    /// Entries of a page with these keys: those before which it may end.
    fn tail(keys: &[[u8; 2]]) -> Tail {
        let mut tail = Tail::default();
        let mut builder = PageBuilder::new(PAGE_BYTES);
        for key in keys {
            let (mark, value) = (builder.mark(), Stored::Inline(&[7; 16]));
            let common = common_nibbles(builder.last_key(), key);
            assert!(builder.push(key, value));
            if ends().allow(mark) {
                tail.push(mark, key, value, common);
            }
        }
        tail
    }

    /// What is in the next page.
    fn cut(tail: &Tail, common: usize) -> Vec<u8> {
        let behind = tail.behind_cut(common, ends());
        behind.flat_map(|first| first.key.to_vec()).collect()
    }

    /// As many entries as fit into the page, twelve and eleven: it may end before the thirteenth, and has three quarters
    /// before the nineteenth. The last ones have these second bytes.
    fn keys(last: [u8; 11]) -> Vec<[u8; 2]> {
        let first = (0..12).map(|second| [0x10, second]);
        first.chain(last.map(|second| [0x20, second])).collect()
    }

    #[test]
    fn no_page_ends_where_its_neighbours_have_more_in_common() {
        let keys = keys([0, 1, 2, 3, 4, 5, 6, 7, 8, 0x50, 0x51]);
        // What lies under 20 may be 16 times as much as what lies under 20 0: too much for a page.
        assert_eq!(cut(&tail(&keys), 3), keys[21..].concat());
        assert_eq!(cut(&tail(&keys), 2), [0; 0], "the next has as little");
        assert_eq!(cut(&tail(&keys[..2]), 9), [0; 0]);
        let mut cleared = tail(&keys);
        cleared.clear();
        assert_eq!(cut(&cleared, 9), [0; 0]);
    }

    #[test]
    fn nothing_that_fits_a_page_is_divided_if_a_page_may_end_before_it() {
        // Each of the last entries has a nibble to itself: of sixteen under 20 a page has room.
        let keys = keys([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map(|nibble| nibble << 4));
        assert_eq!(cut(&tail(&keys), 2), keys[12..].concat());
        assert_eq!(cut(&tail(&keys), 1), [0; 0], "under 2 there may be more");
    }

    #[test]
    fn no_page_ends_with_less_than_three_eighths() {
        for target in [256, 300, 400, 512] {
            let Ends { early, late } = Ends::of(target, PAGE_BYTES);
            assert!(192 <= early && early <= late && late <= target, "{target}");
        }
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
