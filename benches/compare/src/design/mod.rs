//! Any key-value store as a design of state that the harness replays on.
//!
//! # What is counted
//!
//! Reads and writes as in every design (`design::tally`), and of the store's own counters those that this
//! layer sees: gets, commits, entries and their bytes. Hashes, blocks and written bytes of the store are not
//! known here and stay zero; those of the device and the process are measured as for any design.
//!
//! # What is timed
//!
//! `state_read` includes the derivation of keys. `state_hash` is the time until the store knew its root (zero
//! where it has none), `commit` the rest of its commit. Values are encoded and sorted by key before both; that
//! time is in `total` alone.

mod apply;
mod fill;
mod read;

use crate::{
    head::Head,
    layout::Layout,
    store::{BoxError, Key, KeyValueStore, StoreOptions},
};
use core::{
    fmt,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};
use rayon::ThreadPool;
use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};
use thinstate_engine::leaf_store::IoCounters;
use thinstate_formats::{BatchHasher, BlockNumber};
use thinstate_replay::{
    design::{
        Applied, DesignError, DesignStore, FillContext, Overlay, Plan, Preload, ReadCost,
        StateDesign, builtin, folder, keys::Keys, resources,
    },
    load::BlockLoad,
    measure::{DesignInfo, StateSize, TierBytes},
    population::Population,
};

/// A store with what the harness needs around it.
pub struct KeyValueDesign<S: KeyValueStore> {
    store: S,
    dir: PathBuf,
    cache_bytes: usize,
    hasher: BatchHasher,
    readers: ThreadPool,
    /// The last committed state; held by whoever changes it.
    head: Mutex<Head>,
    counters: Counters,
}

impl<S: KeyValueStore> fmt::Debug for KeyValueDesign<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyValueDesign")
            .field("store", &S::FACTS.name)
            .field("dir", &self.dir)
            .field("head", &*self.head())
            .finish_non_exhaustive()
    }
}

/// What this layer sees of the store's work.
#[derive(Debug, Default)]
struct Counters {
    gets: AtomicU64,
    gets_found: AtomicU64,
    read_bytes: AtomicU64,
    commits: AtomicU64,
    entries_written: AtomicU64,
    written_bytes: AtomicU64,
}

/// What is made of a load: its keys, once they are derived. They are there if it was read.
struct Private<L: Layout>(OnceLock<LoadKeys<L>>);

/// A load's keys, in its order.
struct LoadKeys<L: Layout> {
    accounts: Vec<L::Key>,
    slots: Vec<L::Key>,
}

impl<L: Layout> LoadKeys<L> {
    fn of(load: &BlockLoad, hasher: &BatchHasher) -> Self {
        let keys = Keys::of(load, hasher);
        let accounts = keys.accounts.into_iter().map(L::account_key);
        Self {
            accounts: accounts.collect(),
            slots: L::slot_keys(&keys.slots, hasher),
        }
    }
}

impl<S: KeyValueStore> KeyValueDesign<S> {
    /// Opens the store, which may be new and empty. `entries` is about how many it will hold.
    pub fn open(store: &DesignStore, entries: u64) -> Result<Self, DesignError> {
        if store.direct_io {
            return Err(unsupported::<S>(
                "direct I/O: stores are opened as they come",
            ));
        }
        let context = || format!("open {}", store.dir.display());
        std::fs::create_dir_all(&store.dir).map_err(DesignError::store(context()))?;
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        let options = StoreOptions {
            dir: store.dir.clone(),
            cache_bytes: store.cache_bytes,
            threads: store.threads.unwrap_or_else(cores),
            entries,
        };
        let opened = S::open(&options).map_err(failed(context()))?;
        let head = match opened.head().map_err(failed(context()))? {
            None => Head::default(),
            Some(bytes) => Head::decode(&bytes).ok_or_else(|| {
                let got = format!("a head of 24 bytes is expected, {} found", bytes.len());
                failed(context())(got.into())
            })?,
        };
        Ok(Self {
            store: opened,
            dir: store.dir.clone(),
            cache_bytes: store.cache_bytes,
            hasher: BatchHasher::new(),
            readers: resources::readers(store)?,
            head: Mutex::new(head),
            counters: Counters::default(),
        })
    }

