//! What can go wrong with a store of all tiers.

use super::StoreRules;
use crate::{
    archive::{periods::PeriodArchiveError, records::RecordArchiveError},
    leaf_store::StoreError,
    permanent::{BulkError, CommitError, OpenError, UndoError as PermanentUndoError},
    spent::SpentError,
    temporary::{ResurrectionError, TemporaryError, TemporaryOpenError},
    trie::error::StateError,
    utxo::UtxoError,
};
use thinstate_formats::{
    BlockNumber, Commitment, LeafIndex, PeriodId, RecordIndex,
    object::{DecodeError, NoEncoding},
    policy::PolicyError,
};

/// A store cannot be opened. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum StoreOpenError {
    /// The leaf store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The permanent tier cannot be opened.
    #[error(transparent)]
    Permanent(#[from] OpenError),
    /// The temporary tier cannot be opened.
    #[error(transparent)]
    Temporary(#[from] TemporaryOpenError),
    /// The UTXO tier cannot be opened.
    #[error(transparent)]
    Utxo(#[from] UtxoError),
    /// The spent bitfields cannot be opened.
    #[error(transparent)]
    Spent(#[from] SpentError),
    /// The archive of sealed periods cannot be opened. Without it the store works all the same.
    #[error(transparent)]
    Periods(#[from] PeriodArchiveError),
    /// The ring is longer than there is room for.
    #[error("ring-length is {got}, expected at most {}", u32::MAX)]
    LongRing {
        /// The length.
        got: u64,
    },
    /// The rules contradict themselves.
    #[error(transparent)]
    Rules(#[from] PolicyError),
    /// The rules that the store was made with do not decode: it is damaged.
    #[error("the store's rules do not decode: {got}")]
    BadRules {
        /// What is there.
        got: String,
    },
    /// The store was made with other rules. Open it with those.
    #[error("the store was made with the rules {expected}, not {got}")]
    OtherRules {
        /// The store's rules, as JSON.
        expected: String,
        /// Those it was opened with.
        got: String,
    },
    /// The tiers are at another block than the permanent one, to which blocks were applied without
    /// them. Undo those.
    #[error("the temporary and UTXO tiers are at block {got:?}, expected {expected:?}")]
    OtherHead {
        /// The head of the store.
        expected: Option<BlockNumber>,
        /// Theirs.
        got: Option<BlockNumber>,
    },
    /// A tier does not have the root that was committed: the store is damaged.
    #[error("{} differs from what was committed: expected {expected:?}, got {got:?}", .expected.differs(.got))]
    CommitmentMismatch {
        /// What was committed.
        expected: Box<Commitment>,
        /// What the tiers hold.
        got: Box<Commitment>,
    },
}

impl StoreOpenError {
    pub(super) fn other_rules(expected: &StoreRules, got: &StoreRules) -> Self {
        let json = |rules| serde_json::to_string(rules).unwrap_or_else(|error| error.to_string());
        Self::OtherRules {
            expected: json(expected),
            got: json(got),
        }
    }
}

/// A block was refused, or could not be made durable. Every tier is as before.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The permanent tier refused it, or the leaf store failed.
    #[error(transparent)]
    Permanent(#[from] CommitError),
    /// The temporary tier refused it.
    #[error(transparent)]
    Temporary(#[from] TemporaryError),
    /// The UTXO tier refused it.
    #[error(transparent)]
    Utxo(#[from] UtxoError),
    /// The spent bitfields refused it.
    #[error(transparent)]
    Spent(#[from] SpentError),
    /// The block does not follow the head.
    #[error("block {got} does not follow the head, expected {expected}")]
    NotNext {
        /// The number that follows.
        expected: BlockNumber,
        /// The number given.
        got: BlockNumber,
    },
}

/// A state cannot be built. The store is empty again; see [`BulkError`].
#[derive(Debug, thiserror::Error)]
pub enum StoreBulkError {
    /// The permanent tier refused what was to be built, or the leaf store failed.
    #[error(transparent)]
    Permanent(#[from] BulkError),
    /// The other tiers refused the block: they have seen others. Build on a store that is new.
    #[error(transparent)]
    Tiers(#[from] ApplyError),
}

/// The last block cannot be undone. Every tier is as before, unless the variant says otherwise.
#[derive(Debug, thiserror::Error)]
pub enum UndoError {
    /// The permanent tier refused, or the leaf store failed.
    #[error(transparent)]
    Permanent(#[from] PermanentUndoError),
    /// The temporary tier refused.
    #[error(transparent)]
    Temporary(#[from] TemporaryError),
    /// The UTXO tier refused.
    #[error(transparent)]
    Utxo(#[from] UtxoError),
    /// The spent bitfields refused.
    #[error(transparent)]
    Spent(#[from] SpentError),
    /// There is no block to undo.
    #[error("there is no block to undo")]
    NothingToUndo,
    /// The block was undone, and a tier has another root than before it: the store is damaged.
    #[error("{} differs from what was committed: expected {expected:?}, got {got:?}", .expected.differs(.got))]
    CommitmentMismatch {
        /// What was committed.
        expected: Box<Commitment>,
        /// What the tiers hold.
        got: Box<Commitment>,
    },
}

/// A step of a block in the making was refused. The block is as before.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The permanent state is not known there.
    #[error(transparent)]
    State(#[from] StateError),
    /// The leaf cannot be resurrected.
    #[error(transparent)]
    Resurrection(#[from] ResurrectionError),
    /// The record cannot be spent.
    #[error(transparent)]
    Utxo(#[from] UtxoError),
    /// The leaf was resurrected earlier in this block.
    #[error("leaf {index} of period {period} is resurrected twice in one block")]
    ResurrectedInBlock {
        /// The period.
        period: PeriodId,
        /// The leaf.
        index: LeafIndex,
    },
    /// The record was spent earlier in this block.
    #[error("record {index} is spent twice in one block")]
    SpentInBlock {
        /// The record.
        index: RecordIndex,
    },
}

/// A ledger's step was refused. Give the block up: part of a call may be in it.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The block in the making refused it.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The leaf store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A record does not decode, or an object cannot be one.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The object cannot be a record.
    #[error(transparent)]
    NoEncoding(#[from] NoEncoding),
    /// The archive of records does not have it, or is damaged.
    #[error(transparent)]
    Archive(#[from] RecordArchiveError),
    /// The record is not among the unspent ones of the index.
    #[error("record {index} is not among the unspent ones")]
    UnknownRecord {
        /// The record.
        index: RecordIndex,
    },
    /// The record is older than the hybrid window, and this node does not archive records. Ask
    /// another for the path.
    #[error("record {index} needs a path, and records are not archived here")]
    NoArchive {
        /// The record.
        index: RecordIndex,
    },
}
