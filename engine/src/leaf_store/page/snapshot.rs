//! Reads from one state.

use super::super::counters::Tally;
use super::super::{Entry, KeyRange, LeafRead, ReadAhead, StoreError, Table, Visitor};
use super::ahead::{ReaderThreads, Reads};
use super::filter;
use super::ids::PageId;
use super::leaf::Page;
use super::shared::Core;
use super::tree::{Chunk, State};
use super::view::{Found, Layers, PageView};
use core::fmt;
use core::ops::{ControlFlow, Range};
use core::sync::atomic::Ordering::Relaxed;
use std::borrow::Cow;
use std::sync::Arc;

/// Pages that a scan asks for at once, at most.
const AHEAD_PAGES_MAX: usize = 64;
/// A scan of so many pages of a chunk does not push others out of the cache.
const SWEEP_PAGES: usize = 128;

/// One state of a [`PageStore`](super::PageStore).
///
/// It keeps the pages that later checkpoints have replaced from being used again: let go of it when
/// its block is done.
pub struct PageSnapshot<'a> {
    core: &'a Arc<Core>,
    readers: &'a ReaderThreads,
    state: Arc<State>,
}

impl<'a> PageSnapshot<'a> {
    pub(super) fn new(core: &'a Arc<Core>, readers: &'a ReaderThreads) -> Self {
        Self {
            core,
            readers,
            state: core.state(),
        }
    }

    fn layers<'s>(&'s self, chunk: &'s Chunk) -> Layers<'s> {
        self.state.layers(chunk)
    }