    fn head(&self) -> MutexGuard<'_, Head> {
        self.head.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keys<'p>(&self, plan: &'p Plan) -> Result<&'p LoadKeys<S::Layout>, DesignError> {
        let private: &Private<S::Layout> = plan.private()?;
        let derive = || LoadKeys::of(&plan.load, &self.hasher);
        Ok(private.0.get_or_init(derive))
    }

    /// The values of these keys, counted.
    fn get(&self, keys: &[Key<S>]) -> Result<Vec<Option<Vec<u8>>>, BoxError> {
        let values = self.store.read(keys, &self.readers)?;
        let found = values.iter().flatten();
        let (found, bytes) = found.fold((0, 0), |(n, sum), it| (n + 1, sum + it.len() as u64));
        self.counters.gets.fetch_add(keys.len() as u64, Relaxed);
        self.counters.gets_found.fetch_add(found, Relaxed);
        self.counters.read_bytes.fetch_add(bytes, Relaxed);
        Ok(values)
    }
}

/// An error of the store, with what was attempted.
fn failed(context: impl Into<String>) -> impl FnOnce(BoxError) -> DesignError {
    let context = context.into();
    move |source| DesignError::Store { context, source }
}

fn unsupported<S: KeyValueStore>(what: impl Into<String>) -> DesignError {
    DesignError::Unsupported {
        design: S::FACTS.name.to_owned(),
        what: what.into(),
    }
}

impl<S: KeyValueStore> StateDesign for KeyValueDesign<S> {
    fn info(&self) -> DesignInfo {
        let mpt = builtin("mpt").expect("it is built in");
        let facts = S::FACTS;
        DesignInfo {
            name: facts.name.to_owned(),
            summary: facts.summary.to_owned(),
            parameters: serde_json::json!({
                "root": facts.root,
                "durability": facts.durability,
                "cache-bytes": self.cache_bytes,
            }),
            ..mpt.info(facts.is_ethereum.then(|| mpt.trie()))
        }
    }

    fn fill(&self, population: &Population, context: &FillContext<'_>) -> Result<(), DesignError> {
        self.fill_with(population, context)
    }

    fn preload(&self, preload: &Preload, context: &FillContext<'_>) -> Result<(), DesignError> {
        self.preload_with(preload, context)
    }

    fn plan(&self, load: Arc<BlockLoad>) -> Result<Plan, DesignError> {
        self.refuse_wiped(&load)?;
        Ok(Plan::new(load, Private::<S::Layout>(OnceLock::new())))
    }

    fn read(&self, plan: &Plan, overlay: &Overlay) -> Result<ReadCost, DesignError> {
        self.read_load(&plan.load, self.keys(plan)?, overlay)
    }

    fn apply(&self, plan: Plan) -> Result<Applied, DesignError> {
        let private: &Private<S::Layout> = plan.private()?;
        if private.0.get().is_none() {
            self.read(&plan, &Overlay::default())?;
        }
        self.apply_load(&plan.load, self.keys(&plan)?)
    }

    fn head(&self) -> Option<BlockNumber> {
        self.head().block
    }

    fn undo(&self) -> Result<(), DesignError> {
        Err(unsupported::<S>("it keeps no reverse diffs here"))
    }

    fn settle(&self) -> Result<(), DesignError> {
        self.store.settle().map_err(failed("settle the store"))
    }

    fn flush(&self) -> Result<(), DesignError> {
        self.store.flush().map_err(failed("flush the store"))
    }

    fn counters(&self) -> IoCounters {
        let Counters {
            gets,
            gets_found,
            read_bytes,
            commits,
            entries_written,
            written_bytes,
        } = &self.counters;
        IoCounters {
            gets: gets.load(Relaxed),
            gets_found: gets_found.load(Relaxed),
            logical_read_bytes: read_bytes.load(Relaxed),
            commits: commits.load(Relaxed),
            entries_written: entries_written.load(Relaxed),
            logical_written_bytes: written_bytes.load(Relaxed),
            ..IoCounters::default()
        }
    }

    fn size(&self) -> Result<StateSize, DesignError> {
        let head = *self.head();
        let folder_bytes = folder::bytes(&self.dir)?;
        let tier = TierBytes {
            live_objects: head.accounts + head.slots,
            live_disk_bytes: folder_bytes,
            ..TierBytes::default()
        };
        Ok(StateSize {
            accounts: head.accounts,
            slots: head.slots,
            tiers: [("permanent".to_owned(), tier)].into(),
            folder_bytes,
        })
    }
}
