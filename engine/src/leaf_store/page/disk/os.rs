//! Plain files.

use super::super::super::StoreError;
use super::{Disk, DiskCounters, DiskFile};
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// How an [`OsDisk`] works.
pub(crate) struct OsOptions {
    pub(crate) direct_file: Option<&'static str>,
    pub(crate) io_uring: bool,
}

/// A folder of the operating system.
pub(crate) struct OsDisk {
    folder: PathBuf,
}

impl OsDisk {
    pub(crate) fn open(folder: &Path, _: OsOptions) -> Result<Self, StoreError> {
        fs::create_dir_all(folder).map_err(|error| failed("create folder", folder, &error))?;
        Ok(Self {
            folder: folder.to_owned(),
        })
    }
}

/// A file of an [`OsDisk`].
pub(crate) struct OsFile {
    file: File,
    path: PathBuf,
    counters: [AtomicU64; 5],
}

fn failed(operation: &'static str, path: &Path, error: &io::Error) -> StoreError {
    let (path, message) = (path.to_owned(), error.to_string());
    match error.kind() {
        io::ErrorKind::StorageFull => StoreError::NoSpace {
            operation,
            path,
            message,
        },
        io::ErrorKind::UnexpectedEof => StoreError::Corrupt { path, message },
        _ => StoreError::Io {
            operation,
            path,
            message,
        },
    }
}

impl Disk for OsDisk {
    type File = OsFile;

    fn open(&self, name: &str) -> Result<OsFile, StoreError> {
        let path = self.folder.join(name);
        let file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|error| failed("open", &path, &error))?;
        Ok(OsFile {
            file,
            path,
            counters: Default::default(),
        })
    }

    fn remove(&self, name: &str) -> Result<(), StoreError> {
        let path = self.folder.join(name);
        fs::remove_file(&path).map_err(|error| failed("remove", &path, &error))
    }

    fn list(&self) -> Result<Vec<String>, StoreError> {
        let failed = |error| failed("list", &self.folder, &error);
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(failed)? {
            names.push(
                entry
                    .map_err(failed)?
                    .file_name()
                    .to_string_lossy()
                    .into_owned(),
            );
        }
        names.sort();
        Ok(names)
    }

    fn sync_folder(&self) -> Result<(), StoreError> {
        File::open(&self.folder)
            .and_then(|folder| folder.sync_all())
            .map_err(|error| failed("sync", &self.folder, &error))
    }
}

impl OsFile {
    fn count(&self, operations: usize, bytes: Option<usize>) {
        self.counters[operations].fetch_add(1, Relaxed);
        if let Some(bytes) = bytes {
            self.counters[operations + 1].fetch_add(bytes as u64, Relaxed);
        }
    }

    fn failed(&self, operation: &'static str) -> impl Fn(io::Error) -> StoreError {
        move |error| failed(operation, &self.path, &error)
    }
}

impl DiskFile for OsFile {
    fn len(&self) -> Result<u64, StoreError> {
        let metadata = self.file.metadata().map_err(self.failed("stat"))?;
        Ok(metadata.len())
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), StoreError> {
        self.count(0, Some(buffer.len()));
        self.file
            .read_exact_at(buffer, offset)
            .map_err(self.failed("read"))
    }

    fn read_many(&self, requests: &[(u64, usize)]) -> Vec<Result<Vec<u8>, StoreError>> {
        let read = |(offset, len): &(u64, usize)| {
            let mut bytes = vec![0; *len];
            self.read_at(*offset, &mut bytes).map(|()| bytes)
        };
        requests.iter().map(read).collect()
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<(), StoreError> {
        self.count(2, Some(bytes.len()));
        self.file
            .write_all_at(bytes, offset)
            .map_err(self.failed("write"))
    }

    fn set_len(&self, len: u64) -> Result<(), StoreError> {
        self.file.set_len(len).map_err(self.failed("set length"))
    }

    fn sync(&self) -> Result<(), StoreError> {
        self.count(4, None);
        self.file.sync_data().map_err(self.failed("sync"))
    }

    fn counters(&self) -> DiskCounters {
        let [reads, read_bytes, writes, written_bytes, syncs] =
            [0, 1, 2, 3, 4].map(|index| self.counters[index].load(Relaxed));
        DiskCounters {
            reads,
            read_bytes,
            writes,
            written_bytes,
            syncs,
        }
    }
}
