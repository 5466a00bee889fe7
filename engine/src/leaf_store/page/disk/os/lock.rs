//! The lock of a folder.

use super::super::super::super::StoreError;
use super::super::failure;
use std::{
    fs::{File, OpenOptions, TryLockError},
    path::Path,
    thread,
    time::{Duration, Instant},
};

/// The file that is locked. It stays when the store is closed.
pub(super) const NAME: &str = "LOCK";

/// How long a lock is waited for. A process that another thread of the last holder has forked shares its
/// lock until it executes its program, which is a matter of moments.
const PATIENCE: Duration = Duration::from_millis(500);

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
        let started = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _file: file }),
                Err(TryLockError::WouldBlock) if started.elapsed() < PATIENCE => {
                    thread::sleep(PATIENCE / 100);
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(StoreError::Locked {
                        path: folder.to_owned(),
                        message: format!("its file {NAME} is locked"),
                    });
                }
                Err(TryLockError::Error(error)) => return Err(failure::of("lock", &path, &error)),
            }
        }
    }
}
