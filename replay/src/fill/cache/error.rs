//! Why a store cannot be had from the cache.

use std::{
    io,
    path::{Path, PathBuf},
};

/// A store cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum CacheError<E: core::error::Error + 'static> {
    /// It could not be built. Nothing is kept of it.
    #[error("the store could not be built")]
    Build(#[source] E),
    /// A file or folder could not be read or written. Give another folder, or remove the cause.
    #[error(transparent)]
    File(#[from] FileError),
}

/// The operating system refused.
#[derive(Debug, thiserror::Error)]
#[error("{operation} {}", path.display())]
pub struct FileError {
    /// What was tried.
    pub operation: &'static str,
    /// With which file or folder.
    pub path: PathBuf,
    /// Why not.
    pub source: io::Error,
}

pub(super) fn os(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> FileError {
    let path = path.to_owned();
    move |source| FileError {
        operation,
        path,
        source,
    }
}
