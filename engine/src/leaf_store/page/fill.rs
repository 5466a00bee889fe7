//! Writing sorted entries into new pages.
//!
//! Where one page ends and the next begins is chosen among the last entries that fit: where neighbours
//! have least in common ([`Tail`]). Whoever reads all keys with some beginning, a bucket of a trie, then
//! mostly finds them in one page.

use super::super::{StoreError, Table};
use super::extent::Extent;
use super::filter;
use super::ids::{PageId, Run};
use super::leaf::{Mark, Page, PageBuilder, Stored, seal};
use super::shared::{Core, lock};
use super::tail::{self, Ends, First, Tail, common_nibbles};
use super::tree::Leaves;
use std::sync::Arc;

/// Pages taken from the allocator at a time, and written in one go where they are neighbours.
const RUN_PAGES: u32 = 256;
/// Pages of a new chunk, so that a few may be added before it has to be divided.
const CHUNK_PAGES: usize = 192;

/// New pages on their way into free places of the file.
pub(super) struct PageWriter<'a> {
    core: &'a Core,
    /// Places that are taken but not used yet.
    reserve: Run,
    buffer: Vec<u8>,
    /// Where the buffer goes.
    start: PageId,
    /// All places used, where somebody may have to give them back.
    taken: Vec<Run>,
}

impl<'a> PageWriter<'a> {
    pub(super) fn new(core: &'a Core) -> Self {
        Self {
            core,
            reserve: Run { start: 0, pages: 0 },
            buffer: Vec::new(),
            start: PageId::NONE,
            taken: Vec::new(),
        }
    }

    fn push(&mut self, mut page: Vec<u8>, table: Table, cache: bool) -> Result<PageId, StoreError> {
        if self.reserve.pages == 0 {
            self.flush()?;
            let run = lock(&self.core.allocator).take_lowest(RUN_PAGES);
            self.reserve = run.ok_or_else(|| self.core.full())?;
        }
        let id = PageId(self.reserve.start);
        self.reserve.start += 1;
        self.reserve.pages -= 1;
        self.note(Run::one(id));
        seal(&mut page, id);
        if self.buffer.is_empty() {
            self.start = id;
        }
        self.buffer.extend_from_slice(&page);
        if cache {
            let page = Page::decode(page, id, table).expect("the page was just built");
            self.core.cache.insert(id, Arc::new(page));
        } else {
            // What lay there before is not asked for any more.
            self.core.cache.remove(id);
        }
        Ok(id)
    }

    fn note(&mut self, run: Run) {
        match self.taken.last_mut() {
            Some(last) if last.end() == run.start => last.pages += run.pages,
            _ => self.taken.push(run),
        }
    }

    /// Writes bytes into pages of their own.
    pub(super) fn extent(&mut self, bytes: &[u8]) -> Result<Extent, StoreError> {
        let page_bytes = self.core.page_bytes;
        let pages = Extent::pages_of(bytes.len(), page_bytes);
        let run = lock(&self.core.allocator).take_run(pages);
        let run = run.ok_or_else(|| self.core.full())?;
        self.note(run);
        let extent = Extent {
            start: PageId(run.start),
            bytes: bytes.len() as u32,
            checksum: crc32fast::hash(bytes),
        };
        let mut padded = bytes.to_vec();
        padded.resize(pages as usize * page_bytes, 0);
        self.core.write(extent.start, &padded)?;
        Ok(extent)
    }

    fn flush(&mut self) -> Result<(), StoreError> {
        if !self.buffer.is_empty() {
            self.core.write(self.start, &self.buffer)?;
            self.buffer.clear();
        }
        Ok(())
    }

    /// Writes what is left, and gives back the places that were not used.
    pub(super) fn finish(&mut self) -> Result<(), StoreError> {
        self.flush()?;
        lock(&self.core.allocator).release(self.reserve);
        self.reserve = Run { start: 0, pages: 0 };
        self.taken.clear();
        Ok(())
    }

    /// Gives back all places: nobody will refer to them.
    pub(super) fn abandon(&mut self) {
        let mut allocator = lock(&self.core.allocator);
        allocator.release(self.reserve);
        self.reserve = Run { start: 0, pages: 0 };
        for run in self.taken.drain(..) {
            allocator.release(run);
        }
        self.buffer.clear();
    }
}

/// Chunks that grow at their end.
#[derive(Debug, Default)]
pub(super) struct Growing {
    chunks: Vec<Leaves>,
}

impl Growing {
    pub(super) fn push(
        &mut self,
        separator: &[u8],
        page: PageId,
        count: u16,
        filter: &[u8],
        blobs: &[Extent],
    ) {
        if self
            .chunks
            .last()
            .is_none_or(|last| last.len() >= CHUNK_PAGES)
        {
            self.chunks.push(Leaves::default());
        }
        let last = self.chunks.last_mut().expect("one was pushed");
        last.push(separator, page, count, filter, blobs);
    }

    /// Number of pages.
    pub(super) fn len(&self) -> usize {
        self.chunks.iter().map(Leaves::len).sum()
    }

    /// The chunks, of which there is at least one; the first begins at `first`.
    pub(super) fn finish(mut self, first: &[u8]) -> Vec<Leaves> {
        if self.chunks.is_empty() {
            self.chunks.push(Leaves::empty(first));
        }
        for chunk in &mut self.chunks {
            chunk.shrink();
        }
        self.chunks
    }
}

