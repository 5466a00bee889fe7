//! The archive's folder: names of files, the lock, and making names durable.

use super::error::PeriodArchiveError;
use std::{
    ffi::OsStr,
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
};
use thinstate_formats::PeriodId;

const PREFIX: &str = "period-";
const SUFFIX: &str = ".seg";

/// A folder that is held.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    /// Makes the folder if it is not there, and takes its lock.
    pub(super) fn open(path: PathBuf) -> Result<Self, PeriodArchiveError> {
        fs::create_dir_all(&path).map_err(PeriodArchiveError::io("create", &path))?;
        let lock_path = path.join("LOCK");
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&lock_path)
            .map_err(PeriodArchiveError::io("open", &lock_path))?;
        hold(&lock, &lock_path)?;
        Ok(Self { path, _lock: lock })
    }

    /// Where a period's segment is, or will be.
    pub(super) fn segment(&self, period: PeriodId) -> PathBuf {
        self.path.join(segment_name(period))
    }

    /// Where it is while it is being written.
    pub(super) fn partial(&self, period: PeriodId) -> PathBuf {
        self.path.join(segment_name(period) + ".partial")
    }

    /// The periods that have a finished segment, ascending.
    pub(super) fn periods(&self) -> Result<Vec<PeriodId>, PeriodArchiveError> {
        let io = || PeriodArchiveError::io("list", &self.path);
        let mut periods = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(io())? {
            periods.extend(period_of(&entry.map_err(io())?.file_name()));
        }
        periods.sort();
        Ok(periods)
    }

    /// Makes the names in it durable.
    pub(super) fn sync(&self) -> Result<(), PeriodArchiveError> {
        File::open(&self.path)
            .and_then(|folder| folder.sync_all())
            .map_err(PeriodArchiveError::io("sync", &self.path))
    }
}

/// Locks a file until it is closed.
pub(super) fn hold(file: &File, path: &Path) -> Result<(), PeriodArchiveError> {
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(PeriodArchiveError::Locked {
            path: path.to_owned(),
        }),
        Err(TryLockError::Error(error)) => Err(PeriodArchiveError::io("lock", path)(error)),
    }
}

fn segment_name(period: PeriodId) -> String {
    format!("{PREFIX}{:010}{SUFFIX}", period.0)
}

/// The period of a finished segment; `None` of any other file.
fn period_of(name: &OsStr) -> Option<PeriodId> {
    let name = name.to_str()?;
    let number = name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?;
    let period = PeriodId(number.parse().ok()?);
    (segment_name(period) == name).then_some(period)
}
