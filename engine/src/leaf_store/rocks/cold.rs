//! Blocks that a read takes from files, by RocksDB's own counters of the thread.
//!
//! They are thread-local in RocksDB too, so that nothing is shared, and only counts are kept, no times: RocksDB's default.
//! To look before and after a get takes 9 ns of its 1,800 (all in the cache; two shared cores of a virtual machine). Values that are kept
//! apart from their keys are not among them: these are logs and records, which no read of accounts, slots or code asks for.

use super::super::cold;
use rocksdb::{
    PerfContext, PerfMetric,
    perf::{PerfStatsLevel, set_perf_stats},
};

thread_local! {
    static COUNTS: PerfContext = {
        set_perf_stats(PerfStatsLevel::EnableCount);
        PerfContext::default()
    };
}

fn blocks_read() -> u64 {
    COUNTS.with(|counts| counts.metric(PerfMetric::BlockReadCount))
}

/// Reads, and counts how many blocks that took from files.
pub(super) fn counted<T>(read: impl FnOnce() -> T) -> T {
    let before = blocks_read();
    let done = read();
    cold::add(blocks_read() - before);
    done
}
