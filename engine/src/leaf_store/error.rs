//! What can go wrong between the engine and the disk.

use super::Table;
use std::path::PathBuf;

/// A failure of the leaf store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The operating system refused. Nothing of the operation counts as done; reopen the store
    /// once the cause is removed.
    #[error("{operation} at {path}: {message}")]
    Io {
        /// What was tried.
        operation: &'static str,
        /// Where.
        path: PathBuf,
        /// What came back.
        message: String,
    },
    /// The disk is full. The batch was not applied; free space, then reopen.
    #[error("{operation} at {path}: no space left: {message}")]
    NoSpace {
        /// What was tried.
        operation: &'static str,
        /// Where.
        path: PathBuf,
        /// What came back.
        message: String,
    },
    /// Another process holds the store. Close it there first.
    #[error("{path} is held by another process: {message}")]
    Locked {
        /// The store.
        path: PathBuf,
        /// What came back.
        message: String,
    },
    /// The folder holds a store of another kind. Ask for that one, or choose another folder.
    #[error("{path} holds a {got} store, expected {expected}")]
    OtherKind {
        /// The folder.
        path: PathBuf,
        /// What was asked for.
        expected: &'static str,
        /// What it holds.
        got: &'static str,
    },
    /// Bytes on disk are not what was written: the store's own checksum failed. Restore from a
    /// copy, or build the state again.
    #[error("{path} is corrupt: {message}")]
    Corrupt {
        /// The store.
        path: PathBuf,
        /// What was found.
        message: String,
    },
    /// An entry does not decode.
    #[error("table {}, key 0x{key}: expected {expected}, got {got}", table.name())]
    BadEntry {
        /// The table.
        table: Table,
        /// The key, in hex.
        key: String,
        /// What the format asks for.
        expected: &'static str,
        /// What was found.
        got: String,
    },
    /// An earlier commit failed, or what was done for it later, and what that left is not known.
    /// Reopen the store.
    #[error("an earlier commit failed, reopen the store: {cause}")]
    Poisoned {
        /// The failure of that commit.
        cause: String,
    },
}
