//! What can go wrong with the archive of records.

use std::path::{Path, PathBuf};
use thinstate_formats::{BatchId, RecordIndex};

/// A failure of the archive of records.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordArchiveError {
    /// The record is not in this archive: it was appended before the archive was, or its batch was
    /// deleted. Ask another node.
    #[error("record {index} is not archived here")]
    NotArchived {
        /// The record.
        index: RecordIndex,
    },
    /// The record's block has left the ring, and its batch was not sealed while the archive was
    /// there. Ask another node.
    #[error("no path for record {index}: its block left the ring, and batch {batch} is not sealed")]
    NotSealed {
        /// The record.
        index: RecordIndex,
        /// Its batch.
        batch: BatchId,
    },
    /// The batch is still being filled, and cannot be deleted.
    #[error("batch {batch} is still being filled, only sealed ones can be deleted")]
    Filling {
        /// The batch.
        batch: BatchId,
    },
    /// A file is not what was written. Delete it to go on without its records, or restore it from a
    /// copy.
    #[error("{path}, byte {offset}: {what}: got {got}, expected {expected}")]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// Where in the file.
        offset: u64,
        /// What is wrong.
        what: &'static str,
        /// What is there.
        got: String,
        /// What should be there.
        expected: String,
    },
    /// The directory holds a batch, but the state was never archived. Give it an empty directory.
    #[error("{path} is a sealed batch, expected none: this state has no archive yet")]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error("{operation} at {path}: {message}")]
    Io {
        /// What was tried.
        operation: &'static str,
        /// Where.
        path: PathBuf,
        /// What came back.
        message: String,
    },
    /// An earlier write failed, and what it left is not known. Open again.
    #[error("an earlier write to the archive failed, open it again: {cause}")]
    Poisoned {
        /// The failure of that write.
        cause: String,
    },
}

impl RecordArchiveError {
    pub(super) fn io(operation: &'static str, path: &Path, error: &std::io::Error) -> Self {
        Self::Io {
            operation,
            path: path.to_owned(),
            message: error.to_string(),
        }
    }

    pub(super) fn corrupt(
        path: &Path,
        offset: u64,
        what: &'static str,
        got: impl ToString,
        expected: impl ToString,
    ) -> Self {
        Self::Corrupt {
            path: path.to_owned(),
            offset,
            what,
            got: got.to_string(),
            expected: expected.to_string(),
        }
    }
}
