//! What one block costs, and the list of what is measured.
//!
//! [`METRICS`] is the one list that the columns of `blocks.csv`, the distributions in
//! `result.json` and the rows of the summary are made from. What replays measure too has the same names there
//! ([`measure::METRICS`](crate::measure::METRICS)).

use super::generate::BlockKind;
use crate::{
    exec::{ReadCounts, WriteCounts},
    measure::{Metric, Unit, metric, ns},
};
use alloy_primitives::B256;
use std::time::Duration;
use thinstate_engine::{TrieWork, leaf_store::IoCounters};
use thinstate_formats::BlockNumber;

/// What one block cost.
#[derive(Clone, Copy, Debug)]
pub struct BlockCosts {
    /// The block.
    pub number: BlockNumber,
    /// Whether it counts, or only prepares.
    pub kind: BlockKind,
    /// The state root after it.
    pub root: B256,
    /// Transactions.
    pub tx_count: u64,
    /// Gas that they used.
    pub gas_used: u64,
    /// Distinct accounts, slots and codes that the EVM asked the store for.
    pub reads: ReadCounts,
    /// Accounts, slots and codes that changed.
    pub writes: WriteCounts,
    /// Buckets, entries and hashes of the new root.
    pub work: TrieWork,
    /// What the leaf store did, from the first read to the end of the commit.
    pub io: IoCounters,
    /// Time in the EVM, reads of state not included.
    pub execution: Duration,
    /// Time in which the EVM waited for the store.
    pub state_read: Duration,
    /// Time to read buckets and compute the root.
    pub state_hash: Duration,
    /// Time until the block was durable.
    pub commit: Duration,
    /// Time of the oracle, which is no part of the block's costs.
    pub oracle: Duration,
}

impl BlockCosts {
    /// All time that the block cost.
    pub fn total(&self) -> Duration {
        self.execution + self.state_read + self.state_hash + self.commit
    }
}

use Unit::{Bytes, Count, Gas, Nanoseconds};

/// Metrics that have a row in the summary; all are in the files.
pub(super) const SHOWN: &[&str] = &[
    "tx_count",
    "gas_used",
    "accounts_read_hit",
    "accounts_read_absent",
    "accounts_written",
    "slots_read_hit",
    "slots_read_absent",
    "slots_written",
    "buckets_read",
    "entries_per_bucket",
    "hashes",
    "permutations",
    "store_gets",
    "store_scans",
    "block_reads",
    "block_cache_hits",
    "logical_written_bytes",
    "store_written_bytes",
    "execution_ns",
    "state_read_ns",
    "state_hash_ns",
    "commit_ns",
    "total_ns",
];

/// Everything that is measured, in the order of columns and rows.
pub const METRICS: &[Metric<BlockCosts>] = &[
    metric("tx_count", "transactions", Count, |b| b.tx_count),
    metric("gas_used", "gas used", Gas, |b| b.gas_used),
    metric("accounts_read_hit", "accounts read, there", Count, |b| {
        b.reads.accounts - b.reads.accounts_absent
    }),
    metric("accounts_read_absent", "  absent", Count, |b| {
        b.reads.accounts_absent
    }),
    metric("accounts_written", "accounts written", Count, |b| {
        b.writes.accounts
    }),
    metric("accounts_deleted", "  deleted", Count, |b| {
        b.writes.accounts_deleted
    }),
    metric("slots_read_hit", "slots read, there", Count, |b| {
        b.reads.slots - b.reads.slots_zero
    }),
    metric("slots_read_absent", "  absent", Count, |b| {
        b.reads.slots_zero
    }),
    metric("slots_written", "slots written", Count, |b| b.writes.slots),
    metric("codes_read", "codes read", Count, |b| b.reads.codes),
    metric("code_bytes_read", "  their bytes", Bytes, |b| {
        b.reads.code_bytes
    }),
    metric("codes_written", "codes written", Count, |b| b.writes.codes),
    metric("code_bytes_written", "  their bytes", Bytes, |b| {
        b.writes.code_bytes
    }),
    metric("buckets_read", "buckets read", Count, |b| b.work.buckets),
    metric("buckets_merged", "  merged", Count, |b| {
        b.work.buckets_merged
    }),
    metric("bucket_entries", "  entries in them", Count, |b| {
        b.work.bucket_entries
    }),
    metric("entries_per_bucket", "  entries in one, mean", Count, |b| {
        b.work.bucket_entries / b.work.buckets.max(1)
    }),
    metric("branches_hashed", "branches hashed", Count, |b| {
        b.work.branches
    }),
    metric("hashes", "nodes hashed", Count, |b| b.work.hashes),
    metric("permutations", "  keccak permutations", Count, |b| {
        b.work.permutations
    }),
    metric("store_gets", "leaf store gets", Count, |b| b.io.gets),
    metric("store_gets_found", "  found", Count, |b| b.io.gets_found),
    metric("store_scans", "leaf store scans", Count, |b| b.io.scans),
    metric("store_entries_scanned", "  entries scanned", Count, |b| {
        b.io.entries_scanned
    }),
    metric("block_reads", "store blocks from files", Count, |b| {
        b.io.block_reads
    }),
    metric("block_read_bytes", "  their bytes", Bytes, |b| {
        b.io.block_read_bytes
    }),
    metric("block_cache_hits", "  from the store's cache", Count, |b| {
        b.io.block_cache_hits
    }),
    metric("logical_read_bytes", "bytes read, logical", Bytes, |b| {
        b.io.logical_read_bytes
    }),
    metric(
        "logical_written_bytes",
        "bytes written, logical",
        Bytes,
        |b| b.io.logical_written_bytes,
    ),
    metric("store_written_bytes", "  by the store", Bytes, |b| {
        b.io.store_written_bytes
    }),
    metric(
        "execution_ns",
        "execution",
        Nanoseconds,
        |b| ns(b.execution),
    ),
    metric("state_read_ns", "state_read", Nanoseconds, |b| {
        ns(b.state_read)
    }),
    metric("state_hash_ns", "state_hash", Nanoseconds, |b| {
        ns(b.state_hash)
    }),
    metric("commit_ns", "commit", Nanoseconds, |b| ns(b.commit)),
    metric("total_ns", "total", Nanoseconds, |b| ns(b.total())),
    metric("oracle_ns", "oracle", Nanoseconds, |b| ns(b.oracle)),
];

#[cfg(test)]
mod tests {
    use super::METRICS;
    use crate::measure;

    #[test]
    fn no_metric_has_another_unit_than_that_of_replays() {
        let of_replays = |name| measure::METRICS.iter().find(|it| it.name == name);
        let shared = METRICS
            .iter()
            .filter_map(|metric| Some((metric, of_replays(metric.name)?)));
        let mut count = 0;
        for (ours, theirs) in shared {
            assert_eq!(ours.unit, theirs.unit, "{}", ours.name);
            count += 1;
        }
        assert!(count >= 20, "{count} have a name in common");
    }
}
