//! What can go wrong in the temporary tier.

use super::bytes::DecodeError;
use crate::leaf_store::{StoreError, Table};
use alloy_primitives::{B256, hex};
use thinstate_formats::{
    BlockNumber, LeafIndex, PeriodId,
    counted::{Node, ProofError},
    temporary::RulesError,
};

/// A block cannot be staged or undone. The tier is as before.
#[derive(Debug, thiserror::Error)]
pub enum TemporaryError {
    /// A staged block was neither published nor rolled back. Do one of the two first.
    #[error("block {0} is staged, expected it to be published or rolled back first")]
    Pending(BlockNumber),
    /// The block does not follow the head.
    #[error("block {got} does not follow the head, expected {expected}")]
    NotNext {
        /// The number that follows.
        expected: BlockNumber,
        /// The number given.
        got: BlockNumber,
    },
    /// A leaf cannot be resurrected. Build the block without it.
    #[error("resurrection {at} of the block: {source}")]
    Resurrection {
        /// Its place in the block.
        at: usize,
        /// Why not.
        source: ResurrectionError,
    },
    /// A period has room for 2^32 - 1 entries. Use shorter periods.
    #[error(
        "period {period} would have {got} entries, expected at most {}",
        u32::MAX
    )]
    Full {
        /// The period.
        period: PeriodId,
        /// Entries with those of the block, were all new.
        got: u64,
    },
    /// The period's tree could not be finished. Reopen the store once the cause is removed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// There is no block to undo, or it is too old.
    #[error("no block can be undone: expected one of the last {undo_blocks}")]
    NothingToUndo {
        /// Blocks that can be undone.
        undo_blocks: u64,
    },
}

/// A sealed leaf cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResurrectionError {
    /// The period was sealed before the store began, or there will never be such a period. Check the
    /// witness.
    #[error("period {0} is not in the period table")]
    UnknownPeriod(PeriodId),
    /// The period is not in the table yet; a period's leaves can be resurrected from the block after
    /// the one that seals it. Try again then.
    #[error("period {period} is sealed in block {sealed_at}, expected a block after it")]
    NotYetSealed {
        /// The period.
        period: PeriodId,
        /// The block that seals it.
        sealed_at: BlockNumber,
    },
    /// The proof does not show that the leaf is in the period's tree. Ask for it again.
    #[error("proof for period {period}: {source}")]
    Proof {
        /// The period.
        period: PeriodId,
        /// What is wrong with it.
        source: ProofError,
    },
    /// The leaf was used in an earlier block. It has no second life.
    #[error("leaf {index} of period {period} was resurrected before")]
    Spent {
        /// The period.
        period: PeriodId,
        /// The leaf.
        index: LeafIndex,
    },
    /// The leaf is used twice in this block.
    #[error("leaf {index} of period {period} is resurrected twice in one block")]
    Twice {
        /// The period.
        period: PeriodId,
        /// The leaf.
        index: LeafIndex,
    },
    /// The period has no bit for the leaf: the files of spent bits are not those of this store.
    #[error("no spent bit for leaf {index} of period {period}")]
    NoBit {
        /// The period.
        period: PeriodId,
        /// The leaf.
        index: LeafIndex,
    },
}

/// A period's tree cannot be built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The archive failed. Nothing more is appended to the segment; reopen the store once the cause
    /// is removed.
    #[error("archiving period {period}: {message}")]
    Archive {
        /// The period.
        period: PeriodId,
        /// What the archive said.
        message: String,
    },
    /// The thread that seals is gone, after a panic. Reopen the store.
    #[error("the sealing thread ended while it had period {0}")]
    Thread(PeriodId),
    /// The tree that was built is not the one that blocks committed to.
    #[error("period {period}: expected root {expected:?}, got {got:?}")]
    Mismatch {
        /// The period.
        period: PeriodId,
        /// The root kept up to date.
        expected: Node,
        /// The root built.
        got: Node,
    },
}

/// The tier cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum TemporaryOpenError {
    /// The leaf store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The rules contradict themselves, or the blocks that can be undone.
    #[error(transparent)]
    Rules(#[from] RulesError),
    /// An entry of the store does not decode. Restore from a copy.
    #[error("table {}, key 0x{key}: {source}", table.name())]
    BadEntry {
        /// The table.
        table: Table,
        /// The key, in hex.
        key: String,
        /// Where and what.
        source: DecodeError,
    },
    /// The logs do not end with the head, or have a hole. Restore from a copy.
    #[error("log of block {expected} missing, got {got:?}")]
    MissingLog {
        /// The block that should come.
        expected: BlockNumber,
        /// The one that does.
        got: Option<BlockNumber>,
    },
    /// A log does not fit the entries before it. Restore from a copy.
    #[error("log of block {block}: {problem}")]
    Misfit {
        /// The block.
        block: BlockNumber,
        /// What does not fit.
        problem: String,
    },
    /// The trees that the logs lead to have another root than the head block committed to.
    #[error("live root after block {block}: expected {expected}, got {got}")]
    Root {
        /// The head.
        block: BlockNumber,
        /// What it committed to.
        expected: B256,
        /// What was built.
        got: B256,
    },
    /// The period table has a gap. Restore from a copy.
    #[error("period table: expected period {expected}, got {got}")]
    Table {
        /// The period that should come.
        expected: PeriodId,
        /// The one that does.
        got: PeriodId,
    },
    /// The period table lacks a period that a block up to the head has sealed. Restore from a copy.
    #[error("period table ends before period {0}, which is sealed")]
    Unsealed(PeriodId),
    /// The archive of a period that is being sealed does not open.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The sealing thread does not start.
    #[error("starting the sealing thread: {0}")]
    Thread(#[from] std::io::Error),
}

impl TemporaryOpenError {
    pub(super) fn entry(table: Table, key: &[u8], source: DecodeError) -> Self {
        Self::BadEntry {
            table,
            key: hex::encode(key),
            source,
        }
    }
}
