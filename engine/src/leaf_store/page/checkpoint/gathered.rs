//! Merged entries on their way into pages.

use super::super::super::StoreError;
use super::super::bytes::shared_len;
use super::super::extent::Extent;
use super::super::fill::Filler;
use super::super::ids::{PageId, Run};
use super::super::leaf::{HEADER, Stored, entry_bytes};
use std::collections::BTreeSet;

/// Bytes of entries that are held at most before they become pages. Tests have few.
const BYTES_MAX: usize = if cfg!(test) { 4 << 10 } else { 4 << 20 };

/// Merged entries of neighbouring pages.
pub(super) struct Gathered {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
    last: Vec<u8>,
    /// Bytes that the entries take in pages.
    size: usize,
    page_bytes: usize,
    /// Whether a page that they come from was in the cache.
    pub(super) is_cached: bool,
    /// Values outside of those pages, and those of them that are still in use.
    pub(super) replaced: Vec<Extent>,
    pub(super) kept: BTreeSet<PageId>,
    separator: Vec<u8>,
    /// Whether entries have become pages since `begin`.
    is_divided: bool,
}

#[derive(Clone, Copy)]
struct Entry {
    key_end: u32,
    value_end: u32,
    blob: Option<Extent>,
}

impl Gathered {
    pub(super) fn new(page_bytes: usize) -> Self {
        Self {
            bytes: Vec::new(),
            entries: Vec::new(),
            last: Vec::new(),
            size: 0,
            page_bytes,
            is_cached: false,
            replaced: Vec::new(),
            kept: BTreeSet::new(),
            separator: Vec::new(),
            is_divided: false,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty() && !self.is_divided
    }

    /// Whether so many bytes are held that they had better become pages.
    pub(super) fn is_full(&self) -> bool {
        self.bytes.len() > BYTES_MAX
    }

    /// Whether a page with these entries would be nearly empty.
    pub(super) fn is_small(&self) -> bool {
        self.size < self.page_bytes / 4 && !self.is_divided
    }

    pub(super) fn begin(&mut self, separator: &[u8]) {
        self.separator.clear();
        self.separator.extend_from_slice(separator);
    }

    pub(super) fn push(&mut self, key: &[u8], value: Stored<'_>) {
        let shared = shared_len(&self.last, key);
        // A restart now and then, which shares nothing.
        self.size += entry_bytes(shared, key.len(), &value) + shared.div_ceil(16) + 1;
        self.last.clear();
        self.last.extend_from_slice(key);
        self.bytes.extend_from_slice(key);
        let key_end = self.bytes.len() as u32;
        let mut blob = None;
        match value {
            Stored::Inline(value) => self.bytes.extend_from_slice(value),
            Stored::Blob(extent) => blob = Some(extent),
        }
        self.entries.push(Entry {
            key_end,
            value_end: self.bytes.len() as u32,
            blob,
        });
    }

    /// Bytes after which a page gets no more: all in one page, or pages alike that are three
    /// quarters full.
    fn target_bytes(&self) -> usize {
        let capacity = self.page_bytes - HEADER;
        if self.size <= capacity {
            return self.page_bytes;
        }
        let pages = self.size.div_ceil(capacity * 3 / 4);
        HEADER + self.size / pages
    }

    /// Makes pages of the entries so far, and forgets them.
    pub(super) fn write_out(&mut self, filler: &mut Filler<'_>) -> Result<(), StoreError> {
        if !self.is_divided {
            filler.begin(&self.separator);
        }
        let target_bytes = self.target_bytes();
        filler.cache = self.is_cached;
        let mut at = 0;
        for entry in &self.entries {
            let (key_end, value_end) = (entry.key_end as usize, entry.value_end as usize);
            let value = match entry.blob {
                Some(extent) => Stored::Blob(extent),
                None => Stored::Inline(&self.bytes[key_end..value_end]),
            };
            filler.push(&self.bytes[at..key_end], value, target_bytes)?;
            at = value_end;
        }
        self.is_divided = true;
        self.bytes.clear();
        self.entries.clear();
        self.last.clear();
        self.size = 0;
        Ok(())
    }

    /// Makes pages of all entries, and frees the values that none of them has any more.
    pub(super) fn write(
        &mut self,
        filler: &mut Filler<'_>,
        freed: &mut Vec<Run>,
        page_bytes: usize,
    ) -> Result<(), StoreError> {
        if !self.is_empty() {
            self.write_out(filler)?;
            filler.close()?;
        }
        for blob in self.replaced.drain(..) {
            if !self.kept.contains(&blob.start) {
                freed.push(blob.run(page_bytes));
            }
        }
        self.kept.clear();
        self.is_divided = false;
        self.is_cached = false;
        Ok(())
    }
}
