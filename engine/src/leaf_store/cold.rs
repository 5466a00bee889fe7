//! Reads that a store's own cache could not answer, counted on the thread that asked.
//!
//! The counters of a store say how much was read from files, not for whom. This count says it for a single read: a caller
//! takes it before and after, on the same thread, and sees whether that read was cold. Nothing is shared, so that reads
//! in parallel stay so.

use core::cell::Cell;

thread_local! {
    static READS: Cell<u64> = const { Cell::new(0) };
}

/// How often reads on this thread have gone past a store's own cache, to its files (page cache or device), since the
/// thread began. Only differences mean anything.
///
/// In a [`PageStore`](super::PageStore) that is a page, or a large value in pages or the log of its own; in a
/// [`RocksStore`](super::RocksStore) with [`statistics`](super::RocksOptions::statistics) a data, index or filter block.
/// Other stores count nothing.
pub fn cold_reads() -> u64 {
    READS.get()
}

/// Counts such reads.
pub(super) fn add(reads: u64) {
    READS.set(READS.get() + reads);
}
