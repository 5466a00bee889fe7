//! What is reported of a block. Names are those of clients' slow-block logs.

use crate::exec::{Checked, ReadCounts, WriteCounts};
use alloy_primitives::B256;
use core::time::Duration;
use serde::Serialize;
use thinstate_engine::{MissingNode, TrieWork, leaf_store::IoCounters};
use thinstate_formats::BlockNumber;

/// One block: what it was, what it cost, what came out.
#[derive(Clone, Debug, Serialize)]
pub struct BlockReport {
    /// Its number.
    pub block_number: BlockNumber,
    /// Its hash.
    pub block_hash: B256,
    /// The fork whose rules it was executed under.
    pub fork: String,
    /// Transactions.
    pub tx_count: u64,
    /// Gas that they used.
    pub gas_used: u64,
    /// Distinct accounts read.
    pub accounts_read: u64,
    /// Of these, absent ones.
    pub accounts_absent: u64,
    /// Accounts written.
    pub accounts_written: u64,
    /// Distinct slots read.
    pub slots_read: u64,
    /// Of these, those that are zero.
    pub slots_absent: u64,
    /// Slots written.
    pub slots_written: u64,
    /// Codes read.
    pub codes_read: u64,
    /// Bytes of these.
    pub code_bytes_read: u64,
    /// Nodes of the witness that fill the store; zero where the store grew from genesis.
    pub witness_nodes: u64,
    /// Point reads of the leaf store.
    pub store_gets: u64,
    /// Range reads of the leaf store.
    pub store_scans: u64,
    /// Blocks (pages) of table files read.
    pub pages_read: u64,
    /// Bytes of keys and values written.
    pub logical_written_bytes: u64,
    /// Bytes that the store wrote to files.
    pub store_written_bytes: u64,
    /// Buckets rebuilt.
    pub buckets: u64,
    /// Entries in them.
    pub bucket_entries: u64,
    /// Nodes hashed.
    pub hashes: u64,
    /// Permutations of keccak-f that they need.
    pub permutations: u64,
    /// Where the time went.
    #[serde(flatten)]
    pub times: Times,
    /// What the header was compared with beyond body, gas and state root.
    #[serde(flatten)]
    pub checked: CheckedParts,
    /// What came out.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// The node that keeps the state root from being computed.
    #[serde(skip)]
    pub missing: Option<Box<MissingNode>>,
}

/// Parts of the header that not every fork has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CheckedParts {
    /// Whether the receipts root was compared: not before Byzantium, whose receipts hold
    /// intermediate state roots.
    pub checked_receipts_root: bool,
    /// Whether the requests were compared: from Prague on.
    pub checked_requests_hash: bool,
}

impl From<Checked> for CheckedParts {
    fn from(checked: Checked) -> Self {
        Self {
            checked_receipts_root: checked.receipts_root,
            checked_requests_hash: checked.requests_hash,
        }
    }
}

/// Where the time of a block went, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Times {
    /// The EVM, reads of the state not included.
    pub execution_ms: f64,
    /// Reads of accounts, slots and code.
    pub state_read_ms: f64,
    /// Reading buckets and hashing.
    pub state_hash_ms: f64,
    /// Making it durable.
    pub commit_ms: f64,
    /// All of these.
    pub total_ms: f64,
}

impl Times {
    /// Puts the parts together.
    pub fn new(evm: Duration, reads: Duration, state_hash: Duration, commit: Duration) -> Self {
        let ms = |d: Duration| d.as_secs_f64() * 1e3;
        Self {
            execution_ms: ms(evm.saturating_sub(reads)),
            state_read_ms: ms(reads),
            state_hash_ms: ms(state_hash),
            commit_ms: ms(commit),
            total_ms: ms(evm + state_hash + commit),
        }
    }
}

/// What came out of a block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    /// All that the header commits to holds; the block is committed.
    Verified,
    /// It ended at the header's state root after siblings that the witness lacks had been taken
    /// for branches.
    VerifiedAssuming {
        /// The siblings.
        assumed: Vec<String>,
    },
    /// All holds but the state root, which the witness does not suffice to compute.
    Incomplete {
        /// What is missing.
        missing: String,
    },
}

impl Verdict {
    /// Whether the block ended at its header's state root.
    pub const fn reached_root(&self) -> bool {
        !matches!(self, Self::Incomplete { .. })
    }
}

/// Counts of one block, to be completed by [`BlockReport::new`].
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Costs {
    pub(crate) reads: ReadCounts,
    pub(crate) writes: WriteCounts,
    pub(crate) io: IoCounters,
    pub(crate) work: TrieWork,
    pub(crate) times: Times,
    pub(crate) checked: CheckedParts,
}

/// What a block is, before anything is known of its costs.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    pub(crate) number: BlockNumber,
    pub(crate) hash: B256,
    pub(crate) fork: String,
    pub(crate) tx_count: u64,
    pub(crate) gas_used: u64,
}

impl BlockReport {
    pub(crate) fn new(block: Identity, costs: &Costs, verdict: Verdict) -> Self {
        let Costs {
            reads,
            writes,
            io,
            work,
            times,
            checked,
        } = *costs;
        Self {
            block_number: block.number,
            block_hash: block.hash,
            fork: block.fork,
            tx_count: block.tx_count,
            gas_used: block.gas_used,
            accounts_read: reads.accounts,
            accounts_absent: reads.accounts_absent,
            accounts_written: writes.accounts,
            slots_read: reads.slots,
            slots_absent: reads.slots_zero,
            slots_written: writes.slots,
            codes_read: reads.codes,
            code_bytes_read: reads.code_bytes,
            witness_nodes: 0,
            store_gets: io.gets,
            store_scans: io.scans,
            pages_read: io.block_reads,
            logical_written_bytes: io.logical_written_bytes,
            store_written_bytes: io.store_written_bytes,
            buckets: work.buckets,
            bucket_entries: work.bucket_entries,
            hashes: work.hashes,
            permutations: work.permutations,
            times,
            checked,
            verdict,
            missing: None,
        }
    }
}
