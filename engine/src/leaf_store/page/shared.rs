//! What all parts of a store share: files, cache, the newest state, counters.

use super::super::cold;
use super::super::counters::LogicalCounters;
use super::super::{StoreError, Table};
use super::allocator::Allocator;
use super::cache::Cache;
use super::checkpoint::Durable;
use super::extent::Extent;
use super::folder::{Folder, PAGES, SharedFile};
use super::ids::{PageId, Run};
use super::leaf::{self, Page};
use super::log::LogWriter;
use super::options::PageOptions;
use super::signal::Signal;
use super::tree::State;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};
use std::thread;

/// Pages that one read brings at most, where they are neighbours.
const READ_PAGES_MAX: u32 = 64;

/// The store but for its thread.
pub(super) struct Core {
    pub(super) folder: Folder,
    pub(super) file: SharedFile,
    pub(super) page_bytes: usize,
    pub(super) options: PageOptions,
    pub(super) cache: Cache,
    /// Memory of changes that may wait before a checkpoint begins.
    pub(super) pending_max: AtomicU64,
    pub(super) logical: LogicalCounters,
    pub(super) work: Work,
    pub(super) signal: Signal,
    pub(super) allocator: Mutex<Allocator>,
    /// Whoever holds it may commit, or change the state otherwise.
    pub(super) writer: Mutex<LogWriter>,
    /// Whoever holds it may run a checkpoint. Taken before `writer`.
    pub(super) durable: Mutex<Durable>,
    pub(super) state: RwLock<Arc<State>>,
    pub(super) poison: OnceLock<String>,
    /// What poisoned the store, while nobody has been told: the next to be refused gets it.
    pub(super) untold: Mutex<Option<StoreError>>,
}

