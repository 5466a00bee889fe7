//! Errors of the permanent tier, one enum for each operation.

use super::head::BlockId;
use crate::{archive::expired::ExpiredError, leaf_store::StoreError, trie::error::StateError};
use alloy_primitives::B256;
use nybbles::Nibbles;
use thinstate_formats::BlockNumber;

/// The store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The leaf store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An entry of the state cannot be used.
    #[error(transparent)]
    State(#[from] StateError),
    /// The archive of expired leaves cannot be opened.
    #[error(transparent)]
    Archive(Box<ExpiredError>),
    /// The entry that says how far expiry has come does not decode: the store is damaged.
    #[error("the state of expiry does not decode: {got}")]
    BadExpiry {
        /// What the entry holds.
        got: String,
    },
    /// The building of a whole state was interrupted. Go on with it
    /// ([`Options::resume_bulk`](super::Options::resume_bulk)), remove the folder and build it again, or empty the store
    /// with [`PermanentTier::discard_unfinished`](super::PermanentTier::discard_unfinished).
    #[error(
        "the building of the state of block {block} was interrupted: go on with it, or remove the store and build it again"
    )]
    Unfinished {
        /// The block that the state was to be of.
        block: BlockNumber,
    },
    /// The directory holds something else.
    #[error("not a thinstate store: its format entry is {got}")]
    NotOurs {
        /// What the entry holds.
        got: String,
    },
    /// The store was written by another version. Use that version, or build the state again.
    #[error("store has format version {got}, expected {expected}")]
    Version {
        /// What this build reads.
        expected: u32,
        /// What the store says.
        got: u32,
    },
    /// The entry of the head block does not decode.
    #[error("the head does not decode: {got}")]
    BadHead {
        /// What the entry holds.
        got: String,
    },
    /// The leaves do not hash to the committed root: the store is damaged.
    #[error("the leaves hash to {got}, but the committed root is {expected}")]
    RootMismatch {
        /// The committed root.
        expected: B256,
        /// What the leaves hash to.
        got: B256,
    },
    /// A parameter makes no sense.
    #[error("{name} is {got}, expected {expected}")]
    BadOption {
        /// Which.
        name: &'static str,
        /// What it may be.
        expected: &'static str,
        /// What it is.
        got: String,
    },
    /// The threads could not be started.
    #[error("threads could not be started: {0}")]
    Threads(String),
}

impl From<ExpiredError> for OpenError {
    fn from(error: ExpiredError) -> Self {
        Self::Archive(Box::new(error))
    }
}

/// A block cannot be prepared or committed. The state is as before.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// The state could not be read, or a stub is in the way.
    #[error(transparent)]
    State(#[from] StateError),
    /// The leaf store failed; after a failed write it must be reopened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The block does not follow the head.
    #[error("block {got} does not follow the head, expected {expected}")]
    NotNext {
        /// The number that follows.
        expected: BlockNumber,
        /// The number given.
        got: BlockNumber,
    },
    /// Something was committed since the block was prepared. Prepare it again.
    #[error("prepared on commit {prepared_on}, but the head is at commit {head}")]
    Stale {
        /// The commit that it was prepared on.
        prepared_on: u64,
        /// The commit now.
        head: u64,
    },
}

/// A block cannot be undone. The state is as before.
#[derive(Debug, thiserror::Error)]
pub enum UndoError {
    /// The leaf store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The state could not be read.
    #[error(transparent)]
    State(#[from] StateError),
    /// No block has been committed, or the reverse diff is no longer kept.
    #[error("block {0} cannot be undone: no reverse diff is kept for it")]
    TooOld(BlockNumber),
    /// There is no block to undo.
    #[error("there is no block to undo")]
    NothingToUndo,
    /// The reverse diff does not decode: the store is damaged.
    #[error("the reverse diff of block {block} does not decode at byte {offset}: {reason}")]
    BadDiff {
        /// The block.
        block: BlockNumber,
        /// Where in the diff.
        offset: usize,
        /// Why.
        reason: &'static str,
    },
    /// Undoing leads to another root than the block was built on: the store is damaged.
    #[error("undoing block {} leads to root {got}, expected {expected}", block.number)]
    RootMismatch {
        /// The block.
        block: BlockId,
        /// The root before the block.
        expected: B256,
        /// The root after undoing it.
        got: B256,
    },
}

/// A witness was refused. The state is as before.
#[derive(Debug, thiserror::Error)]
pub enum WitnessError {
    /// The leaf store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The state could not be read or changed.
    #[error(transparent)]
    State(#[from] StateError),
    /// The store already holds a state: a root is given only to an empty one.
    #[error("the store already has root {root}: a witness root is given to an empty store only")]
    NotEmpty {
        /// Its root.
        root: B256,
    },
    /// A node fills no stub: its hash is that of no node that is missing. It was altered, or
    /// belongs to another state.
    #[error("node {index} of the witness, with hash {hash}, fills no stub")]
    Unmatched {
        /// Its place in the witness.
        index: usize,
        /// Its hash.
        hash: B256,
    },
    /// A node has the right hash, but is no node of a trie of this kind.
    #[error(transparent)]
    Malformed(Box<MalformedNode>),
    /// The nodes have the right hashes, but another shape than a trie of these entries has.
    #[error(
        "the witness holds a trie in another than its canonical shape: root {got}, expected {expected}"
    )]
    NotCanonical {
        /// The root of the stub that was filled, or of the state.
        expected: B256,
        /// The root of a canonical trie with the same entries.
        got: B256,
    },
    /// There is no stub where the caller says. It may have been filled meanwhile.
    #[error("there is no stub at path {path:?} of {trie}")]
    NoStub {
        /// The trie.
        trie: crate::trie::error::TrieName,
        /// The path.
        path: Nibbles,
    },
}

/// A node that has the hash asked for, and still is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("node {hash} of {trie} at path {path:?} is malformed: {reason}")]
pub struct MalformedNode {
    /// Its hash.
    pub hash: B256,
    /// The trie.
    pub trie: crate::trie::error::TrieName,
    /// Where the node belongs.
    pub path: Nibbles,
    /// What is wrong.
    pub reason: String,
}
