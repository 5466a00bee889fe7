//! What commits have changed in one chunk of a table since the last checkpoint.

use super::arena::{Arena, DeltaRef};
use super::packed::shrink;
use super::separators::Separators;
use core::cmp::Ordering;
use core::ops::Range;
use std::sync::Arc;

/// Changes of single keys, by page and key, and ranges of keys that are gone.
///
/// The ranges hide what lies below the deltas; changes that came before a range are dropped when it
/// is added, so that those which are here are all newer.
#[derive(Clone, Debug)]
pub(super) struct Deltas {
    /// Where each page's changes begin, and where the last one's end.
    starts: Vec<u32>,
    refs: Vec<DeltaRef>,
    /// For each change the first bytes of its key behind `beginning`, see [`prefix`]: mostly they
    /// decide where it belongs, and the key itself is not looked at.
    prefixes: Vec<u64>,
    /// What all keys of the chunk begin with, but for some behind its last separator.
    beginning: Arc<[u8]>,
    /// Ascending, disjoint.
    wipes: Vec<Wipe>,
}

/// A range of keys that is gone, by the operations that its ends come from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wipe {
    from: DeltaRef,
    to: DeltaRef,
}

impl Wipe {
    fn from<'a>(&self, arena: &'a Arena) -> &'a [u8] {
        arena.key(self.from)
    }

    fn to<'a>(&self, arena: &'a Arena) -> &'a [u8] {
        arena.bound(self.to)
    }
}

/// A number for each key such that none is below that of a lower key: the bytes behind `beginning`,
/// where the key begins so.
fn prefix(beginning: &[u8], key: &[u8]) -> u64 {
    match key.strip_prefix(beginning) {
        Some(rest) => {
            let mut bytes = [0; 8];
            let len = rest.len().min(8);
            bytes[..len].copy_from_slice(&rest[..len]);
            u64::from_be_bytes(bytes)
        }
        None if key < beginning => 0,
        None => u64::MAX,
    }
}

/// A change of a single key, on its way into deltas.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keyed<'a> {
    pub(super) key: &'a [u8],
    pub(super) at: DeltaRef,
}

impl Deltas {
    /// Memory of a change, without what it points to.
    pub(super) const BYTES_PER_CHANGE: usize = size_of::<DeltaRef>() + size_of::<u64>();

