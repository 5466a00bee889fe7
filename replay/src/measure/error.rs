//! What can go wrong with a folder of results.

use std::{
    io,
    path::{Path, PathBuf},
};

/// Results cannot be recorded.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The folder holds something that no run has made. Choose another folder.
    #[error(
        "{}: holds files and no {marker}, so no run has made it; choose another folder",
        path.display()
    )]
    NotOurs {
        /// The folder.
        path: PathBuf,
        /// The file that would say so.
        marker: &'static str,
    },
    /// Another run records into this folder. Wait for it, or choose another folder.
    #[error("{}: another run is using it; choose another folder", path.display())]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// There is no run to go on with. Start one.
    #[error("{}: no run to go on with (no {marker} in it)", path.display())]
    NothingToResume {
        /// The folder.
        path: PathBuf,
        /// The file that would say so.
        marker: &'static str,
    },
    /// The rows of the earlier part do not reach as far as its checkpoint. Start the run anew.
    #[error("{}: expected at least {expected} rows, got {got}", path.display())]
    RowsMissing {
        /// The file.
        path: PathBuf,
        /// Rows that the checkpoint counts.
        expected: u64,
        /// Rows in the file.
        got: u64,
    },
    /// The rows of the earlier part cannot be read. Start the run anew.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The operating system refused.
    #[error("{}: cannot {action}", path.display())]
    Os {
        /// What was to be done.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why it could not be done.
        source: io::Error,
    },
    /// A file could not be put into its format: a bug, or a device that is full.
    #[error("{}: cannot encode: {reason}", path.display())]
    Encode {
        /// The file.
        path: PathBuf,
        /// What the encoder says.
        reason: String,
    },
}

/// Results cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The run did not end, or this is no folder of results. Look for the right one.
    #[error("{}: no result.json in it: the run did not end, or is under way", path.display())]
    NoResult {
        /// The folder.
        path: PathBuf,
    },
    /// The file cannot be read. Check its name and permissions.
    #[error("{}: cannot read", path.display())]
    Os {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The file is not the one that the run has written. Get it again, or repeat the run.
    #[error("{}: expected SHA-256 {expected}, got {got}: damaged or edited", path.display())]
    Checksum {
        /// The file.
        path: PathBuf,
        /// What `SHA256SUMS` beside it says.
        expected: String,
        /// What it has.
        got: String,
    },
    /// `SHA256SUMS` says nothing of the file. Get it again.
    #[error("{}: no sum of {name}", path.display())]
    NotInSums {
        /// The file of sums.
        path: PathBuf,
        /// The file that has none.
        name: String,
    },
    /// `SHA256SUMS` has a line that is none. Get it again.
    #[error("{}: line {line} is not `SHA-256, two spaces, name`", path.display())]
    Sums {
        /// The file of sums.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
    },
    /// The file is not JSON, or not a result. Get it again, or repeat the run.
    #[error("{}: not a result", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// Where, and what was expected.
        source: serde_json::Error,
    },
    /// Written by another version. Use the program of that version.
    #[error("{}: expected schema {expected}, got {got}", path.display())]
    Schema {
        /// The file.
        path: PathBuf,
        /// What this version reads.
        expected: &'static str,
        /// What is in the file.
        got: String,
    },
    /// A row is damaged. Get the file again, or repeat the run.
    #[error("{}: line {line}: {reason}", path.display())]
    Row {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// What was expected, and what is there.
        reason: String,
    },
    /// Rows and result do not belong together. Get both again, or repeat the run.
    #[error("{}: {what}: expected {expected} as in result.json, got {got}", path.display())]
    Disagrees {
        /// The file with the rows.
        path: PathBuf,
        /// What differs.
        what: String,
        /// The result's.
        expected: u64,
        /// The rows'.
        got: u64,
    },
}

/// An error of the operating system, with what it refused.
pub(super) fn os<'a>(
    action: &'static str,
    path: &'a Path,
) -> impl FnOnce(io::Error) -> RecordError + 'a {
    move |source| RecordError::Os {
        action,
        path: path.to_owned(),
        source,
    }
}

/// The same, for a file that is read.
pub(super) fn unreadable(path: &Path) -> impl FnOnce(io::Error) -> ReadError + '_ {
    move |source| ReadError::Os {
        path: path.to_owned(),
        source,
    }
}
