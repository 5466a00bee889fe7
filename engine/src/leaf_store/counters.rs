//! Counting what callers ask for, exactly, on every thread.
//!
//! Relaxed atomics: the numbers are statistics, and a reader that compares two of them does so
//! while the threads that count stand still.

use super::{Batch, IoCounters};
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Logical reads and writes; what the files see is counted by the store itself.
#[derive(Debug, Default)]
pub(super) struct LogicalCounters {
    gets: AtomicU64,
    gets_found: AtomicU64,
    scans: AtomicU64,
    entries_scanned: AtomicU64,
    read_bytes: AtomicU64,
    commits: AtomicU64,
    entries_written: AtomicU64,
    written_bytes: AtomicU64,
}

/// What one scan handed to its caller.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    pub(super) entries: u64,
    pub(super) bytes: u64,
}

impl Tally {
    pub(super) fn add(&mut self, key: &[u8], value: &[u8]) {
        self.entries += 1;
        self.bytes += (key.len() + value.len()) as u64;
    }
}

impl LogicalCounters {
    /// One point read, with the length of the value if there was one.
    pub(super) fn got(&self, value_len: Option<usize>) {
        self.gets.fetch_add(1, Relaxed);
        if let Some(len) = value_len {
            self.gets_found.fetch_add(1, Relaxed);
            self.read_bytes.fetch_add(len as u64, Relaxed);
        }
    }

    /// One scan or floor.
    pub(super) fn scanned(&self, tally: Tally) {
        self.scans.fetch_add(1, Relaxed);
        self.entries_scanned.fetch_add(tally.entries, Relaxed);
        self.read_bytes.fetch_add(tally.bytes, Relaxed);
    }

    /// One batch that reached the store.
    pub(super) fn committed(&self, batch: &Batch) {
        self.commits.fetch_add(1, Relaxed);
        self.entries_written.fetch_add(batch.len() as u64, Relaxed);
        self.written_bytes.fetch_add(batch.logical_bytes(), Relaxed);
    }

    /// Entries that came in past the batches.
    pub(super) fn loaded(&self, tally: Tally) {
        self.entries_written.fetch_add(tally.entries, Relaxed);
        self.written_bytes.fetch_add(tally.bytes, Relaxed);
    }

    /// The logical half of [`IoCounters`]; the rest is zero.
    pub(super) fn read(&self) -> IoCounters {
        IoCounters {
            gets: self.gets.load(Relaxed),
            gets_found: self.gets_found.load(Relaxed),
            scans: self.scans.load(Relaxed),
            entries_scanned: self.entries_scanned.load(Relaxed),
            logical_read_bytes: self.read_bytes.load(Relaxed),
            commits: self.commits.load(Relaxed),
            entries_written: self.entries_written.load(Relaxed),
            logical_written_bytes: self.written_bytes.load(Relaxed),
            ..IoCounters::default()
        }
    }
}
