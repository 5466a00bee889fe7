//! Counting what a file is asked for.

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What was done through a handle of a file. All counters only grow; what failed is not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct DiskCounters {
    /// Reads, each of [`read_many`](super::DiskFile::read_many) by itself.
    pub(crate) reads: u64,
    /// Bytes that they gave.
    pub(crate) read_bytes: u64,
    /// Writes.
    pub(crate) writes: u64,
    /// Bytes that they took.
    pub(crate) written_bytes: u64,
    /// Syncs.
    pub(crate) syncs: u64,
}

/// The counters of one handle. Relaxed: they are statistics.
#[derive(Debug, Default)]
pub(super) struct FileCounters {
    reads: AtomicU64,
    read_bytes: AtomicU64,
    writes: AtomicU64,
    written_bytes: AtomicU64,
    syncs: AtomicU64,
}

impl FileCounters {
    /// One read.
    pub(super) fn read(&self, bytes: usize) {
        self.reads.fetch_add(1, Relaxed);
        self.read_bytes.fetch_add(bytes as u64, Relaxed);
    }

    /// One write.
    pub(super) fn wrote(&self, bytes: usize) {
        self.writes.fetch_add(1, Relaxed);
        self.written_bytes.fetch_add(bytes as u64, Relaxed);
    }

    /// One sync.
    pub(super) fn synced(&self) {
        self.syncs.fetch_add(1, Relaxed);
    }

    /// All of them.
    pub(super) fn get(&self) -> DiskCounters {
        DiskCounters {
            reads: self.reads.load(Relaxed),
            read_bytes: self.read_bytes.load(Relaxed),
            writes: self.writes.load(Relaxed),
            written_bytes: self.written_bytes.load(Relaxed),
            syncs: self.syncs.load(Relaxed),
        }
    }
}
