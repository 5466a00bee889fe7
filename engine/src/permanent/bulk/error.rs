//! What can go wrong while a state is built.

use crate::{leaf_store::StoreError, trie::error::StateError};
use alloy_primitives::B256;
use thinstate_formats::BlockNumber;

/// A state cannot be built. The store is empty again, unless the leaf store failed in a way that it must be
/// reopened for: opening then says what to do.
#[derive(Debug, thiserror::Error)]
pub enum BulkError {
    /// The leaf store failed. Remove the cause, and build anew.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An entry that was written cannot be used: the store is damaged.
    #[error(transparent)]
    State(#[from] StateError),
    /// The store holds a state already: a whole one is built on an empty store only.
    #[error(
        "the store already has root {root} at commit {commit}: a state is built on an empty store"
    )]
    NotEmpty {
        /// Its root.
        root: B256,
        /// Its commit.
        commit: u64,
    },
    /// The building of another state was interrupted here. Go on with that one, or discard it
    /// ([`discard_unfinished`](crate::PermanentTier::discard_unfinished)).
    #[error(
        "the state of block {got} from {got_source} is being built here, expected that of block {expected} from {expected_source}"
    )]
    Other {
        /// The block to be built.
        expected: BlockNumber,
        /// What it is to be built from.
        expected_source: B256,
        /// The block of what is there.
        got: BlockNumber,
        /// What that is built from.
        got_source: B256,
    },
    /// Of what an interrupted build had brought in, something is missing. Build anew: the store is empty again.
    #[error("the store has {got} {what} of the {expected} that were built")]
    Lost {
        /// Of what.
        what: &'static str,
        /// As many as there should be.
        expected: u64,
        /// As many as there are.
        got: u64,
    },
    /// Keys must ascend, each of them once. Sort what the source gives.
    #[error("{what} {got} comes behind {last}, expected ascending keys")]
    Order {
        /// Of what.
        what: &'static str,
        /// The key before.
        last: B256,
        /// The key.
        got: B256,
    },
    /// A slot of zero is no slot. Leave it out.
    #[error("slot {slot} of account {account} is zero")]
    ZeroSlot {
        /// The hashed address.
        account: B256,
        /// The hashed slot.
        slot: B256,
    },
    /// The accounts of a part count other slots than it has. Correct the source.
    #[error("the accounts of a part count {expected} slots, but it has {got}")]
    SlotCount {
        /// What the accounts say.
        expected: usize,
        /// What is there.
        got: usize,
    },
}