    /// No changes, in a chunk with these separators.
    pub(super) fn none(separators: &Separators) -> Self {
        Self {
            starts: vec![0; separators.len() + 1],
            refs: Vec::new(),
            prefixes: Vec::new(),
            beginning: separators.beginning().into(),
            wipes: Vec::new(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.refs.is_empty() && self.wipes.is_empty()
    }

    /// Number of changes of single keys.
    pub(super) fn len(&self) -> usize {
        self.refs.len()
    }

    fn range(&self, page: usize) -> Range<usize> {
        self.starts[page] as usize..self.starts[page + 1] as usize
    }

    /// The changes of one page, in the order of their keys.
    pub(super) fn of_page(&self, page: usize) -> &[DeltaRef] {
        &self.refs[self.range(page)]
    }

    pub(super) fn wipes(&self) -> &[Wipe] {
        &self.wipes
    }

    /// The last change of `key`, which belongs to this page.
    pub(super) fn find(&self, arena: &Arena, page: usize, key: &[u8]) -> Option<DeltaRef> {
        let range = self.range(page);
        let index = self.search(arena, range.clone(), key, false);
        self.is_key(arena, index, range.end, key)
            .then(|| self.refs[index])
    }

    /// Whether there is a change before `end` at `index`, of `key`.
    fn is_key(&self, arena: &Arena, index: usize, end: usize, key: &[u8]) -> bool {
        index < end && arena.key(self.refs[index]) == key
    }

    /// The first change in `range` with a key at or above `key`, or only above where `behind` is set.
    fn search(&self, arena: &Arena, range: Range<usize>, key: &[u8], behind: bool) -> usize {
        let (mut low, mut high) = (range.start, range.end);
        if low == high {
            return low;
        }
        let prefix = prefix(&self.beginning, key);
        while low < high {
            let middle = low.midpoint(high);
            let is_before = match self.prefixes[middle].cmp(&prefix) {
                Ordering::Less => true,
                Ordering::Greater => false,
                Ordering::Equal => match arena.key(self.refs[middle]).cmp(key) {
                    Ordering::Less => true,
                    Ordering::Equal => behind,
                    Ordering::Greater => false,
                },
            };
            if is_before {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    /// The changes of a page from `key` on.
    pub(super) fn from(&self, arena: &Arena, page: usize, key: &[u8]) -> &[DeltaRef] {
        let range = self.range(page);
        &self.refs[self.search(arena, range.clone(), key, false)..range.end]
    }

    /// The last change of a page below `key`, or at it where `inclusive`.
    pub(super) fn last(
        &self,
        arena: &Arena,
        page: usize,
        key: &[u8],
        inclusive: bool,
    ) -> Option<DeltaRef> {
        let range = self.range(page);
        let end = self.search(arena, range.clone(), key, inclusive);
        self.refs[range.start..end].last().copied()
    }

    /// Whether whatever lies below at `key` is gone.
    #[inline]
    pub(super) fn is_wiped(&self, arena: &Arena, key: &[u8]) -> bool {
        if self.wipes.is_empty() {
            return false;
        }
        let behind = self.wipes.partition_point(|wipe| wipe.from(arena) <= key);
        behind > 0 && key < self.wipes[behind - 1].to(arena)
    }

    /// Whether all keys from `from` up to `to` (to the end if there is none) are gone.
    pub(super) fn is_all_wiped(&self, arena: &Arena, from: &[u8], to: Option<&[u8]>) -> bool {
        let behind = self.wipes.partition_point(|wipe| wipe.from(arena) <= from);
        behind > 0 && to.is_some_and(|to| to <= self.wipes[behind - 1].to(arena))
    }

    /// Whether some key from `from` up to `to` is gone.
    pub(super) fn is_part_wiped(&self, arena: &Arena, from: &[u8], to: Option<&[u8]>) -> bool {
        let first = self.wipes.partition_point(|wipe| wipe.to(arena) <= from);
        self.wipes
            .get(first)
            .is_some_and(|wipe| to.is_none_or(|to| wipe.from(arena) < to))
    }

    /// These changes with newer ones, which ascend and have one for each key. `separators` are the
    /// chunk's.
    pub(super) fn with(&self, arena: &Arena, separators: &Separators, newer: &[Keyed<'_>]) -> Self {
        let mut starts = Vec::with_capacity(self.starts.len());
        let mut refs = Vec::with_capacity(self.refs.len() + newer.len());
        let mut prefixes = Vec::with_capacity(self.refs.len() + newer.len());
        let mut page = newer.first().map_or(0, |first| separators.floor(first.key));
        let mut taken = 0;
        for change in newer {
            page = separators.floor_from(page, change.key);
            let range = taken.max(self.starts[page] as usize)..self.starts[page + 1] as usize;
            let index = self.search(arena, range.clone(), change.key, false);
            // What the pages up to this one begin with has moved by what was added before.
            self.move_starts(&mut starts, page, refs.len() - taken);
            refs.extend_from_slice(&self.refs[taken..index]);
            prefixes.extend_from_slice(&self.prefixes[taken..index]);
            refs.push(change.at);
            prefixes.push(prefix(&self.beginning, change.key));
            let is_replaced = self.is_key(arena, index, range.end, change.key);
            taken = index + usize::from(is_replaced);
        }
        self.move_starts(&mut starts, self.starts.len() - 1, refs.len() - taken);
        refs.extend_from_slice(&self.refs[taken..]);
        prefixes.extend_from_slice(&self.prefixes[taken..]);
        Self {
            starts,
            refs,
            prefixes,
            beginning: Arc::clone(&self.beginning),
            wipes: self.wipes.clone(),
        }
    }

    /// Adds the starts up to that of `page` to those in `starts`, each by so much higher.
    fn move_starts(&self, starts: &mut Vec<u32>, page: usize, by: usize) {
        if let Some(missing) = self.starts.get(starts.len()..=page) {
            starts.extend(missing.iter().map(|start| start + by as u32));
        }
    }

    /// These changes with all of `newer`, which point into the same arena. `hides` says whether
    /// something may lie below.
    pub(super) fn with_all(
        &self,
        arena: &Arena,
        separators: &Separators,
        newer: &Self,
        hides: bool,
    ) -> Self {
        let keyed = |at: &DeltaRef| Keyed {
            key: arena.key(*at),
            at: *at,
        };
        let changes: Vec<_> = newer.refs.iter().map(keyed).collect();
        if newer.wipes.is_empty() {
            return self.with(arena, separators, &changes);
        }
        let mut wiped = self.clone();
        for wipe in &newer.wipes {
            wiped.wipe_range(arena, separators, *wipe, hides);
        }
        wiped.with(arena, separators, &changes)
    }

    /// Notes that all keys in the range of the operation `at` are gone. `hides` says whether
    /// something may lie below.
    pub(super) fn wipe(
        &mut self,
        arena: &Arena,
        separators: &Separators,
        at: DeltaRef,
        hides: bool,
    ) {
        self.wipe_range(arena, separators, Wipe { from: at, to: at }, hides);
    }

    fn wipe_range(&mut self, arena: &Arena, separators: &Separators, wipe: Wipe, hides: bool) {
        let start = self.position(arena, separators, wipe.from(arena));
        let end = self.position(arena, separators, wipe.to(arena)).max(start);
        self.refs.drain(start..end);
        self.prefixes.drain(start..end);
        for place in &mut self.starts {
            let at = *place as usize;
            *place = if at >= end {
                at - (end - start)
            } else {
                at.min(start)
            } as u32;
        }
        if hides {
            self.add_wipe(arena, wipe);
        }
    }

    /// Number of changes of keys below `key`.
    fn position(&self, arena: &Arena, separators: &Separators, key: &[u8]) -> usize {
        let range = self.range(separators.floor(key));
        self.search(arena, range, key, false)
    }

    /// Joins a range with those that it touches.
    fn add_wipe(&mut self, arena: &Arena, mut wipe: Wipe) {
        let (from, to) = (wipe.from(arena), wipe.to(arena));
        if from >= to {
            return;
        }
        let first = self.wipes.partition_point(|old| old.to(arena) < from);
        let last = self.wipes.partition_point(|old| old.from(arena) <= to);
        if let [old, ..] = &self.wipes[first..last]
            && old.from(arena) < from
        {
            wipe.from = old.from;
        }
        if let [.., old] = &self.wipes[first..last]
            && old.to(arena) > to
        {
            wipe.to = old.to;
        }
        self.wipes.splice(first..last, [wipe]);
    }

    /// The changes of a chunk with these separators, which ends before `end`: those of single keys
    /// are taken from the front of `rest`.
    pub(super) fn take(
        arena: &Arena,
        rest: &mut Rest<'_>,
        wipes: &[Wipe],
        separators: &Separators,
        end: Option<&[u8]>,
    ) -> Self {
        let mut deltas = Self::none(separators);
        let mut next = Vec::new();
        for page in 0..separators.len() {
            let upto = if page + 1 < separators.len() {
                separators.copy_to(page + 1, &mut next);
                Some(&*next)
            } else {
                end
            };
            rest.move_to(arena, &mut deltas, upto);
            deltas.starts[page + 1] = deltas.refs.len() as u32;
        }
        shrink(&mut deltas.refs);
        shrink(&mut deltas.prefixes);
        let first = separators.get(0);
        for wipe in wipes {
            let is_before = end.is_none_or(|end| wipe.from(arena) < end);
            if is_before && wipe.to(arena) > first.as_slice() {
                deltas.add_wipe(arena, *wipe);
            }
        }
        deltas
    }

    /// Adds changes of `older`, behind all that are here.
    fn extend(&mut self, arena: &Arena, older: &Self, range: Range<usize>) {
        let refs = &older.refs[range.clone()];
        self.refs.extend_from_slice(refs);
        if self.beginning == older.beginning {
            self.prefixes.extend_from_slice(&older.prefixes[range]);
        } else {
            let prefixes = refs
                .iter()
                .map(|at| prefix(&self.beginning, arena.key(*at)));
            self.prefixes.extend(prefixes);
        }
    }

    /// Memory of the changes, without what they point to.
    pub(super) fn memory_bytes(&self) -> usize {
        self.starts.capacity() * size_of::<u32>()
            + self.refs.capacity() * size_of::<DeltaRef>()
            + self.prefixes.capacity() * size_of::<u64>()
            + self.wipes.capacity() * size_of::<Wipe>()
    }
}

/// Changes of neighbouring chunks that are dealt out to others, from the first key to the last.
pub(super) struct Rest<'a> {
    chunks: &'a [Arc<Deltas>],
    /// Changes of the first chunk that are gone.
    taken: usize,
}

impl<'a> Rest<'a> {
    /// All changes of single keys of these chunks, which ascend.
    pub(super) const fn new(chunks: &'a [Arc<Deltas>]) -> Self {
        Self { chunks, taken: 0 }
    }

    /// Moves the changes below `upto`, or all, behind those of `deltas`.
    fn move_to(&mut self, arena: &Arena, deltas: &mut Deltas, upto: Option<&[u8]>) {
        while let [chunk, behind @ ..] = self.chunks {
            let all = self.taken..chunk.refs.len();
            let end = upto.map_or(all.end, |upto| {
                chunk.search(arena, all.clone(), upto, false)
            });
            deltas.extend(arena, chunk, self.taken..end);
            self.taken = end;
            if end < all.end {
                return;
            }
            self.chunks = behind;
            self.taken = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn prefixes_never_contradict_the_order_of_keys(
            beginning in proptest::collection::vec(0..3_u8, 0..4),
            a in proptest::collection::vec(0..3_u8, 0..14),
            b in proptest::collection::vec(0..3_u8, 0..14),
        ) {
            let order = prefix(&beginning, &a).cmp(&prefix(&beginning, &b));
            prop_assert!(order.is_eq() || order == a.cmp(&b));
        }
    }
}
