//! Counting what is read.

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::ops::Sub;

/// What was read from segments since the archive was opened, from the device or the page cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadCount {
    /// Pages that have leaves, read whole.
    pub pages: u64,
    /// Their bytes.
    pub page_bytes: u64,
    /// Entries of the directory.
    pub directory_entries: u64,
    /// Nodes of the levels.
    pub nodes: u64,
}

impl Sub for ReadCount {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        Self {
            pages: self.pages - earlier.pages,
            page_bytes: self.page_bytes - earlier.page_bytes,
            directory_entries: self.directory_entries - earlier.directory_entries,
            nodes: self.nodes - earlier.nodes,
        }
    }
}

/// The counters behind a [`ReadCount`].
#[derive(Debug, Default)]
pub(super) struct Reads {
    pages: AtomicU64,
    page_bytes: AtomicU64,
    directory_entries: AtomicU64,
    nodes: AtomicU64,
}

impl Reads {
    pub(super) fn page(&self, bytes: u64) {
        self.pages.fetch_add(1, Relaxed);
        self.page_bytes.fetch_add(bytes, Relaxed);
    }

    pub(super) fn directory_entry(&self) {
        self.directory_entries.fetch_add(1, Relaxed);
    }

    pub(super) fn node(&self) {
        self.nodes.fetch_add(1, Relaxed);
    }

    pub(super) fn count(&self) -> ReadCount {
        ReadCount {
            pages: self.pages.load(Relaxed),
            page_bytes: self.page_bytes.load(Relaxed),
            directory_entries: self.directory_entries.load(Relaxed),
            nodes: self.nodes.load(Relaxed),
        }
    }
}
