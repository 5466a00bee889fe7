//! What can go wrong in the UTXO tier.

use super::UtxoRules;
use crate::{archive::records::RecordArchiveError, leaf_store::StoreError};
use thinstate_formats::{
    BatchId, BlockNumber, RecordIndex,
    record::{PayloadTooLong, RecordPathError},
};

/// A failure of the UTXO tier. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum UtxoError {
    /// The leaf store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The archive of records failed. Open the store again once the cause is removed.
    #[error(transparent)]
    Archive(#[from] RecordArchiveError),
    /// The ring must have places.
    #[error("ring-len is 0, expected at least 1")]
    NoRing,
    /// The store was made under other rules. Open it with those.
    #[error("rules {got:?}, expected {expected:?} (the store's)")]
    OtherRules {
        /// The store's.
        expected: UtxoRules,
        /// Those asked for.
        got: UtxoRules,
    },
    /// Blocks come one after the other.
    #[error("block {got} after block {head}")]
    NotNext {
        /// The last block.
        head: BlockNumber,
        /// The block that came.
        got: BlockNumber,
    },
    /// A block has more records, or more bytes of them, than 32 bits count.
    #[error("{records} records of {bytes} bytes in one block, expected less than 2^32 of both")]
    BlockTooLarge {
        /// Its records.
        records: usize,
        /// Their bytes.
        bytes: usize,
    },
    /// A payload is too long.
    #[error("new record {position}: {error}")]
    Payload {
        /// Its place among the block's new records.
        position: usize,
        /// What is wrong.
        error: PayloadTooLong,
    },
    /// No record has this index yet.
    #[error("record {index} does not exist, the next one is {next_index}")]
    UnknownIndex {
        /// The index.
        index: RecordIndex,
        /// The first that is not given.
        next_index: RecordIndex,
    },
    /// The record is appended in the same block. It can be spent from the next block on.
    #[error("record {index} is appended in the same block, it can be spent in the next")]
    SameBlock {
        /// The index.
        index: RecordIndex,
    },
    /// The record is spent.
    #[error("record {index} is spent already")]
    AlreadySpent {
        /// The index.
        index: RecordIndex,
    },
    /// Two spends of one block name the record.
    #[error("record {index} is spent twice in one block")]
    DoubleSpend {
        /// The index.
        index: RecordIndex,
    },
    /// The record needs a path: it is not among those that can be spent without.
    #[error(
        "record {index} needs a path, those of the last {window} blocks need none (from {first})"
    )]
    NeedsPath {
        /// The index.
        index: RecordIndex,
        /// Blocks of the window.
        window: u64,
        /// First record of the window.
        first: RecordIndex,
    },
    /// The record is not the one that was appended with this index.
    #[error("record {index} is not the one that was appended")]
    Altered {
        /// The index.
        index: RecordIndex,
    },
    /// The path is of a block that is not there yet.
    #[error("record {index}: path of block {block}, the last one is {head}")]
    UnknownBlock {
        /// The record.
        index: RecordIndex,
        /// The block of the path.
        block: BlockNumber,
        /// The last block.
        head: BlockNumber,
    },
    /// The path is of another block than the record.
    #[error("record {index}: path of block {got}, expected {expected}")]
    WrongBlock {
        /// The record.
        index: RecordIndex,
        /// Its block.
        expected: BlockNumber,
        /// The block of the path.
        got: BlockNumber,
    },
    /// The block's place in the ring was written again. Take a path into the batch.
    #[error(
        "record {index}: block {block} has left the ring, whose oldest is {oldest}: a path into \
         batch {batch} is needed"
    )]
    StalePath {
        /// The record.
        index: RecordIndex,
        /// The block of the path.
        block: BlockNumber,
        /// The oldest block in the ring.
        oldest: BlockNumber,
        /// The block's batch.
        batch: BatchId,
    },
    /// The block's batch is not sealed yet. Take a path into the ring.
    #[error(
        "record {index}: batch {batch} of block {block} is not sealed, take a path into the ring"
    )]
    NotSealed {
        /// The record.
        index: RecordIndex,
        /// The block of the path.
        block: BlockNumber,
        /// Its batch.
        batch: BatchId,
    },
    /// The path does not lead to the root: the record or the path was altered, or is another's.
    #[error(transparent)]
    Path(#[from] RecordPathError),
    /// There is no block to undo.
    #[error("nothing to undo")]
    NothingToUndo,
    /// The block is too old to be undone.
    #[error("block {block} is too old to be undone")]
    TooOld {
        /// The block.
        block: BlockNumber,
    },
}