/// Locks, also after a panic elsewhere: what is behind these locks is whole between any two steps,
/// or the store is poisoned.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Core {
    /// The state as of the last commit.
    pub(super) fn state(&self) -> Arc<State> {
        Arc::clone(&self.state.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Divides what the directory leaves.
    pub(super) fn divide_memory(&self) {
        let shares = self.options.beside(self.state().directory_bytes());
        self.cache.resize(shares.page_bytes);
        self.pending_max.store(shares.pending_bytes, Relaxed);
    }

    /// Makes a state the newest. For the holder of `writer`.
    pub(super) fn publish(&self, state: State) {
        let state = Arc::new(state);
        let old = {
            let mut newest = self.state.write().unwrap_or_else(PoisonError::into_inner);
            core::mem::replace(&mut *newest, state)
        };
        // Its memory is given back without the lock.
        drop(old);
    }

    pub(super) fn refuse_poisoned(&self) -> Result<(), StoreError> {
        let Some(cause) = self.poison.get() else {
            return Ok(());
        };
        Err(lock(&self.untold)
            .take()
            .unwrap_or_else(|| StoreError::Poisoned {
                cause: cause.clone(),
            }))
    }

    /// No commit will be taken any more, because of `error`, which the caller gets.
    pub(super) fn fail(&self, error: StoreError) -> StoreError {
        let mut untold = lock(&self.untold);
        *untold = None;
        self.poison.get_or_init(|| error.to_string());
        drop(untold);
        self.signal.changed();
        error
    }

    /// The same where no caller waits for it.
    pub(super) fn fail_untold(&self, error: StoreError) {
        let mut untold = lock(&self.untold);
        if self.poison.set(error.to_string()).is_ok() {
            *untold = Some(error);
        }
        drop(untold);
        self.signal.changed();
    }

    /// Largest key.
    pub(super) fn key_bytes_max(&self) -> usize {
        leaf::quarter(self.page_bytes)
    }

    /// A page, from the cache or the file.
    pub(super) fn page(&self, table: Table, id: PageId) -> Result<Arc<Page>, StoreError> {
        if let Some(page) = self.cache.get(id) {
            self.work.page_hits.fetch_add(1, Relaxed);
            return Ok(page);
        }
        let mut bytes = vec![0; self.page_bytes];
        self.read(id, &mut bytes)?;
        let page = self.decode(table, id, bytes)?;
        self.cache.insert(id, Arc::clone(&page));
        Ok(page)
    }

    fn decode(&self, table: Table, id: PageId, bytes: Vec<u8>) -> Result<Arc<Page>, StoreError> {
        let page = Page::decode(bytes, id, table).map_err(|malformed| {
            let place = format!("page {} of table {}", id.0, table.name());
            malformed.at(self.folder.path(), PAGES, place)
        })?;
        Ok(Arc::new(page))
    }

    fn read(&self, id: PageId, bytes: &mut [u8]) -> Result<(), StoreError> {
        self.work.read(bytes.len(), self.page_bytes);
        self.file.read_at(id.offset(self.page_bytes), bytes)
    }

    /// Reads these pages from the file, past the cache; neighbours in one request. The pages come
    /// in the order of their numbers, each once.
    pub(super) fn read_pages(
        &self,
        table: Table,
        ids: Vec<PageId>,
    ) -> Result<Vec<(PageId, Arc<Page>)>, StoreError> {
        self.read_runs(table, &self.runs_of(ids))
    }

    /// The runs of neighbours that these pages are, each for one request. They are counted as read, by the thread
    /// that asks.
    pub(super) fn runs_of(&self, mut ids: Vec<PageId>) -> Vec<Run> {
        ids.sort_unstable();
        ids.dedup();
        let mut runs: Vec<Run> = Vec::new();
        for id in ids {
            match runs.last_mut() {
                Some(run) if run.end() == id.0 && run.pages < READ_PAGES_MAX => run.pages += 1,
                _ => runs.push(Run::one(id)),
            }
        }
        for run in &runs {
            let (_, bytes) = run.place(self.page_bytes);
            self.work.read(bytes, self.page_bytes);
        }
        runs
    }

    /// Reads the pages of these runs, in their order, with all requests in flight together.
    pub(super) fn read_runs(
        &self,
        table: Table,
        runs: &[Run],
    ) -> Result<Vec<(PageId, Arc<Page>)>, StoreError> {
        let requests: Vec<_> = runs.iter().map(|run| run.place(self.page_bytes)).collect();
        let mut pages = Vec::with_capacity(runs.iter().map(|run| run.pages as usize).sum());
        for (run, bytes) in runs.iter().zip(self.file.read_many(&requests)) {
            let bytes = bytes?;
            if run.pages == 1 {
                let id = PageId(run.start);
                pages.push((id, self.decode(table, id, bytes)?));
                continue;
            }
            for (id, page) in (run.start..).zip(bytes.chunks_exact(self.page_bytes)) {
                let id = PageId(id);
                pages.push((id, self.decode(table, id, page.to_vec())?));
            }
        }
        Ok(pages)
    }

    /// The bytes of an extent; `what` they are, for messages.
    pub(super) fn extent(&self, extent: Extent, what: &str) -> Result<Vec<u8>, StoreError> {
        // Whole pages, which a direct read can take.
        let pages = extent.run(self.page_bytes).pages as usize;
        let mut bytes = vec![0; pages * self.page_bytes];
        self.read(extent.start, &mut bytes)?;
        bytes.truncate(extent.bytes as usize);
        extent.check(&bytes).map_err(|malformed| {
            let place = format!("{what} at page {}", extent.start.0);
            malformed.at(self.folder.path(), PAGES, place)
        })?;
        Ok(bytes)
    }

    /// Writes pages from `id` on.
    pub(super) fn write(&self, id: PageId, bytes: &[u8]) -> Result<(), StoreError> {
        self.file.write_at(id.offset(self.page_bytes), bytes)
    }

    /// The file cannot have more pages.
    pub(super) fn full(&self) -> StoreError {
        StoreError::NoSpace {
            operation: "allocate pages",
            path: self.folder.path().join(PAGES),
            message: format!("the file has all {} pages that it can have", u32::MAX),
        }
    }
}

/// Poisons the store if what it guards panics: nobody knows how far that came, and commits may wait for it.
pub(super) struct Unwinding<'a>(pub(super) &'a Core, pub(super) &'static str);

impl Drop for Unwinding<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.fail(StoreError::Io {
                operation: self.1,
                path: self.0.folder.path().to_owned(),
                message: "it panicked".to_owned(),
            });
        }
    }
}

/// What the store has done with its files since it was opened.
#[derive(Debug, Default)]
pub(super) struct Work {
    pub(super) page_reads: AtomicU64,
    pub(super) page_read_bytes: AtomicU64,
    pub(super) page_hits: AtomicU64,
    /// Written to the log.
    pub(super) log_bytes: AtomicU64,
    pub(super) log_writes: AtomicU64,
    pub(super) log_syncs: AtomicU64,
    pub(super) checkpoints: AtomicU64,
    /// Pages that are neither in use nor free yet.
    pub(super) retired_pages: AtomicU64,
}

impl Work {
    fn read(&self, bytes: usize, page_bytes: usize) {
        let pages = bytes.div_ceil(page_bytes) as u64;
        self.page_reads.fetch_add(pages, Relaxed);
        self.page_read_bytes.fetch_add(bytes as u64, Relaxed);
        cold::add(1);
    }
}
