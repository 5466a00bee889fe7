//! What a trace holds, counted.

use super::{TraceFileError, TraceReader};
use serde::Serialize;
use std::collections::BTreeMap;
use thinstate_formats::BlockNumber;
use thinstate_formats::trace::{
    AccountAccess, AccountAccessKind, BlockTrace, SlotAccess, SlotAccessKind, TxAccesses,
};

/// A trace in figures. Accesses are counted once for each index of a block that makes them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TraceInfo {
    /// The chain.
    pub chain_id: u64,
    /// Whether values before are partly assumed.
    pub values_assumed: bool,
    /// Number of blocks.
    pub blocks: u64,
    /// The first block.
    pub first: Option<BlockNumber>,
    /// The last block. Between the two there may be gaps.
    pub last: Option<BlockNumber>,
    /// Blocks whose state root is known.
    pub blocks_with_root: u64,
    /// Transactions.
    pub txs: u64,
    /// Gas that the blocks used.
    pub gas_used: u64,
    /// Accesses of accounts.
    pub accounts: AccountCounts,
    /// Accesses of slots.
    pub slots: SlotCounts,
    /// Accesses of code.
    pub code: CodeCounts,
    /// Bytes of the file.
    pub bytes_file: u64,
    /// Bytes of the compressed records.
    pub bytes_compressed: u64,
    /// Bytes of the records.
    pub bytes_raw: u64,
}

/// Accesses of accounts by kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AccountCounts {
    /// Reads that found an account.
    pub reads_found: u64,
    /// Reads that found none.
    pub reads_absent: u64,
    /// Writes of an account that was not there.
    pub creates: u64,
    /// Writes of an account that was there and stays.
    pub updates: u64,
    /// Writes after which there is no account.
    pub deletes: u64,
    /// Writes that also dropped all storage.
    pub wipes: u64,
}

/// Accesses of slots by kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SlotCounts {
    /// Reads that found a value.
    pub reads_found: u64,
    /// Reads that found zero.
    pub reads_zero: u64,
    /// Writes from zero.
    pub creates: u64,
    /// Writes from a value to another.
    pub updates: u64,
    /// Writes to zero.
    pub deletes: u64,
    /// Accesses of which the preimage is known.
    pub with_preimages: u64,
    /// Those of them that are writes.
    pub writes_with_preimages: u64,
    /// Accesses by the name of the object's class.
    pub by_class: BTreeMap<&'static str, u64>,
}

/// Accesses of code.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CodeCounts {
    /// Reads.
    pub reads: u64,
    /// Bytes read.
    pub bytes_read: u64,
    /// Deployments.
    pub writes: u64,
    /// Bytes deployed.
    pub bytes_written: u64,
}

impl TraceReader {
    /// Counts what the trace holds. Reads and checks every block.
    pub fn info(&self) -> Result<TraceInfo, TraceFileError> {
        let mut info = TraceInfo {
            chain_id: self.header().chain_id,
            values_assumed: self.header().values_assumed,
            bytes_file: self.source.len,
            ..TraceInfo::default()
        };
        for position in 0..self.len() {
            if let Some(frame) = self.frame_header_at(position)? {
                info.bytes_compressed += u64::from(frame.payload_len);
                info.bytes_raw += u64::from(frame.record_len);
            }
            if let Some(block) = self.block_at(position)? {
                info.add(&block);
            }
        }
        Ok(info)
    }
}

impl TraceInfo {
    /// Whether nothing is written: the source told what was read, and no more.
    pub const fn reads_only(&self) -> bool {
        let accesses = self.accounts.reads() + self.slots.reads();
        accesses > 0 && self.accounts.writes() + self.slots.writes() == 0
    }

    /// Counts one more block, which is above those before.
    fn add(&mut self, block: &BlockTrace) {
        self.blocks += 1;
        self.first.get_or_insert(block.number);
        self.last = Some(block.number);
        self.blocks_with_root += u64::from(block.state_root.is_some());
        self.txs += u64::from(block.tx_count);
        // The figure is the file's, so its sum may be anything.
        self.gas_used = self.gas_used.saturating_add(block.gas_used);
        for group in &block.accesses {
            group.accounts.iter().for_each(|it| self.accounts.add(it));
            group.slots.iter().for_each(|it| self.slots.add(it));
            self.code.add(group);
        }
    }
}

impl AccountCounts {
    /// All reads.
    pub const fn reads(&self) -> u64 {
        self.reads_found + self.reads_absent
    }

    /// All writes.
    pub const fn writes(&self) -> u64 {
        self.creates + self.updates + self.deletes
    }

    fn add(&mut self, access: &AccountAccess) {
        let count = match access.kind {
            AccountAccessKind::Read { found: Some(_) } => &mut self.reads_found,
            AccountAccessKind::Read { found: None } => &mut self.reads_absent,
            AccountAccessKind::Write { after: None, .. } => &mut self.deletes,
            AccountAccessKind::Write { before: None, .. } => &mut self.creates,
            AccountAccessKind::Write { .. } => &mut self.updates,
        };
        *count += 1;
        self.wipes += u64::from(access.kind.wipes_storage());
    }
}

impl SlotCounts {
    /// All reads.
    pub const fn reads(&self) -> u64 {
        self.reads_found + self.reads_zero
    }

    /// All writes.
    pub const fn writes(&self) -> u64 {
        self.creates + self.updates + self.deletes
    }

    /// Share of accesses of which the preimage is known; `None` without accesses.
    pub fn preimage_share(&self) -> Option<f64> {
        share(self.with_preimages, self.reads() + self.writes())
    }

    /// Share of writes of which the preimage is known; `None` without writes.
    pub fn written_preimage_share(&self) -> Option<f64> {
        share(self.writes_with_preimages, self.writes())
    }

    fn add(&mut self, access: &SlotAccess) {
        let count = match access.kind {
            SlotAccessKind::Read { value } if value.is_zero() => &mut self.reads_zero,
            SlotAccessKind::Read { .. } => &mut self.reads_found,
            SlotAccessKind::Write { after, .. } if after.is_zero() => &mut self.deletes,
            SlotAccessKind::Write { before, .. } if before.is_zero() => &mut self.creates,
            SlotAccessKind::Write { .. } => &mut self.updates,
        };
        *count += 1;
        let known = u64::from(!access.preimages.is_empty());
        self.with_preimages += known;
        if matches!(access.kind, SlotAccessKind::Write { .. }) {
            self.writes_with_preimages += known;
        }
        *self.by_class.entry(access.class.name()).or_default() += 1;
    }
}

impl CodeCounts {
    fn add(&mut self, group: &TxAccesses) {
        self.reads += group.code_reads.len() as u64;
        self.writes += group.code_writes.len() as u64;
        self.bytes_read += group
            .code_reads
            .iter()
            .map(|it| u64::from(it.length))
            .sum::<u64>();
        self.bytes_written += group
            .code_writes
            .iter()
            .map(|it| u64::from(it.length))
            .sum::<u64>();
    }
}

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}
