//! The folder of a study: who writes into it.

use super::StudyError;
use std::{
    fs::{self, File, TryLockError},
    path::Path,
};

/// The file that is locked while a study writes into its folder.
const LOCK: &str = "study.lock";

/// A folder that no other study writes into meanwhile. The lock ends with the value, or with the process.
#[derive(Debug)]
pub(super) struct Locked {
    _lock: File,
}

impl Locked {
    /// Makes the folder where there is none, and locks it. Does not wait for who has it.
    pub(super) fn folder(dir: &Path) -> Result<Self, StudyError> {
        fs::create_dir_all(dir).map_err(StudyError::os("create the folder", dir))?;
        let path = dir.join(LOCK);
        let lock = File::create(&path).map_err(StudyError::os("create the file", &path))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(StudyError::InUse {
                path: dir.to_owned(),
            }),
            Err(TryLockError::Error(error)) => Err(StudyError::os("lock", dir)(error)),
        }
    }
}
