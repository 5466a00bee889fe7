//! A store of pages: a copy-on-write tree of fixed depth, and a log.
//!
//! ```text
//! superblock -> root -> directory chunks -> leaf pages, values too large for a page
//! ```
//!
//! All but the leaf pages is in memory: for each page a separator, its number and a filter. A read
//! of a key that is there costs one page at most; of an absent key mostly none; a range costs its
//! pages, asked for together.
//!
//! A commit is one write to the log and one sync, and nothing else. Its changes wait in memory,
//! beside the pages that they belong to, and a [checkpoint] merges those of many
//! commits into their pages at once, in the background: an update costs its log record, and the
//! write of a page divided by the updates that gathered for it.
//!
//! A snapshot is one pointer to an immutable state. Pages that the durable tree or a snapshot
//! refers to are never written to.
//!
//! | file | holds |
//! |---|---|
//! | `pages` | two superblocks, then pages of `page_bytes`: entries ([`leaf`]), and runs of pages ([`extent`]) with large values, the chunks and the root ([`directory`]) |
//! | `log-NNNNNNNN` | the commits since the last checkpoint began ([`log`]) |
//!
//! After a power cut the newest superblock whose checksum holds names the tree, and the log from
//! its segment on is replayed. Every byte that is read was checksummed when it was written; what
//! does not match is [`StoreError::Corrupt`], never served.
//!
//! | here | is |
//! |---|---|
//! | `disk/`, `folder` | what is asked of the operating system |
//! | `bytes`, `packed`, `separators`, `ids`, `filter`, `workers` | building blocks |
//! | `superblock`, `directory`, `extent`, `leaf`, `log/` | the formats on disk |
//! | `arena`, `deltas`, `tree`, `view` | the state in memory: changes, directory, a page under its changes |
//! | `shared`, `cache`, `ahead`, `allocator`, `signal` | what all parts share |
//! | `snapshot`, `commit`, `fill`, `bulk`, `checkpoint/`, `open`, `stats` | the operations |

mod ahead;
mod allocator;
mod arena;
mod bulk;
mod bytes;
mod cache;
mod checkpoint;
mod commit;
mod deltas;
mod directory;
mod disk;
mod extent;
#[cfg(test)]
mod faults;
mod fill;
mod filter;
mod folder;
mod ids;
mod leaf;
mod log;
mod open;
mod options;
mod packed;
mod separators;
mod shared;
mod signal;
mod snapshot;
mod stats;
mod superblock;
mod tail;
#[cfg(test)]
mod tests;
mod tree;
mod view;
mod workers;

pub use bulk::PageBulk;
pub use options::PageOptions;
pub use snapshot::PageSnapshot;
pub use stats::PageStats;

use super::{Batch, IoCounters, LeafStore, StoreError, Table, TableStats};
use ahead::ReaderThreads;
use checkpoint::Job;
use disk::{Disk, OsDisk, OsOptions};
use shared::Core;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

/// A [`LeafStore`] in a folder of pages and logs.
pub struct PageStore {
    core: Arc<Core>,
    /// Runs checkpoints. Gone only while the store is being dropped.
    worker: Option<JoinHandle<()>>,
    readers: ReaderThreads,
    read_method: &'static str,
}

impl PageStore {
    /// Opens the store in the folder `path`, which is made if it is missing, and recovers what the
    /// last process committed.
    pub fn open(path: impl AsRef<Path>, options: PageOptions) -> Result<Self, StoreError> {
        let path = path.as_ref();
        let disk = OsDisk::open(
            path,
            OsOptions {
                direct_file: options.direct_io.then_some(folder::PAGES),
                io_uring: options.io_uring,
            },
        )?;
        let read_method = disk.read_method();
        let mut store = Self::open_on(disk, path, options)?;
        store.read_method = read_method;
        Ok(store)
    }

    /// The same on any disk; `path` is for messages.
    pub(crate) fn open_on(
        disk: impl Disk,
        path: &Path,
        options: PageOptions,
    ) -> Result<Self, StoreError> {
        let core = Arc::new(Core::open(disk, path, options)?);
        let worker = thread::Builder::new().name("page-store".to_owned()).spawn({
            let core = Arc::clone(&core);
            move || {
                while core.signal.next_request() {
                    core.checkpoint_behind();
                }
            }
        });
        match worker {
            Ok(worker) => Ok(Self {
                core,
                worker: Some(worker),
                readers: ReaderThreads::new(),
                read_method: "one by one",
            }),
            Err(error) => Err(StoreError::Io {
                operation: "start a thread",
                path: path.to_owned(),
                message: error.to_string(),
            }),
        }
    }

    /// The folder.
    pub fn path(&self) -> PathBuf {
        self.core.folder.path().to_owned()
    }

    /// What the store was opened with.
    pub fn options(&self) -> &PageOptions {
        &self.core.options
    }

    /// How many pages are read at once: "io_uring" or "threads".
    pub fn read_method(&self) -> &'static str {
        self.read_method
    }

    /// Where memory and file go.
    pub fn stats(&self) -> PageStats {
        self.core.stats()
    }
}

impl Drop for PageStore {
    fn drop(&mut self) {
        self.core.signal.close();
        if let Some(worker) = self.worker.take() {
            // What was pending is in the log; a panic of the thread has been printed.
            drop(worker.join());
        }
    }
}

impl LeafStore for PageStore {
    type Snapshot<'a> = PageSnapshot<'a>;
    type Bulk<'a> = PageBulk<'a>;

    fn snapshot(&self) -> PageSnapshot<'_> {
        PageSnapshot::new(&self.core, &self.readers)
    }

    fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        self.core.commit(&batch)
    }

    fn bulk_writer(&self, table: Table) -> Result<PageBulk<'_>, StoreError> {
        PageBulk::new(self, table)
    }

    fn counters(&self) -> IoCounters {
        self.core.counters()
    }

    fn table_stats(&self, table: Table) -> Result<TableStats, StoreError> {
        Ok(self.core.table_stats(table))
    }

    fn flush(&self) -> Result<(), StoreError> {
        self.core.checkpoint(Job::default())
    }

    fn compact(&self) -> Result<(), StoreError> {
        self.core.compact()
    }
}
