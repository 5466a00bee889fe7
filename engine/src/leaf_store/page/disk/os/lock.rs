//! The lock of a folder.

use super::super::super::super::StoreError;
use super::super::failure;
use std::{
    fs::{File, OpenOptions, TryLockError},
    path::Path,
};

/// The file that is locked. It stays when the store is closed.
pub(super) const NAME: &str = "LOCK";

/// A folder that is held, against other processes and other openings in this one, until this is
/// dropped or the process ends, however it ends.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Holds the folder, or is refused with [`StoreError::Locked`].
    pub(super) fn acquire(folder: &Path) -> Result<Self, StoreError> {
        let path = folder.join(NAME);
        let mut options = OpenOptions::new();
        let options = options.read(true).write(true).create(true).truncate(false);
        let file = options
            .open(&path)
            .map_err(|error| failure::of("open", &path, &error))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(StoreError::Locked {
                path: folder.to_owned(),
                message: format!("its file {NAME} is locked"),
            }),
            Err(TryLockError::Error(error)) => Err(failure::of("lock", &path, &error)),
        }
    }
}
