//! Errors of the operating system as the store's.

use super::super::super::StoreError;
use std::{
    io::{self, ErrorKind},
    path::Path,
};

/// The typed form of an error of an operation on a whole file or folder.
pub(super) fn of(operation: &'static str, path: &Path, error: &io::Error) -> StoreError {
    typed(operation, path, error.kind(), error.to_string())
}

/// The typed form of an error of a transfer of so many bytes.
pub(super) fn at(
    operation: &'static str,
    path: &Path,
    offset: u64,
    bytes: usize,
    error: &io::Error,
) -> StoreError {
    let message = format!("{bytes} bytes at offset {offset}: {error}");
    typed(operation, path, error.kind(), message)
}

/// The error of a read that found the end of the file.
pub(super) fn ended(path: &Path, offset: u64, wanted: usize, got: usize) -> StoreError {
    StoreError::Corrupt {
        path: path.to_owned(),
        message: format!(
            "expected {wanted} bytes at offset {offset}, got {got} before the end of the file"
        ),
    }
}

fn typed(operation: &'static str, path: &Path, kind: ErrorKind, message: String) -> StoreError {
    let path = path.to_owned();
    match kind {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => StoreError::NoSpace {
            operation,
            path,
            message,
        },
        _ => StoreError::Io {
            operation,
            path,
            message,
        },
    }
}