/// Sorted entries on their way into pages of one table.
pub(super) struct Filler<'a> {
    core: &'a Core,
    pub(super) writer: PageWriter<'a>,
    pub(super) growing: Growing,
    table: Table,
    generation: u64,
    builder: PageBuilder,
    hashes: Vec<u64>,
    filter: Vec<u8>,
    blobs: Vec<Extent>,
    /// Entries of the page that is being filled with which the next page may begin.
    tail: Tail,
    /// The least key that belongs to the page that is being filled.
    separator: Vec<u8>,
    /// Whether new pages go into the cache.
    pub(super) cache: bool,
}

impl<'a> Filler<'a> {
    pub(super) fn new(core: &'a Core, table: Table, generation: u64) -> Self {
        Self {
            core,
            writer: PageWriter::new(core),
            growing: Growing::default(),
            table,
            generation,
            builder: PageBuilder::new(core.page_bytes),
            hashes: Vec::new(),
            filter: Vec::new(),
            blobs: Vec::new(),
            tail: Tail::default(),
            separator: Vec::new(),
            cache: false,
        }
    }

    /// The next page begins at `separator`. Only where none is begun.
    pub(super) fn begin(&mut self, separator: &[u8]) {
        debug_assert_eq!(self.builder.len(), 0, "the last page is closed");
        self.separator.clear();
        self.separator.extend_from_slice(separator);
    }

    /// A value as a page holds it: written to pages of its own if it is too large.
    pub(super) fn store<'v>(&mut self, value: &'v [u8]) -> Result<Stored<'v>, StoreError> {
        if value.len() <= super::leaf::quarter(self.core.page_bytes) {
            return Ok(Stored::Inline(value));
        }
        self.writer.extent(value).map(Stored::Blob)
    }

    /// Adds an entry, above the one before. A page that has reached `target_bytes` gets no more.
    pub(super) fn push(
        &mut self,
        key: &[u8],
        value: Stored<'_>,
        target_bytes: usize,
    ) -> Result<(), StoreError> {
        let common = common_nibbles(self.builder.last_key(), key);
        let is_full = self.builder.len() > 0 && self.builder.used() >= target_bytes;
        if is_full || !self.add(key, value, common, target_bytes) {
            self.close_before(key, common, target_bytes)?;
            if !self.add(key, value, common, target_bytes) {
                // Beside the entries that the page begins with now it has no room: they have a page of their own.
                self.tail.clear();
                self.close_before(key, common, target_bytes)?;
                let fits = self.add(key, value, common, target_bytes);
                assert!(fits, "key and value take at most a quarter of a page each");
            }
        }
        Ok(())
    }

    fn ends(&self, target_bytes: usize) -> Ends {
        Ends::of(target_bytes, self.core.page_bytes)
    }

    /// Adds an entry that has so many nibbles in common with the one before; false if it does not fit.
    fn add(&mut self, key: &[u8], value: Stored<'_>, common: usize, target_bytes: usize) -> bool {
        let mark = self.builder.mark();
        if !self.builder.push(key, value) {
            return false;
        }
        if self.ends(target_bytes).allow(mark) {
            self.tail.push(mark, key, value, common);
        } else {
            // They are all of the page's last entries, or none: the target may have grown meanwhile.
            self.tail.clear();
        }
        self.hashes.push(filter::hash(key));
        if let Stored::Blob(extent) = value {
            self.blobs.push(extent);
        }
        true
    }

    /// Ends the page where its last entries have least in common, or before `key`, which comes next.
    fn close_before(
        &mut self,
        key: &[u8],
        common: usize,
        target_bytes: usize,
    ) -> Result<(), StoreError> {
        let mut tail = core::mem::take(&mut self.tail);
        let mut next = tail.behind_cut(common, self.ends(target_bytes)).peekable();
        let (first, common) = match next.peek() {
            Some(entry) => (entry.key, entry.common),
            None => (key, common),
        };
        let separator = tail::separator(first, common);
        if let Some(entry) = next.peek() {
            self.take_back(entry.mark, next.clone());
        }
        self.close()?;
        self.begin(&separator);
        for entry in next {
            let fits = self.add(entry.key, entry.value, entry.common, target_bytes);
            assert!(fits, "a page holds a part of another, and as much again");
        }
        tail.clear();
        self.tail = tail;
        Ok(())
    }

    /// Takes back the last entries of the page, which begin at `mark`.
    fn take_back<'t>(&mut self, mark: Mark, entries: impl Iterator<Item = First<'t>>) {
        let mut before = self.builder.len();
        self.builder.cut(mark);
        for entry in entries {
            before -= 1;
            self.hashes.pop();
            if let Stored::Blob(_) = entry.value {
                self.blobs.pop();
            }
        }
        assert_eq!(before, self.builder.len(), "all that is cut off is held");
    }

    /// Ends the page that is being filled.
    pub(super) fn close(&mut self) -> Result<(), StoreError> {
        self.tail.clear();
        let count = self.builder.len() as u16;
        if count == 0 {
            return Ok(());
        }
        let page = self.builder.finish(self.table, self.generation);
        let id = self.writer.push(page, self.table, self.cache)?;
        self.filter.clear();
        filter::build(
            &self.hashes,
            self.core.options.filter_bits,
            &mut self.filter,
        );
        self.hashes.clear();
        let (separator, filter) = (&self.separator, &self.filter);
        self.growing.push(separator, id, count, filter, &self.blobs);
        self.blobs.clear();
        Ok(())
    }
}
