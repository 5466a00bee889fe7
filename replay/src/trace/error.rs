//! What can go wrong with a trace file.

use std::io;
use std::path::{Path, PathBuf};
use thinstate_formats::BlockNumber;
use thinstate_formats::trace::{EncodeError, TraceError};

/// A failure of a trace file.
#[derive(Debug, thiserror::Error)]
pub enum TraceFileError {
    /// The operating system refused: missing file, missing right, full disk. Remove the cause. A
    /// writer that met this is finished; what it wrote before can be recovered.
    #[error("{operation} {}", path.display())]
    Io {
        /// What was tried.
        operation: &'static str,
        /// On what.
        path: PathBuf,
        /// What came back.
        source: io::Error,
    },
    /// The bytes are not a whole trace. Take another copy, or recover what comes before the offset
    /// that is named.
    #[error("{}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        source: TraceError,
    },
    /// A block cannot be written. The file is as it was before.
    #[error("{}", path.display())]
    Encode {
        /// The file.
        path: PathBuf,
        /// Why.
        source: EncodeError,
    },
    /// A block was pushed that does not come after the last one. The file is as it was before.
    #[error("{}: expected a block above {previous}, got {got}", path.display())]
    BlockOrder {
        /// The file.
        path: PathBuf,
        /// The last block.
        previous: BlockNumber,
        /// The block in question.
        got: BlockNumber,
    },
    /// An earlier write failed, and how much of it is in the file is not known. Recover the file.
    #[error("{}: an earlier write failed", path.display())]
    Poisoned {
        /// The file.
        path: PathBuf,
    },
}

impl TraceFileError {
    pub(super) fn io(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io {
            operation,
            path,
            source,
        }
    }

    pub(super) fn format(path: &Path) -> impl Fn(TraceError) -> Self {
        move |source| Self::Format {
            path: path.to_path_buf(),
            source,
        }
    }
}
