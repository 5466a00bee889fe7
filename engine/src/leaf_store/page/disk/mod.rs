//! A folder of files: what the page store asks of the operating system.

mod os;

pub(crate) use os::{OsDisk, OsOptions};

use super::super::StoreError;

/// A folder of files with positioned reads and writes: what the page store asks of the operating system.
pub(crate) trait Disk: Send + Sync + 'static {
    /// A file of the folder. It may outlive its own name.
    type File: DiskFile;
    /// Opens a file of the folder, creating an empty one if it is absent.
    fn open(&self, name: &str) -> Result<Self::File, StoreError>;
    /// Removes a file.
    fn remove(&self, name: &str) -> Result<(), StoreError>;
    /// Names of all files, sorted.
    fn list(&self) -> Result<Vec<String>, StoreError>;
    /// Makes creations and removals durable.
    fn sync_folder(&self) -> Result<(), StoreError>;
}

/// An open file.
pub(crate) trait DiskFile: Send + Sync + 'static {
    /// Bytes in the file.
    fn len(&self) -> Result<u64, StoreError>;
    /// Fills `buffer`; an end of file before that is `StoreError::Corrupt` (says offset, wanted, got).
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), StoreError>;
    /// Many reads, in flight together. The results come in the order of the requests.
    fn read_many(&self, requests: &[(u64, usize)]) -> Vec<Result<Vec<u8>, StoreError>>;
    /// Writes all of `bytes`, making the file longer where it must.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<(), StoreError>;
    /// Cuts the file, or makes it longer by zeros.
    fn set_len(&self, len: u64) -> Result<(), StoreError>;
    /// fdatasync.
    fn sync(&self) -> Result<(), StoreError>;
    /// What this handle has done.
    fn counters(&self) -> DiskCounters;
}

/// What a file's handle has done. All numbers only grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct DiskCounters {
    pub(crate) reads: u64,
    pub(crate) read_bytes: u64,
    pub(crate) writes: u64,
    pub(crate) written_bytes: u64,
    pub(crate) syncs: u64,
}
