//! Why the archive of expired leaves does not answer.

use crate::trie::error::TrieName;
use alloy_primitives::B256;
use nybbles::Nibbles;
use std::{io, path::Path, path::PathBuf};

/// A failure of the archive of expired leaves. The state is as before.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExpiredError {
    /// The subtree is not in this archive: it was never cut here, or its segment was deleted. Ask
    /// another archive.
    #[error("not archived here: node {hash} of {trie} at path {path:?}")]
    NotArchived {
        /// The trie.
        trie: TrieName,
        /// Path of the subtree.
        path: Nibbles,
        /// keccak256 of its root node.
        hash: B256,
    },
    /// The operating system refused. Reopen the store once the cause is removed.
    #[error("{operation} {path}: {message}")]
    Io {
        /// What was tried.
        operation: &'static str,
        /// The file.
        path: PathBuf,
        /// What came back.
        message: String,
    },
    /// A file does not hold what was written. Delete it, and bring witnesses from elsewhere.
    #[error("{path} is corrupt at byte {offset}: {reason}")]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// Where the record, or the header, begins.
        offset: u64,
        /// What is wrong.
        reason: &'static str,
    },
    /// The file was written by another version.
    #[error("{path} has version {got}, expected {expected}")]
    Version {
        /// The file.
        path: PathBuf,
        /// What this build reads.
        expected: u32,
        /// What the file says.
        got: u32,
    },
    /// The last segment is shorter than the store has committed: it was damaged. Restore it, or
    /// delete it and do without its records.
    #[error("{path} has {got} bytes, expected {expected}")]
    Short {
        /// The file.
        path: PathBuf,
        /// The committed length.
        expected: u64,
        /// Its length.
        got: u64,
    },
    /// The segment is being written, and cannot be deleted.
    #[error("segment {segment} is being written")]
    InUse {
        /// Its number.
        segment: u32,
    },
    /// An earlier write failed, and what it left is not known. Reopen the store.
    #[error("an earlier write failed, reopen the store: {cause}")]
    Poisoned {
        /// The failure of that write.
        cause: String,
    },
}

/// An I/O failure with what was tried and where.
pub(super) fn io(operation: &'static str, path: &Path, error: &io::Error) -> ExpiredError {
    ExpiredError::Io {
        operation,
        path: path.to_owned(),
        message: error.to_string(),
    }
}
