//! Why a read or a change of the state did not come to an answer.

use super::{codec::TrieId, path::Path};
use crate::{archive::expired::ExpiredError, leaf_store::StoreError};
use alloy_primitives::{B256, hex};
use core::fmt;
use nybbles::Nibbles;

/// A failure to read or to change the state. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// A stub is in the way: the state holds only the hash of what is needed. Insert a witness
    /// with the node, then try again.
    #[error(transparent)]
    Missing(#[from] Box<MissingNode>),
    /// The leaf store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The archive of expired leaves failed. That a subtree is not in it is
    /// [`Self::Missing`] instead.
    #[error(transparent)]
    Archive(Box<ExpiredError>),
    /// Storage was changed of an account that does not exist and is not created.
    #[error("storage of account {account} is changed, but there is no such account")]
    NoSuchAccount {
        /// keccak256 of its address.
        account: B256,
    },
    /// The entries contradict one another: one lies under another. The store was written by
    /// something else, or is damaged; verify it, and build it again.
    #[error("entries of {trie} contradict one another at path 0x{}", hex::encode(path.to_vec()))]
    Contradiction {
        /// The trie.
        trie: TrieName,
        /// Where.
        path: Nibbles,
    },
}

impl From<ExpiredError> for StateError {
    fn from(error: ExpiredError) -> Self {
        Self::Archive(Box::new(error))
    }
}

impl StateError {
    pub(crate) fn missing(trie: TrieId, path: &Path, hash: B256, needed_for: Need) -> Self {
        Self::Missing(Box::new(MissingNode {
            trie: TrieName(trie.account()),
            path: path.nibbles(),
            hash,
            needed_for,
        }))
    }
}

/// Which trie an error speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrieName(
    /// The hashed address whose storage trie it is; `None` for the account trie.
    pub Option<B256>,
);

impl fmt::Display for TrieName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => f.write_str("the account trie"),
            Some(account) => write!(f, "the storage trie of account {account}"),
        }
    }
}

/// What a missing node was needed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// To read an account or a slot.
    Read,
    /// To change an entry under it.
    Change,
    /// A branch lost all its other children and merges with this one.
    Collapse,
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "to read what lies under it",
            Self::Change => "to change what lies under it",
            Self::Collapse => "since its last sibling goes and the branch above collapses",
        })
    }
}

/// A node that the state knows by hash alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingNode {
    /// The trie.
    pub trie: TrieName,
    /// Path of the node from the root of its trie.
    pub path: Nibbles,
    /// keccak256 of the node.
    pub hash: B256,
    /// Why it is needed.
    pub needed_for: Need,
}

impl fmt::Display for MissingNode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "missing node {} of {} at path [", self.hash, self.trie)?;
        self.path.iter().try_for_each(|n| write!(f, "{n:x}"))?;
        write!(f, "], needed {}", self.needed_for)
    }
}

impl core::error::Error for MissingNode {}
