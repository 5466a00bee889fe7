//! What can go wrong while a state is built.

use crate::{leaf_store::StoreError, trie::error::StateError};
use alloy_primitives::B256;

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
