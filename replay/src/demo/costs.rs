//! What one block costs, and the list of what is measured.
//!
//! [`METRICS`] is the one list that the columns of `blocks.csv`, the distributions in
//! `result.json` and the rows of the summary are made from.

use super::generate::BlockKind;
use crate::exec::{ReadCounts, WriteCounts};
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

/// What a metric counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Things.
    Count,
    /// Gas.
    Gas,
    /// Bytes.
    Bytes,
    /// Nanoseconds.
    Nanoseconds,
}

/// Something that is measured for each block.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// Its name in files.
    pub name: &'static str,
    /// Its name in the summary, where it has a row there.
    pub label: Option<&'static str>,
    /// What it counts.
    pub unit: Unit,
    /// Its value for a block.
    pub of: fn(&BlockCosts) -> u64,
}

const fn shown(
    name: &'static str,
    label: &'static str,
    unit: Unit,
    of: fn(&BlockCosts) -> u64,
) -> Metric {
    Metric {
        name,
        label: Some(label),
        unit,
        of,
    }
}

const fn filed(name: &'static str, unit: Unit, of: fn(&BlockCosts) -> u64) -> Metric {
    Metric {
        name,
        label: None,
        unit,
        of,
    }
}

/// Nanoseconds of a duration; 584 years fit.
fn ns(duration: Duration) -> u64 {
    duration.as_nanos().try_into().unwrap_or(u64::MAX)
}

use Unit::{Bytes, Count, Gas, Nanoseconds};

/// Everything that is measured, in the order of columns and rows.
pub const METRICS: &[Metric] = &[
    shown("tx_count", "transactions", Count, |b| b.tx_count),
    shown("gas_used", "gas used", Gas, |b| b.gas_used),
    shown("accounts_read_hit", "accounts read, there", Count, |b| {
        b.reads.accounts - b.reads.accounts_absent
    }),
    shown("accounts_read_absent", "  absent", Count, |b| {
        b.reads.accounts_absent
    }),
    shown("accounts_written", "accounts written", Count, |b| {
        b.writes.accounts
    }),
    filed("accounts_deleted", Count, |b| b.writes.accounts_deleted),
    shown("slots_read_hit", "slots read, there", Count, |b| {
        b.reads.slots - b.reads.slots_zero
    }),
    shown("slots_read_absent", "  absent", Count, |b| {
        b.reads.slots_zero
    }),
    shown("slots_written", "slots written", Count, |b| b.writes.slots),
    filed("codes_read", Count, |b| b.reads.codes),
    filed("code_bytes_read", Bytes, |b| b.reads.code_bytes),
    filed("codes_written", Count, |b| b.writes.codes),
    filed("code_bytes_written", Bytes, |b| b.writes.code_bytes),
    shown("buckets_read", "buckets read", Count, |b| b.work.buckets),
    filed("buckets_merged", Count, |b| b.work.buckets_merged),
    filed("bucket_entries", Count, |b| b.work.bucket_entries),
    shown("entries_per_bucket", "  entries in one, mean", Count, |b| {
        b.work.bucket_entries / b.work.buckets.max(1)
    }),
    filed("branches_hashed", Count, |b| b.work.branches),
    shown("hashes", "nodes hashed", Count, |b| b.work.hashes),
    shown("permutations", "  keccak permutations", Count, |b| {
        b.work.permutations
    }),
    shown("store_gets", "leaf store gets", Count, |b| b.io.gets),
    filed("store_gets_found", Count, |b| b.io.gets_found),
    shown("store_scans", "leaf store scans", Count, |b| b.io.scans),
    filed("store_entries_scanned", Count, |b| b.io.entries_scanned),
    shown("block_reads", "store blocks from files", Count, |b| {
        b.io.block_reads
    }),
    filed("block_read_bytes", Bytes, |b| b.io.block_read_bytes),
    shown("block_cache_hits", "  from the store's cache", Count, |b| {
        b.io.block_cache_hits
    }),
    filed("logical_read_bytes", Bytes, |b| b.io.logical_read_bytes),
    shown(
        "logical_written_bytes",
        "bytes written, logical",
        Bytes,
        |b| b.io.logical_written_bytes,
    ),
    shown("store_written_bytes", "  by the store", Bytes, |b| {
        b.io.store_written_bytes
    }),
    shown(
        "execution_ns",
        "execution",
        Nanoseconds,
        |b| ns(b.execution),
    ),
    shown("state_read_ns", "state_read", Nanoseconds, |b| {
        ns(b.state_read)
    }),
    shown("state_hash_ns", "state_hash", Nanoseconds, |b| {
        ns(b.state_hash)
    }),
    shown("commit_ns", "commit", Nanoseconds, |b| ns(b.commit)),
    shown("total_ns", "total", Nanoseconds, |b| ns(b.total())),
    filed("oracle_ns", Nanoseconds, |b| ns(b.oracle)),
];