    /// The bytes of a value, read from where they lie.
    fn value<'f>(&self, found: Found<'f>) -> Result<Cow<'f, [u8]>, StoreError> {
        match found {
            Found::Inline(value) => Ok(Cow::Borrowed(value)),
            Found::Blob(extent) => self.core.extent(extent, "value").map(Cow::Owned),
            Found::Far(arena, at, far) => arena.far(at, far).map(Cow::Owned),
        }
    }

    fn find(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let tree = self.state.tree(table);
        let (chunk, page) = tree.find(key);
        let chunk = &*tree.chunks[chunk];
        for layer in self.layers(chunk).into_iter().flatten() {
            if let Some(at) = layer.deltas.find(layer.arena, page, key) {
                let found = layer.found(at).map(|found| self.value(found));
                return Ok(found.transpose()?.map(Cow::into_owned));
            }
            if layer.deltas.is_wiped(layer.arena, key) {
                return Ok(None);
            }
        }
        let leaves = &chunk.leaves;
        let id = leaves.pages[page];
        if id.is_none() || !filter::may_contain(leaves.filters.get(page), filter::hash(key)) {
            return Ok(None);
        }
        let page = self.core.page(table, id)?;
        let found = page.get(key).map(|stored| self.value(stored.into()));
        Ok(found.transpose()?.map(Cow::into_owned))
    }

    /// Visits the pages of chunk `chunk`, from page `first` on; whether the scan goes on behind it.
    fn scan_chunk(
        &self,
        scan: &mut Scan<'_, '_>,
        chunk: usize,
        first: usize,
    ) -> Result<ControlFlow<()>, StoreError> {
        let chunk = &*self.state.tree(scan.table).chunks[chunk];
        let separators = &chunk.leaves.separators;
        let last = scan
            .to
            .map_or(separators.len() - 1, |to| separators.below_from(first, to));
        let is_sweep = last - first >= SWEEP_PAGES;
        // Without an end the visitor may have enough soon.
        let mut ahead = if scan.to.is_some() {
            AHEAD_PAGES_MAX
        } else {
            1
        };
        let mut page = first;
        while page <= last {
            let upto = (page + ahead).min(last + 1);
            ahead = (ahead * 4).min(AHEAD_PAGES_MAX);
            let pages = self.pages(scan.table, chunk, page..upto, !is_sweep)?;
            for (offset, held) in pages.iter().enumerate() {
                let view = PageView {
                    page: held.as_deref(),
                    index: page + offset,
                    layers: self.layers(chunk),
                };
                // All keys of the pages before the last are below the bound.
                let to = scan.to.filter(|_| page + offset == last);
                if scan.visit(self, view, to)?.is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
            page = upto;
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Pages of a chunk, from the cache or by one read of all that are not there.
    fn pages(
        &self,
        table: Table,
        chunk: &Chunk,
        pages: Range<usize>,
        cache: bool,
    ) -> Result<Vec<Option<Arc<Page>>>, StoreError> {
        let ids = &chunk.leaves.pages[pages];
        if let [id] = ids {
            let page = (!id.is_none()).then(|| self.core.page(table, *id));
            return Ok(vec![page.transpose()?]);
        }
        let mut held: Vec<_> = ids.iter().map(|id| self.core.cache.get(*id)).collect();
        let is_missing = |(id, page): &(&PageId, &Option<_>)| page.is_none() && !id.is_none();
        let missing: Vec<_> = ids.iter().zip(&held).filter(is_missing).collect();
        let missing: Vec<PageId> = missing.into_iter().map(|(id, _)| *id).collect();
        let hits = held.iter().flatten().count() as u64;
        self.core.work.page_hits.fetch_add(hits, Relaxed);
        if missing.is_empty() {
            return Ok(held);
        }
        let read = self.core.read_pages(table, missing)?;
        for (place, id) in held
            .iter_mut()
            .zip(ids)
            .filter(|(place, _)| place.is_none())
        {
            let found = read.binary_search_by_key(id, |(id, _)| *id);
            *place = found.ok().map(|index| Arc::clone(&read[index].1));
        }
        if cache {
            for (id, page) in read {
                self.core.cache.insert(id, page);
            }
        }
        Ok(held)
    }

    fn floor(&self, table: Table, key: &[u8], floor: &[u8]) -> Result<Option<Entry>, StoreError> {
        let tree = self.state.tree(table);
        let (mut index, mut page) = tree.find(key);
        loop {
            let chunk = &*tree.chunks[index];
            let id = chunk.leaves.pages[page];
            let held = (!id.is_none())
                .then(|| self.core.page(table, id))
                .transpose()?;
            let view = PageView {
                page: held.as_deref(),
                index: page,
                layers: self.layers(chunk),
            };
            if let Some((found, value)) = view.last(key) {
                if found.as_slice() < floor {
                    return Ok(None);
                }
                return Ok(Some((found, self.value(value)?.into_owned())));
            }
            if chunk.leaves.separators.get(page).as_slice() <= floor {
                return Ok(None);
            }
            if page > 0 {
                page -= 1;
            } else {
                let Some(before) = index.checked_sub(1) else {
                    return Ok(None);
                };
                index = before;
                page = tree.chunks[index].leaves.len() - 1;
            }
        }
    }

    /// Numbers of the pages that a range of keys lies in.
    fn pages_of(&self, table: Table, from: &[u8], to: Option<&[u8]>, pages: &mut Vec<PageId>) {
        let tree = self.state.tree(table);
        let (first, first_page) = tree.find(from);
        let (last, last_page) = match to {
            // Mostly the range ends near where it begins.
            Some(to) if tree.end_of(first).is_none_or(|end| to <= end) => {
                let separators = &tree.chunks[first].leaves.separators;
                (first, separators.below_from(first_page, to))
            }
            Some(to) => tree.find_below(to),
            None => (tree.chunks.len() - 1, usize::MAX),
        };
        for index in first..=last {
            let all = &tree.chunks[index].leaves.pages;
            let start = if index == first { first_page } else { 0 };
            let end = if index == last {
                last_page.saturating_add(1).min(all.len())
            } else {
                all.len()
            };
            pages.extend(all[start..end.max(start)].iter().filter(|id| !id.is_none()));
        }
    }
}

/// A scan that is going on.
struct Scan<'a, 'v> {
    table: Table,
    from: &'a [u8],
    to: Option<&'a [u8]>,
    visit: &'a mut Visitor<'v>,
    tally: Tally,
}

impl Scan<'_, '_> {
    fn visit(
        &mut self,
        snapshot: &PageSnapshot<'_>,
        view: PageView<'_>,
        to: Option<&[u8]>,
    ) -> Result<ControlFlow<()>, StoreError> {
        let Self {
            from, visit, tally, ..
        } = self;
        view.visit(from, to, |key, found| {
            let value = snapshot.value(found)?;
            tally.add(key, &value);
            Ok(visit(key, &value))
        })
    }
}

impl LeafRead for PageSnapshot<'_> {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let value = self.find(table, key)?;
        self.core.logical.got(value.as_ref().map(Vec::len));
        Ok(value)
    }

    fn scan(
        &self,
        table: Table,
        from: &[u8],
        to: Option<&[u8]>,
        visit: &mut Visitor<'_>,
    ) -> Result<(), StoreError> {
        let mut scan = Scan {
            table,
            from,
            to,
            visit,
            tally: Tally::default(),
        };
        if to.is_none_or(|to| from < to) {
            let tree = self.state.tree(table);
            let (mut chunk, mut page) = tree.find(from);
            while chunk < tree.chunks.len()
                && self.scan_chunk(&mut scan, chunk, page)?.is_continue()
                && to.is_none_or(|to| tree.end_of(chunk).is_some_and(|end| end < to))
            {
                (chunk, page) = (chunk + 1, 0);
            }
        }
        self.core.logical.scanned(scan.tally);
        Ok(())
    }

    fn last_at_or_before(
        &self,
        table: Table,
        key: &[u8],
        floor: &[u8],
    ) -> Result<Option<Entry>, StoreError> {
        let found = if key < floor {
            None
        } else {
            self.floor(table, key, floor)?
        };
        let mut tally = Tally::default();
        if let Some((key, value)) = &found {
            tally.add(key, value);
        }
        self.core.logical.scanned(tally);
        Ok(found)
    }

    fn read_ahead(&self, ranges: &mut dyn Iterator<Item = KeyRange>) -> ReadAhead {
        let mut pages: [Vec<_>; Table::ALL.len()] = Default::default();
        for (table, from, to) in ranges {
            let pages = &mut pages[table as usize];
            let before = pages.len();
            self.pages_of(table, &from, to.as_deref(), pages);
            if pages.len() - before > AHEAD_PAGES_MAX {
                // A scan has as many in flight by itself, and the cache would have to hold them all.
                pages.truncate(before);
            }
        }
        let mut reads = Reads::new(self.core, &self.state);
        for (table, mut pages) in Table::ALL.into_iter().zip(pages) {
            pages.sort_unstable();
            pages.dedup();
            pages.retain(|id| self.core.cache.get(*id).is_none());
            if !pages.is_empty() {
                reads.begin(self.readers, table, &self.core.runs_of(pages));
            }
        }
        reads.ahead()
    }
}

impl fmt::Debug for PageSnapshot<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PageSnapshot").finish_non_exhaustive()
    }
}
