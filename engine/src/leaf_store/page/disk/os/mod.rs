//! Files of the operating system.
//!
//! The folder holds the file `LOCK` beside the store's own: whoever has it locked has the store.
//!
//! One file can be read and written past the operating system's page cache (`O_DIRECT`): the store
//! has a cache of its own, and what the device does is then what the counters say. Where the file
//! system refuses that, the file is read and written as the others are. Such a file has two
//! handles: requests that begin and end at multiples of 4096 bytes go past the page cache, others
//! through it; the kernel keeps the two in step.

mod cover;
mod file;
mod handle;
mod lock;
mod pool;
mod readers;
#[cfg(target_os = "linux")]
mod rings;

pub(crate) use file::OsFile;

use super::super::super::StoreError;
use super::{Disk, failure};
use handle::Handle;
use lock::Lock;
use readers::Readers;
use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

/// How an [`OsDisk`] works.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OsOptions {
    /// The file that is read and written past the page cache, where the file system allows it.
    pub(crate) direct_file: Option<&'static str>,
    /// Whether many reads go through io_uring, where the kernel lets this process use it.
    pub(crate) io_uring: bool,
}

impl Default for OsOptions {
    fn default() -> Self {
        Self {
            direct_file: None,
            io_uring: true,
        }
    }
}

/// A folder of the operating system.
#[derive(Debug)]
pub(crate) struct OsDisk {
    folder: PathBuf,
    options: OsOptions,
    readers: Arc<Readers>,
    lock: Arc<Lock>,
}

impl OsDisk {
    /// Takes the folder, which is made if it is missing, or is refused with
    /// [`StoreError::Locked`].
    pub(crate) fn open(folder: &Path, options: OsOptions) -> Result<Self, StoreError> {
        if !folder.is_dir() {
            create_folder(folder)?;
        }
        Ok(Self {
            folder: folder.to_owned(),
            options,
            lock: Arc::new(Lock::acquire(folder)?),
            readers: Arc::new(Readers::new(options.io_uring)),
        })
    }

    /// What many reads go through: "io_uring" or "threads".
    pub(crate) fn read_method(&self) -> &'static str {
        self.readers.name()
    }
}

impl Disk for OsDisk {
    type File = OsFile;

    fn open(&self, name: &str) -> Result<OsFile, StoreError> {
        let direct = self.options.direct_file == Some(name);
        let handle = Handle::open(self.folder.join(name), direct)?;
        Ok(OsFile::new(handle, &self.readers, &self.lock))
    }

    fn remove(&self, name: &str) -> Result<(), StoreError> {
        let path = self.folder.join(name);
        fs::remove_file(&path).map_err(|error| failure::of("remove", &path, &error))
    }

    fn list(&self) -> Result<Vec<String>, StoreError> {
        names(&self.folder).map_err(|error| failure::of("list folder", &self.folder, &error))
    }

    fn sync_folder(&self) -> Result<(), StoreError> {
        sync_folder(&self.folder)
    }
}

/// Makes the folder, and what it lies in; durably, as far as that can be.
fn create_folder(folder: &Path) -> Result<(), StoreError> {
    fs::create_dir_all(folder).map_err(|error| failure::of("create folder", folder, &error))?;
    match folder.parent() {
        Some(parent) if parent.as_os_str().is_empty() => sync_folder(Path::new(".")),
        Some(parent) => sync_folder(parent),
        None => Ok(()),
    }
}

fn sync_folder(folder: &Path) -> Result<(), StoreError> {
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|error| failure::of("sync folder", folder, &error))
}

/// Names of the files, sorted; one that is not text is none of the store's.
fn names(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if !entry.file_type()?.is_file() || entry.file_name() == lock::NAME {
            continue;
        }
        names.extend(entry.file_name().into_string());
    }
    names.sort();
    Ok(names)
}
