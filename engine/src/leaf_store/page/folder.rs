//! The folder of the store, whatever disk it is on.

use super::super::StoreError;
use super::disk::{Disk, DiskFile};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A file of whatever disk.
pub(super) type SharedFile = Arc<dyn DiskFile>;

/// A [`Disk`] with its files behind pointers, so that the rest of the store has one type.
trait AnyDisk: Send + Sync {
    fn open(&self, name: &str) -> Result<SharedFile, StoreError>;
    fn remove(&self, name: &str) -> Result<(), StoreError>;
    fn list(&self) -> Result<Vec<String>, StoreError>;
    fn sync_folder(&self) -> Result<(), StoreError>;
}

impl<D: Disk> AnyDisk for D {
    fn open(&self, name: &str) -> Result<SharedFile, StoreError> {
        Ok(Arc::new(Disk::open(self, name)?))
    }

    fn remove(&self, name: &str) -> Result<(), StoreError> {
        Disk::remove(self, name)
    }

    fn list(&self) -> Result<Vec<String>, StoreError> {
        Disk::list(self)
    }

    fn sync_folder(&self) -> Result<(), StoreError> {
        Disk::sync_folder(self)
    }
}

/// Name of the file of pages.
pub(super) const PAGES: &str = "pages";
const LOG_PREFIX: &str = "log-";

/// Number of a log segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SegmentId(pub(super) u64);

impl SegmentId {
    pub(super) fn next(self) -> Self {
        Self(self.0 + 1)
    }

    pub(super) fn file_name(self) -> String {
        format!("{LOG_PREFIX}{:08}", self.0)
    }

    fn of_file(name: &str) -> Option<Self> {
        let number = name.strip_prefix(LOG_PREFIX)?.parse().ok().map(Self)?;
        (number.file_name() == name).then_some(number)
    }
}

/// The folder of a store.
pub(super) struct Folder {
    disk: Box<dyn AnyDisk>,
    path: PathBuf,
}

impl Folder {
    pub(super) fn new(disk: impl Disk, path: &Path) -> Self {
        Self {
            disk: Box::new(disk),
            path: path.to_owned(),
        }
    }

    /// Where it is, for messages.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn pages(&self) -> Result<SharedFile, StoreError> {
        self.disk.open(PAGES)
    }

    pub(super) fn segment(&self, segment: SegmentId) -> Result<SharedFile, StoreError> {
        self.disk.open(&segment.file_name())
    }

    pub(super) fn remove_segment(&self, segment: SegmentId) -> Result<(), StoreError> {
        self.disk.remove(&segment.file_name())
    }

    /// Numbers of all log segments, ascending.
    pub(super) fn segments(&self) -> Result<Vec<SegmentId>, StoreError> {
        let names = self.disk.list()?;
        let mut segments: Vec<_> = names
            .iter()
            .filter_map(|name| SegmentId::of_file(name))
            .collect();
        segments.sort_unstable();
        Ok(segments)
    }

    pub(super) fn sync(&self) -> Result<(), StoreError> {
        self.disk.sync_folder()
    }
}
