//! What one block costs, and the list of what is measured.

use alloy_primitives::B256;
use core::time::Duration;
use serde::{Deserialize, Serialize};
use thinstate_engine::leaf_store::IoCounters;
use thinstate_formats::BlockNumber;

/// What one tier was asked, and did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TierWork {
    /// Reads that found something.
    pub reads_hit: u64,
    /// Reads that found nothing.
    pub reads_absent: u64,
    /// Keys that are new, records that are appended.
    pub created: u64,
    /// Keys that get another value.
    pub updated: u64,
    /// Keys that go, records that are spent.
    pub deleted: u64,
    /// Sealed leaves that were brought back.
    pub resurrected: u64,
    /// Hashes computed.
    pub hashes: u64,
    /// Permutations or compressions that these need.
    pub permutations: u64,
    /// Bytes of keys and values read.
    pub logical_read_bytes: u64,
    /// Bytes of keys and values handed to the store.
    pub logical_written_bytes: u64,
    /// Bytes that transactions bring along: proofs, paths.
    pub witness_bytes: u64,
    /// Bytes that go to the archive, which no node must keep.
    pub archive_bytes: u64,
}

/// What one block cost.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct BlockCost {
    /// The block.
    pub number: BlockNumber,
    /// Blocks of the source in it.
    pub blocks: u32,
    /// Gas that these used.
    pub gas_used: u64,
    /// Their transactions.
    pub tx_count: u64,
    /// Whether it belongs to the burn-in, which no distribution counts.
    pub warm_up: bool,
    /// The state root of the permanent tier, where the design has the trie.
    pub state_root: Option<B256>,
    /// What the design commits to.
    pub commitment: B256,
    /// Accounts: the account trie, in whatever tier the design keeps it.
    pub accounts: TierWork,
    /// Slots that are in the permanent tier.
    pub slots: TierWork,
    /// The temporary tier.
    pub temporary: TierWork,
    /// The UTXO tier.
    pub utxo: TierWork,
    /// Codes read.
    pub codes_read: u64,
    /// Their bytes.
    pub code_bytes_read: u64,
    /// Entries that expired, and stubs that took their place.
    pub expired_entries: u64,
    /// What the leaf store did, from the first read to the end of the commit.
    pub io: IoCounters,
    /// Bytes fetched from a device by this process (`/proc/self/io`).
    pub device_read_bytes: u64,
    /// Bytes sent to a device by this process.
    pub device_written_bytes: u64,
    /// Reads that the block device completed meanwhile, whoever asked.
    pub device_reads: u64,
    /// Writes that the block device completed meanwhile.
    pub device_writes: u64,
    /// Time from the scheduled arrival to the beginning of work; zero in a closed loop.
    pub wait: Duration,
    /// Time to read the state that the block needs.
    pub state_read: Duration,
    /// Time to compute roots.
    pub state_hash: Duration,
    /// Time until the block was durable.
    pub commit: Duration,
    /// Work between blocks that the design owes: expiry, seals.
    pub background: Duration,
    /// From the beginning of its reads to its durability; in an open loop from its scheduled arrival.
    pub total: Duration,
    /// CPU time of the process meanwhile, without that of planning.
    pub cpu: Duration,
    /// Memory resident at its end.
    pub memory_bytes: u64,
}

/// What a metric counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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
    /// What it is, for people.
    pub label: &'static str,
    /// What it counts.
    pub unit: Unit,
    /// Its value for a block.
    pub of: fn(&BlockCost) -> u64,
}

const fn metric(
    name: &'static str,
    label: &'static str,
    unit: Unit,
    of: fn(&BlockCost) -> u64,
) -> Metric {
    Metric {
        name,
        label,
        unit,
        of,
    }
}

/// Nanoseconds of a duration; 584 years fit.
fn ns(duration: Duration) -> u64 {
    duration.as_nanos().try_into().unwrap_or(u64::MAX)
}

impl BlockCost {
    /// All four parts.
    const fn parts(&self) -> [&TierWork; 4] {
        [&self.accounts, &self.slots, &self.temporary, &self.utxo]
    }

    fn sum(&self, of: fn(&TierWork) -> u64) -> u64 {
        self.parts().into_iter().map(of).sum()
    }
}

use Unit::{Bytes, Count, Gas, Nanoseconds};

