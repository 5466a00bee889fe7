//! What can go wrong with spent bits.

use super::FieldId;
use crate::leaf_store::StoreError;
use alloy_primitives::B256;
use std::path::{Path, PathBuf};
use thinstate_formats::{HashKind, bits::BitsError};

/// A failure of the spent bits. Unless said otherwise nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum SpentError {
    /// The leaf store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The operating system refused. Free space or repair the cause, then open again.
    #[error("{operation} at {path}: {message}")]
    Io {
        /// What was tried.
        operation: &'static str,
        /// Where.
        path: PathBuf,
        /// What came back.
        message: String,
    },
    /// The file of a field is gone. Restore it from a copy of the same block, or build the state
    /// again.
    #[error("{path} is missing: it holds the spent bits of {field}")]
    Missing {
        /// The file.
        path: PathBuf,
        /// Its field.
        field: FieldId,
    },
    /// A file ends before the bits that it must hold. Restore it from a copy.
    #[error("{path} ends at byte {got}, expected at least {expected}")]
    Truncated {
        /// The file.
        path: PathBuf,
        /// Bytes it must have.
        expected: u64,
        /// Bytes it has.
        got: u64,
    },
    /// A file is not that of this field. Put the right one in its place.
    #[error("{path}, byte {offset}: {what} is {got}, expected {expected}")]
    BadHeader {
        /// The file.
        path: PathBuf,
        /// Where in the file.
        offset: usize,
        /// What is wrong.
        what: &'static str,
        /// What is there.
        got: String,
        /// What should be there.
        expected: String,
    },
    /// An entry of the journal does not decode. Restore the store from a copy.
    #[error("journal of commit {commit}, byte {offset}: {reason}")]
    BadJournal {
        /// The commit.
        commit: u64,
        /// Where in the entry.
        offset: usize,
        /// What is wrong.
        reason: &'static str,
    },
    /// The journal lacks a commit since the files were last synced. Restore the store from a copy.
    #[error("the journal has commit {got}, expected {expected}")]
    JournalGap {
        /// The commit that should come.
        expected: u64,
        /// The one that comes; the last one there is, if none does.
        got: u64,
    },
    /// The bits lay in files before, and now no directory is given.
    #[error("the journal begins at commit {first}: the bits before it lie in files")]
    NeedsFiles {
        /// The first commit in the journal.
        first: u64,
    },
    /// The store was made with another hash function. Open it with that one.
    #[error("hash function {got}, expected {expected} (the store's)")]
    OtherHash {
        /// The store's.
        expected: HashKind,
        /// The one asked for.
        got: HashKind,
    },
    /// The bits are not those that were committed. Restore the files from a copy of the same block.
    #[error("the spent bits have root {got}, expected {expected}")]
    RootMismatch {
        /// The root that was committed.
        expected: B256,
        /// The root of the bits as they are.
        got: B256,
    },
    /// An earlier sync failed, and what it left on the device is not known. Open again.
    #[error("an earlier sync of the spent bits failed, open them again: {cause}")]
    Poisoned {
        /// The failure of that sync.
        cause: String,
    },
    /// There is no such field.
    #[error("no field {field}")]
    NoField {
        /// The field.
        field: FieldId,
    },
    /// A commit names a field twice.
    #[error("{field} is changed twice in one commit")]
    Repeated {
        /// The field.
        field: FieldId,
    },
    /// A field has no such bit.
    #[error("bit {index} of {field}, which has {len}")]
    Outside {
        /// The field.
        field: FieldId,
        /// The bit.
        index: u64,
        /// Bits of the field.
        len: u64,
    },
    /// The object is spent already.
    #[error("bit {index} of {field} is set already")]
    AlreadySet {
        /// The field.
        field: FieldId,
        /// The bit.
        index: u64,
    },
    /// The object is not spent.
    #[error("bit {index} of {field} is not set")]
    NotSet {
        /// The field.
        field: FieldId,
        /// The bit.
        index: u64,
    },
    /// A field cannot be cut where bits are set, or has a bit beyond its end.
    #[error("{field}: {error}")]
    Bits {
        /// The field.
        field: FieldId,
        /// What is wrong.
        error: BitsError,
    },
}

impl SpentError {
    /// What the operating system said.
    pub(super) fn io(operation: &'static str, path: &Path, error: &std::io::Error) -> Self {
        Self::Io {
            operation,
            path: path.to_owned(),
            message: error.to_string(),
        }
    }
}
