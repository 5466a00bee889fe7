//! The permanent tier: accounts, slots and code over a leaf store.

use super::{
    error::{CommitError, OpenError},
    expiry::ExpiryState,
    head::{BlockId, Head},
    interiors::Interiors,
    options::Options,
    threads::Threads,
    view::View,
};
use crate::{
    archive::expired::ExpiredArchive,
    leaf_store::{IoCounters, LeafStore, StoreError, Table, TableStats},
    trie::{
        interior::{Branch, InteriorSize},
        leaf_hashes::LeafHashes,
    },
};
use rayon::ThreadPool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use thinstate_formats::{StateChanges, keccak::BatchHasher};

/// After a batch of so many changes the state before it, whose branches are a work to give back, is dropped
/// by another thread.
const CHANGES_LARGE: usize = 1_000;

/// Accounts, code and storage in Ethereum's Merkle-Patricia trie, on disk.
///
/// All methods take `&self`. Any number of threads read through [`View`]s; changes exclude one
/// another. A view is taken at once, except while a commit is being made durable.
///
/// A change waits for threads of the tier's own while it excludes the others. A thread of a rayon pool that waits
/// takes up other tasks of its pool: if one of those changed the tier as well, it would wait for itself. So tasks
/// of one pool may read, and one of them change the tier, but not several.
#[derive(Debug)]
pub struct PermanentTier<S: LeafStore> {
    pub(crate) shared: Shared<S>,
}

/// What the tier and its views have in common.
#[derive(Debug)]
pub(crate) struct Shared<S> {
    pub(crate) store: S,
    pub(crate) options: Options,
    pub(crate) hasher: BatchHasher,
    /// Hashes of leaves in buckets, where memory is given for them.
    pub(crate) leaf_hashes: Option<LeafHashes>,
    pub(crate) pool: Arc<ThreadPool>,
    /// Where expired leaves are, where they are kept.
    pub(crate) archive: Option<Arc<ExpiredArchive>>,
    /// The committed state; held for writing from the commit of the store to its publication, so
    /// that no view pairs the one with the other's predecessor.
    published: RwLock<Arc<State>>,
    writer: Mutex<()>,
}

/// What is held in memory of one state.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) head: Head,
    /// Interior of the account trie; `None` where it is at most one bucket.
    pub(crate) accounts: Option<Arc<Branch>>,
    pub(crate) storage: Interiors,
    pub(crate) expiry: Arc<ExpiryState>,
    /// Whether `expiry` is what the store holds.
    pub(crate) expiry_saved: bool,
}

impl<S: LeafStore> PermanentTier<S> {
    /// Opens the state in `store`, which may be new and empty. The interior is computed from the
    /// leaves and checked against the committed root: one scan of all accounts, two of the slots.
    pub fn open(store: S, options: Options) -> Result<Self, OpenError> {
        options.check()?;
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(options.threads.unwrap_or(0))
            .thread_name(|n| format!("thinstate-{n}"))
            .build()
            .map_err(|error| OpenError::Threads(error.to_string()))?;
        let hasher = options.hasher();
        let state = super::open::load(&store, &options, &hasher, &pool)?;
        let archive = match &options.archive {
            None => None,
            Some(dir) => {
                let bytes = options.archive_segment_bytes;
                Some(Arc::new(ExpiredArchive::open(
                    dir,
                    state.expiry.tip,
                    bytes,
                )?))
            }
        };
        let shared = Shared {
            store,
            leaf_hashes: options.leaf_hashes(),
            options,
            hasher,
            pool: Arc::new(pool),
            archive,
            published: RwLock::new(Arc::new(state)),
            writer: Mutex::new(()),
        };
        Ok(Self { shared })
    }

    /// The state as of the last commit.
    pub fn view(&self) -> View<'_, S> {
        self.shared.view()
    }

    /// The last committed block and its root.
    pub fn head(&self) -> Head {
        self.shared.state().head
    }

    /// Prepares and commits a block. See [`Self::prepare`], [`Self::commit`].
    pub fn apply(
        &self,
        block: BlockId,
        changes: &StateChanges,
    ) -> Result<super::CommitReport, CommitError> {
        let prepared = self.prepare(changes)?;
        self.commit(block, prepared)
    }

    /// What the leaf store has done since it was opened.
    pub fn counters(&self) -> IoCounters {
        self.shared.store.counters()
    }

    /// Size of one table of the leaf store.
    pub fn table_stats(&self, table: Table) -> Result<TableStats, StoreError> {
        self.shared.store.table_stats(table)
    }

    /// Memory that the interiors of all tries take: of the account trie, and of storage tries.
    pub fn interior_size(&self) -> (InteriorSize, InteriorSize) {
        let state = self.shared.state();
        let accounts = state
            .accounts
            .as_ref()
            .map(|a| a.size())
            .unwrap_or_default();
        (accounts, state.storage.size())
    }

    /// Memory that the hashes of leaves take, at most [`Options::leaf_hash_bytes_max`].
    pub fn leaf_hash_bytes(&self) -> u64 {
        self.shared
            .leaf_hashes
            .as_ref()
            .map_or(0, LeafHashes::bytes)
    }

    /// The threads for reading and hashing.
    pub(crate) fn pool(&self) -> &Arc<ThreadPool> {
        &self.shared.pool
    }

    /// The archive of expired leaves; `None` where the store has none.
    pub fn archive(&self) -> Option<&Arc<ExpiredArchive>> {
        self.shared.archive.as_ref()
    }

    /// Settles the leaf store; see [`LeafStore::compact`].
    pub fn compact(&self) -> Result<(), StoreError> {
        self.shared.store.compact()
    }

    /// The leaf store, to be asked for what only it knows.
    pub const fn leaf_store(&self) -> &S {
        &self.shared.store
    }

    /// Writes all that the leaf store holds in memory; see [`LeafStore::flush`].
    pub fn flush(&self) -> Result<(), StoreError> {
        self.shared.store.flush()
    }

    /// Makes a batch of other tiers durable. The permanent state stays as it is.
    pub(crate) fn commit_beside(&self, batch: crate::leaf_store::Batch) -> Result<(), StoreError> {
        let _writer = self.shared.writer();
        self.shared.store.commit(batch)
    }

    /// The leaf store, when nothing else is to be done with the tier.
    pub fn into_store(self) -> S {
        self.shared.store
    }
}

impl<S: LeafStore> Shared<S> {
    /// Who does the work of a block.
    pub(super) fn threads(&self) -> Threads<'_> {
        Threads(&self.pool)
    }

    pub(crate) fn view(&self) -> View<'_, S> {
        let published = self
            .published
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        View {
            shared: self,
            snapshot: self.store.snapshot(),
            state: Arc::clone(&published),
        }
    }

    pub(crate) fn state(&self) -> Arc<State> {
        let published = self
            .published
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&published)
    }

    /// Excludes every other writer.
    pub(crate) fn writer(&self) -> MutexGuard<'_, ()> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a batch durable and its state the published one, or neither.
    pub(crate) fn publish(
        &self,
        batch: crate::leaf_store::Batch,
        state: State,
    ) -> Result<(), StoreError> {
        let mut published = self
            .published
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let changes = batch.len();
        self.store.commit(batch)?;
        let old = core::mem::replace(&mut *published, Arc::new(state));
        drop(published);
        if changes >= CHANGES_LARGE {
            self.pool.spawn(move || drop(old));
        }
        Ok(())
    }

    /// Shows a state that differs from the published one in nothing that must be durable.
    pub(crate) fn publish_unsaved(&self, state: State) {
        let mut published = self
            .published
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *published = Arc::new(state);
    }
}
