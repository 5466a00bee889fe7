//! A file of the operating system, and what was done with it.

use super::super::super::super::StoreError;
use super::super::counters::FileCounters;
use super::super::{DiskCounters, DiskFile, failure};
use super::{Handle, Lock, Readers};
use std::sync::Arc;

/// A file of an [`OsDisk`](super::OsDisk).
#[derive(Debug)]
pub(crate) struct OsFile {
    /// Shared with threads that read for [`DiskFile::read_many`].
    handle: Arc<Handle>,
    readers: Arc<Readers>,
    counters: FileCounters,
    /// The folder stays locked while a file of it is open.
    _lock: Arc<Lock>,
}

impl OsFile {
    pub(super) fn new(handle: Handle, readers: &Arc<Readers>, lock: &Arc<Lock>) -> Self {
        Self {
            handle: Arc::new(handle),
            readers: Arc::clone(readers),
            counters: FileCounters::default(),
            _lock: Arc::clone(lock),
        }
    }

    /// Whether whole blocks go past the page cache.
    #[cfg(test)]
    pub(crate) fn is_direct(&self) -> bool {
        self.handle.direct().is_some()
    }
}

impl DiskFile for OsFile {
    fn len(&self) -> Result<u64, StoreError> {
        self.handle.len()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), StoreError> {
        self.handle.read(offset, buffer)?;
        self.counters.read(buffer.len());
        Ok(())
    }

    fn read_many(&self, requests: &[(u64, usize)]) -> Vec<Result<Vec<u8>, StoreError>> {
        let answers = self.readers.read(&self.handle, requests);
        for bytes in answers.iter().flatten() {
            self.counters.read(bytes.len());
        }
        answers
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<(), StoreError> {
        self.handle.write(offset, bytes)?;
        self.counters.wrote(bytes.len());
        Ok(())
    }

    fn set_len(&self, len: u64) -> Result<(), StoreError> {
        let cut = self.handle.cached.set_len(len);
        cut.map_err(|error| failure::of("set length", &self.handle.path, &error))
    }

    fn sync(&self) -> Result<(), StoreError> {
        let synced = self.handle.cached.sync_data();
        synced.map_err(|error| failure::of("sync", &self.handle.path, &error))?;
        self.counters.synced();
        Ok(())
    }

    fn counters(&self) -> DiskCounters {
        self.counters.get()
    }
}