/// Everything that is measured, in the order of columns and rows. Times and reads are named as in
/// clients' slow-block logs.
pub const METRICS: &[Metric] = &[
    metric("blocks", "blocks of the source", Count, |b| b.blocks.into()),
    metric("tx_count", "transactions", Count, |b| b.tx_count),
    metric("gas_used", "gas used", Gas, |b| b.gas_used),
    metric("accounts_read_hit", "accounts read, there", Count, |b| {
        b.accounts.reads_hit
    }),
    metric(
        "accounts_read_absent",
        "accounts read, absent",
        Count,
        |b| b.accounts.reads_absent,
    ),
    metric("accounts_created", "accounts created", Count, |b| {
        b.accounts.created
    }),
    metric("accounts_updated", "accounts updated", Count, |b| {
        b.accounts.updated
    }),
    metric("accounts_deleted", "accounts deleted", Count, |b| {
        b.accounts.deleted
    }),
    metric(
        "slots_read_hit",
        "permanent slots read, there",
        Count,
        |b| b.slots.reads_hit,
    ),
    metric(
        "slots_read_absent",
        "permanent slots read, absent",
        Count,
        |b| b.slots.reads_absent,
    ),
    metric("slots_created", "permanent slots created", Count, |b| {
        b.slots.created
    }),
    metric("slots_updated", "permanent slots updated", Count, |b| {
        b.slots.updated
    }),
    metric("slots_deleted", "permanent slots deleted", Count, |b| {
        b.slots.deleted
    }),
    metric("temporary_read_hit", "temporary reads, there", Count, |b| {
        b.temporary.reads_hit
    }),
    metric(
        "temporary_read_absent",
        "temporary reads, absent",
        Count,
        |b| b.temporary.reads_absent,
    ),
    metric("temporary_written", "temporary writes", Count, |b| {
        b.temporary.created + b.temporary.updated + b.temporary.deleted
    }),
    metric(
        "temporary_resurrected",
        "sealed leaves resurrected",
        Count,
        |b| b.temporary.resurrected,
    ),
    metric("records_appended", "records appended", Count, |b| {
        b.utxo.created
    }),
    metric("records_spent", "records spent", Count, |b| b.utxo.deleted),
    metric("codes_read", "codes read", Count, |b| b.codes_read),
    metric("code_bytes_read", "bytes of code read", Bytes, |b| {
        b.code_bytes_read
    }),
    metric("expired_entries", "entries expired", Count, |b| {
        b.expired_entries
    }),
    metric("hashes", "hashes", Count, |b| b.sum(|it| it.hashes)),
    metric("permutations", "permutations", Count, |b| {
        b.sum(|it| it.permutations)
    }),
    metric("store_gets", "leaf store gets", Count, |b| b.io.gets),
    metric("store_scans", "leaf store scans", Count, |b| b.io.scans),
    metric("store_entries_scanned", "entries scanned", Count, |b| {
        b.io.entries_scanned
    }),
    metric("block_reads", "store blocks from files", Count, |b| {
        b.io.block_reads
    }),
    metric(
        "block_cache_hits",
        "store blocks from its cache",
        Count,
        |b| b.io.block_cache_hits,
    ),
    metric("logical_read_bytes", "bytes read, logical", Bytes, |b| {
        b.sum(|it| it.logical_read_bytes)
    }),
    metric(
        "logical_written_bytes",
        "bytes written, logical",
        Bytes,
        |b| b.sum(|it| it.logical_written_bytes),
    ),
    metric("store_read_bytes", "bytes read by the store", Bytes, |b| {
        b.io.block_read_bytes
    }),
    metric(
        "store_written_bytes",
        "bytes written by the store",
        Bytes,
        |b| b.io.store_written_bytes,
    ),
    metric(
        "device_read_bytes",
        "bytes read from the device",
        Bytes,
        |b| b.device_read_bytes,
    ),
    metric(
        "device_written_bytes",
        "bytes written to the device",
        Bytes,
        |b| b.device_written_bytes,
    ),
    metric("device_reads", "reads of the device", Count, |b| {
        b.device_reads
    }),
    metric("device_writes", "writes of the device", Count, |b| {
        b.device_writes
    }),
    metric("witness_bytes", "witness bytes", Bytes, |b| {
        b.sum(|it| it.witness_bytes)
    }),
    metric("archive_bytes", "bytes to the archive", Bytes, |b| {
        b.sum(|it| it.archive_bytes)
    }),
    metric("wait_ns", "wait", Nanoseconds, |b| ns(b.wait)),
    metric("state_read_ns", "state_read", Nanoseconds, |b| {
        ns(b.state_read)
    }),
    metric("state_hash_ns", "state_hash", Nanoseconds, |b| {
        ns(b.state_hash)
    }),
    metric("commit_ns", "commit", Nanoseconds, |b| ns(b.commit)),
    metric("background_ns", "background", Nanoseconds, |b| {
        ns(b.background)
    }),
    metric("total_ns", "total", Nanoseconds, |b| ns(b.total)),
    metric("cpu_ns", "CPU time", Nanoseconds, |b| ns(b.cpu)),
    metric("memory_bytes", "memory resident", Bytes, |b| b.memory_bytes),
];
