//! What one block costs.

use alloy_primitives::B256;
use core::time::Duration;
use thinstate_engine::leaf_store::IoCounters;
use thinstate_formats::BlockNumber;

/// Bytes of a code's key: its hash.
const CODE_KEY_BYTES: u64 = 32;

/// What one tier was asked, and did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TierWork {
    /// Reads that found something.
    pub reads_hit: u64,
    /// Reads that found nothing.
    pub reads_absent: u64,
    /// Reads of both kinds that the store's own cache could not answer. 0 for temporary and UTXO tiers, which answer from
    /// memory.
    pub reads_cold: u64,
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
    /// Codes read, from the permanent tier.
    pub codes_read: u64,
    /// Those that the store's own cache did not hold.
    pub codes_read_cold: u64,
    /// Bytes of all of them.
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

impl BlockCost {
    /// All four parts.
    const fn parts(&self) -> [&TierWork; 4] {
        [&self.accounts, &self.slots, &self.temporary, &self.utxo]
    }

    /// Bytes of keys and values read, those of code among them.
    pub(super) fn logical_read_bytes(&self) -> u64 {
        let of_codes = self.codes_read * CODE_KEY_BYTES + self.code_bytes_read;
        self.sum(|it| it.logical_read_bytes) + of_codes
    }

    /// The sum over all four.
    pub(super) fn sum(&self, of: fn(&TierWork) -> u64) -> u64 {
        self.parts().into_iter().map(of).sum()
    }
}
