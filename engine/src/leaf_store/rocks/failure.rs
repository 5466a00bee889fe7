//! RocksDB's errors as ours.
//!
//! RocksDB hands its status over as text: the kind in front, then the cause, then what it was
//! doing and to which file.

use super::super::StoreError;
use rocksdb::{Error, ErrorKind};
use std::path::Path;

/// The typed form of `error`, which came back from `operation` on the store at `path`.
pub(super) fn typed(operation: &'static str, path: &Path, error: &Error) -> StoreError {
    let message = error.to_string();
    let path = path.to_owned();
    match error.kind() {
        ErrorKind::Corruption => StoreError::Corrupt { path, message },
        ErrorKind::IOError if is_lock(&message) => StoreError::Locked { path, message },
        ErrorKind::IOError if is_full(&message) => StoreError::NoSpace {
            operation,
            path,
            message,
        },
        // All files that are opened were written before; the folder itself is made by `open`.
        ErrorKind::IOError if is_missing(&message) => StoreError::Corrupt { path, message },
        // The folder holds other tables or another key order.
        ErrorKind::InvalidArgument => StoreError::Corrupt { path, message },
        _ => StoreError::Io {
            operation,
            path,
            message,
        },
    }
}

/// The typed form of an error of the operating system.
pub(super) fn os(operation: &'static str, path: &Path, error: &std::io::Error) -> StoreError {
    let path = path.to_owned();
    let message = error.to_string();
    if error.kind() == std::io::ErrorKind::StorageFull {
        return StoreError::NoSpace {
            operation,
            path,
            message,
        };
    }
    StoreError::Io {
        operation,
        path,
        message,
    }
}

fn is_lock(message: &str) -> bool {
    message.contains("lock hold by current process") || message.contains("While lock file")
}

fn is_full(message: &str) -> bool {
    [
        "No space left on device",
        "Disk quota exceeded",
        "Max allowed space was reached",
    ]
    .iter()
    .any(|cause| message.contains(cause))
}

fn is_missing(message: &str) -> bool {
    message.contains("No such file or directory")
}
