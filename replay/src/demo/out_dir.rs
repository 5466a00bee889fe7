//! The folder that a demo leaves behind.
//!
//! ```text
//! OUT/store/                 the store, with the file THINSTATE-DEMO among its own
//! OUT/blocks.csv             one row for each block, written as the blocks are executed
//! OUT/result.json            the result: written last, under another name, then renamed
//! ```
//!
//! A folder with a `result.json` is complete: a new run removes the old one before it does anything
//! else. A store is removed only where the marker says that a demo has made it; the marker is locked
//! for as long as the demo runs.

use super::error::OutDirError;
use std::{
    fs::{self, File, TryLockError},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

const MARKER: &str = "THINSTATE-DEMO";
const MARKER_TEXT: &str =
    "made by `thinstate demo`, which will remove this folder when it is run again\n";

/// The folder, locked, with a new store folder in it.
#[derive(Debug)]
pub struct OutDir {
    path: PathBuf,
    /// Held open: its lock ends with it.
    _marker: File,
}

impl OutDir {
    /// Makes the folder, and removes what an earlier demo has left in it.
    pub fn create(path: &Path) -> Result<Self, OutDirError> {
        let store = path.join("store");
        fs::create_dir_all(path).map_err(os("create the folder", path))?;
        if is_there(&store)? {
            remove_store(&store)?;
        }
        remove_file(&path.join("result.json"))?;
        remove_file(&path.join("blocks.csv"))?;
        fs::create_dir(&store).map_err(os("create the folder", &store))?;
        let marker = store.join(MARKER);
        let mut file = File::create_new(&marker).map_err(os("create the file", &marker))?;
        lock(&file, &store)?;
        file.write_all(MARKER_TEXT.as_bytes())
            .map_err(os("write the file", &marker))?;
        Ok(Self {
            path: path.to_owned(),
            _marker: file,
        })
    }

    /// Where the store lies.
    pub fn store(&self) -> PathBuf {
        self.path.join("store")
    }

    /// Where the rows of the blocks lie.
    pub fn blocks_csv(&self) -> PathBuf {
        self.path.join("blocks.csv")
    }

    /// Where the result lies.
    pub fn result_json(&self) -> PathBuf {
        self.path.join("result.json")
    }

    /// Writes the result: whole or not at all.
    pub(super) fn write_result(&self, json: &[u8]) -> Result<(), OutDirError> {
        let partial = self.path.join("result.json.partial");
        let write = || {
            let mut file = File::create(&partial)?;
            file.write_all(json)?;
            file.sync_all()
        };
        write().map_err(os("write the file", &partial))?;
        let result = self.result_json();
        fs::rename(&partial, &result).map_err(os("put in place the file", &result))
    }
}

/// An error of the operating system, with what it refused.
pub(super) fn os<'a>(
    action: &'static str,
    path: &'a Path,
) -> impl FnOnce(io::Error) -> OutDirError + 'a {
    move |source| OutDirError::Os {
        action,
        path: path.to_owned(),
        source,
    }
}

/// Whether there is anything under this name, a dangling link included.
fn is_there(path: &Path) -> Result<bool, OutDirError> {
    match fs::symlink_metadata(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(os("look at", path)(error)),
    }
}

/// Removes a store that a demo has made and none is using.
fn remove_store(store: &Path) -> Result<(), OutDirError> {
    let not_ours = || OutDirError::NotOurs {
        path: store.to_owned(),
        marker: MARKER,
    };
    let metadata = fs::symlink_metadata(store).map_err(os("look at", store))?;
    if !metadata.is_dir() {
        return Err(not_ours());
    }
    match File::open(store.join(MARKER)) {
        Ok(marker) => lock(&marker, store)?,
        // What a demo leaves that was killed before it came to the marker.
        Err(_) if is_empty(store)? => {}
        Err(_) => return Err(not_ours()),
    }
    fs::remove_dir_all(store).map_err(os("remove the earlier store", store))
}

fn is_empty(folder: &Path) -> Result<bool, OutDirError> {
    let mut entries = fs::read_dir(folder).map_err(os("list the folder", folder))?;
    Ok(entries.next().is_none())
}

fn lock(marker: &File, store: &Path) -> Result<(), OutDirError> {
    match marker.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(OutDirError::InUse {
            path: store.to_owned(),
        }),
        Err(TryLockError::Error(error)) => Err(os("lock", store)(error)),
    }
}

fn remove_file(path: &Path) -> Result<(), OutDirError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(os("remove the earlier file", path)(error))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

    use super::*;

    #[test]
    fn a_folder_of_others_is_not_removed() {
        let out = tempfile::tempdir().unwrap();
        let precious = out.path().join("store/precious");
        fs::create_dir(out.path().join("store")).unwrap();
        fs::write(&precious, "mine").unwrap();
        let refused = OutDir::create(out.path());
        assert!(matches!(refused, Err(OutDirError::NotOurs { .. })));
        assert_eq!(fs::read_to_string(precious).unwrap(), "mine");
    }

    #[test]
    fn a_link_is_not_followed() {
        let out = tempfile::tempdir().unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        let marker = elsewhere.path().join(MARKER);
        fs::write(&marker, "").unwrap();
        std::os::unix::fs::symlink(elsewhere.path(), out.path().join("store")).unwrap();
        let refused = OutDir::create(out.path());
        assert!(matches!(refused, Err(OutDirError::NotOurs { .. })));
        assert!(marker.exists());
    }

    #[test]
    fn a_store_in_use_is_not_removed() {
        let out = tempfile::tempdir().unwrap();
        let first = OutDir::create(out.path()).unwrap();
        let refused = OutDir::create(out.path());
        assert!(matches!(refused, Err(OutDirError::InUse { .. })));
        drop(first);
        OutDir::create(out.path()).unwrap();
    }

    #[test]
    fn an_old_result_does_not_outlive_the_start_of_a_new_run() {
        let out = tempfile::tempdir().unwrap();
        let first = OutDir::create(out.path()).unwrap();
        first.write_result(b"{}").unwrap();
        fs::write(first.store().join("000001.sst"), "old").unwrap();
        drop(first);
        let second = OutDir::create(out.path()).unwrap();
        assert!(!second.result_json().exists());
        assert_eq!(fs::read_dir(second.store()).unwrap().count(), 1);
    }

    #[test]
    fn what_was_killed_at_its_start_is_not_in_the_way() {
        let out = tempfile::tempdir().unwrap();
        fs::create_dir(out.path().join("store")).unwrap();
        OutDir::create(out.path()).unwrap();
    }
}
