//! Dropping what the system holds in memory of a store's files.

use super::error::ReplayError;
use rustix::fs::{Advice, fadvise};
use serde::Serialize;
use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

/// The switch that drops all clean pages of the machine; only root may use it.
const SWITCH: &str = "/proc/sys/vm/drop_caches";

/// What was dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Dropped {
    /// Files whose clean pages the system was asked to forget (`posix_fadvise`, `DONTNEED`).
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Whether the machine's whole page cache was dropped too (`/proc/sys/vm/drop_caches`).
    pub whole_machine: bool,
}

/// Drops the pages of all files under a folder, which are written out first, and where it may, those of the
/// whole machine. Files that are mapped keep theirs.
pub fn drop_page_cache(folder: &Path) -> Result<Dropped, ReplayError> {
    let mut dropped = Dropped::default();
    for path in files_under(folder)? {
        let failed = ReplayError::os("drop the cached pages of", &path);
        match forget(&path) {
            Ok(bytes) => {
                dropped.files += 1;
                dropped.bytes += bytes;
            }
            // The store may remove a file at any time.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error)),
        }
    }
    dropped.whole_machine = File::options()
        .write(true)
        .open(SWITCH)
        .and_then(|mut switch| switch.write_all(b"1\n"))
        .is_ok();
    Ok(dropped)
}

/// Writes a file out and asks the system to forget its pages.
fn forget(path: &Path) -> io::Result<u64> {
    let file = File::open(path)?;
    file.sync_data()?;
    fadvise(&file, 0, None, Advice::DontNeed)?;
    Ok(file.metadata()?.len())
}

fn files_under(folder: &Path) -> Result<Vec<PathBuf>, ReplayError> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let failed = || ReplayError::os("list the folder", &folder);
        for entry in fs::read_dir(&folder).map_err(failed())? {
            let entry = entry.map_err(failed())?;
            let kind = entry.file_type().map_err(failed())?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                files.push(entry.path());
            }
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

    use super::*;

    #[test]
    fn no_file_is_left_out() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("inner")).unwrap();
        fs::write(dir.path().join("a"), [1; 5_000]).unwrap();
        fs::write(dir.path().join("inner/b"), [1; 7]).unwrap();
        let dropped = drop_page_cache(dir.path()).unwrap();
        assert_eq!((dropped.files, dropped.bytes), (2, 5_007));
        assert!(drop_page_cache(&dir.path().join("absent")).is_err());
    }
}
