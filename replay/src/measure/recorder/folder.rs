//! The folder itself: whose it is, and who uses it.

use super::{BLOCKS_CSV, BLOCKS_PARQUET, HISTOGRAMS, RESULT_JSON};
use crate::measure::{
    error::{RecordError, os},
    sums::SUMS,
};
use std::{
    fs::{self, File, TryLockError},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

/// The file that says so.
const MARKER: &str = "THINSTATE-RUN";
const MARKER_TEXT: &str = "\
made by `thinstate`, which removes results here when it runs again with this folder
";

/// A folder of results, locked.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    /// Held open: its lock ends with it.
    _marker: File,
}

impl Folder {
    /// A folder without results.
    pub(super) fn create(path: &Path) -> Result<Self, RecordError> {
        fs::create_dir_all(path).map_err(os("create the folder", path))?;
        let marker_path = path.join(MARKER);
        if !marker_path.is_file() && !is_empty(path)? {
            return Err(RecordError::NotOurs {
                path: path.to_owned(),
                marker: MARKER,
            });
        }
        let marker = File::options()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&marker_path);
        let mut marker = marker.map_err(os("create the file", &marker_path))?;
        lock(&marker, path)?;
        marker
            .write_all(MARKER_TEXT.as_bytes())
            .map_err(os("write the file", &marker_path))?;
        let folder = Self {
            path: path.to_owned(),
            _marker: marker,
        };
        folder.remove_result()?;
        remove_file(&path.join(BLOCKS_CSV))?;
        Ok(folder)
    }

    /// A folder with the rows of a run that did not end. A result that it left goes: the run is under way again.
    pub(super) fn reopen(path: &Path) -> Result<Self, RecordError> {
        let marker_path = path.join(MARKER);
        let marker = match File::options().write(true).open(&marker_path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(RecordError::NothingToResume {
                    path: path.to_owned(),
                    marker: MARKER,
                });
            }
            other => other.map_err(os("open the file", &marker_path))?,
        };
        lock(&marker, path)?;
        let folder = Self {
            path: path.to_owned(),
            _marker: marker,
        };
        folder.remove_result()?;
        Ok(folder)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Removes what `finish` has written; `result.json` first, so that no folder looks whole that is not.
    fn remove_result(&self) -> Result<(), RecordError> {
        for name in [RESULT_JSON, SUMS, BLOCKS_PARQUET] {
            remove_file(&self.path.join(name))?;
        }
        let histograms = self.path.join(HISTOGRAMS);
        match fs::remove_dir_all(&histograms) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(os("remove the earlier folder", &histograms)(error))
            }
            _ => Ok(()),
        }
    }
}

/// Writes a file whole, or not at all, and makes it durable with its name.
pub(in crate::measure) fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), RecordError> {
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    let write = || {
        let mut file = File::create(&partial)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(os("write the file", &partial))?;
    fs::rename(&partial, path).map_err(os("put in place the file", path))?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(os("make durable the folder", folder))
}

fn is_empty(folder: &Path) -> Result<bool, RecordError> {
    let mut entries = fs::read_dir(folder).map_err(os("list the folder", folder))?;
    Ok(entries.next().is_none())
}

fn lock(marker: &File, folder: &Path) -> Result<(), RecordError> {
    match marker.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(RecordError::InUse {
            path: folder.to_owned(),
        }),
        Err(TryLockError::Error(error)) => Err(os("lock", folder)(error)),
    }
}

fn remove_file(path: &Path) -> Result<(), RecordError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(os("remove the earlier file", path)(error))
        }
        _ => Ok(()),
    }
}
