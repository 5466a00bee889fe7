//! A flat store under the LtHash accumulator of TIP-1078: no tree, no proofs.
//!
//! The floor of what a commitment to the state can cost: a block's elements are expanded and summed up, on
//! all threads, and that is all. Accounts and slots lie in the same leaf store as those of the permanent
//! tier, code by its hash, and nothing else does: no storage roots, no blocks of last writes, no interior in memory.
//! Accumulator, entries and reverse diff of a block are one batch.
//!
//! # What is counted
//!
//! | number | is |
//! |---|---|
//! | hashes | elements expanded, of accounts and of slots, and the checksum, which stands with the accounts |
//! | permutations | compressions of BLAKE3: 33 for an element, 33 for the checksum |
//! | logical bytes written | slots: their entries. Accounts: all else of the batch, reverse diff and head included |
//!
//! The rest is as in [`permanent`](super::permanent). The state root of a load is not looked at: there is
//! none here.
//!
//! # What must be known
//!
//! The sum forgets nothing by itself: a value that is replaced has to be subtracted as it was. A block that
//! was read before it is applied has been compared with the store then; one that was not, is when it is
//! applied. `FlatLtHash::verify` computes the sum anew from all entries.

mod apply;
mod entry;
mod fill;
mod layout;
mod read;
mod undo;

use super::{
    Applied, DesignError, DesignSpec, DesignStore, FillContext, Overlay, Plan, Preload, ReadCost,
    StateDesign, folder, resources,
};
use crate::{
    load::BlockLoad,
    measure::{DesignInfo, StateSize, TierBytes},
    population::Population,
};
use alloy_primitives::B256;
use core::{
    fmt,
    ops::ControlFlow,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
};
use layout::{HEAD_KEY, Head};
use rayon::ThreadPool;
use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use thinstate_engine::leaf_store::{
    DiskStore, IoCounters, LeafRead as _, LeafStore as _, StoreError, Table,
};
use thinstate_formats::{BatchHasher, BlockNumber};

/// Blocks that can be undone, as many as in the other designs.
const UNDO_BLOCKS: u64 = 128;

/// Accounts and slots in a flat store, and one sum over them.
pub struct FlatLtHash {
    spec: DesignSpec,
    dir: PathBuf,
    store: DiskStore,
    hasher: BatchHasher,
    readers: ThreadPool,
    hashers: ThreadPool,
    /// The last committed state; held by whoever changes it.
    head: Mutex<Head>,
}

impl fmt::Debug for FlatLtHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FlatLtHash")
            .field("spec", &self.spec)
            .field("dir", &self.dir)
            .field("head", &*self.head())
            .finish_non_exhaustive()
    }
}

/// What is made of a load beforehand.
#[derive(Default)]
struct Private {
    /// Whether its values were compared with the store's.
    was_read: AtomicBool,
}

impl FlatLtHash {
    /// Opens the store of the design, which may be new and empty.
    pub fn open(spec: &DesignSpec, store: &DesignStore) -> Result<Self, DesignError> {
        let context = format!("open {}", store.dir.display());
        let leaves = DiskStore::open(&store.dir, &resources::leaves(store))
            .map_err(DesignError::store(&context))?;
        let head = read_head(&leaves).map_err(DesignError::store(&context))?;
        Ok(Self {
            spec: spec.clone(),
            dir: store.dir.clone(),
            store: leaves,
            hasher: BatchHasher::new(),
            readers: resources::readers(store)?,
            hashers: resources::hashers(store)?,
            head: Mutex::new(head),
        })
    }

    /// The checksum of the accumulator.
    pub fn checksum(&self) -> B256 {
        self.head().sum.checksum()
    }

    fn head(&self) -> MutexGuard<'_, Head> {
        self.head.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The head of the store, of no block where it is new or its fill was interrupted; an error where it holds what is not
/// ours.
fn read_head(store: &DiskStore) -> Result<Head, StoreError> {
    let bad = |key: &[u8], expected, got| StoreError::BadEntry {
        table: Table::Meta,
        key: alloy_primitives::hex::encode(key),
        expected,
        got,
    };
    let snapshot = store.snapshot();
    if let Some(bytes) = snapshot.get(Table::Meta, HEAD_KEY)? {
        return Head::decode(&bytes).ok_or_else(|| {
            let got = alloy_primitives::hex::encode_prefixed(&bytes);
            bad(HEAD_KEY, "a head of this version", got)
        });
    }
    if fill::read_filling(&snapshot)?.is_some() {
        return Ok(Head::default());
    }
    for table in [Table::Meta, Table::Accounts, Table::Storage, Table::Code] {
        let mut is_empty = true;
        snapshot.scan(table, &[], None, &mut |_, _| {
            is_empty = false;
            ControlFlow::Break(())
        })?;
        if !is_empty {
            let got = format!("none, but table {} has entries", table.name());
            return Err(bad(HEAD_KEY, "a head, or an empty store", got));
        }
    }
    Ok(Head::default())
}

impl StateDesign for FlatLtHash {
    fn info(&self) -> DesignInfo {
        self.spec.info(None)
    }

    fn fill(&self, population: &Population, context: &FillContext<'_>) -> Result<(), DesignError> {
        self.fill_with(population, context, fill::STEP_ENTRIES)?;
        self.settle()
    }

    fn preload(&self, preload: &Preload, context: &FillContext<'_>) -> Result<(), DesignError> {
        self.preload_with(preload, context)
    }

    fn plan(&self, load: Arc<BlockLoad>) -> Result<Plan, DesignError> {
        Ok(Plan::new(load, Private::default()))
    }

    fn read(&self, plan: &Plan, overlay: &Overlay) -> Result<ReadCost, DesignError> {
        let private: &Private = plan.private()?;
        let cost = self.read_load(&plan.load, overlay)?;
        private.was_read.store(true, Relaxed);
        Ok(cost)
    }

    fn apply(&self, plan: Plan) -> Result<Applied, DesignError> {
        let private: &Private = plan.private()?;
        if !private.was_read.load(Relaxed) {
            self.read_load(&plan.load, &Overlay::default())?;
        }
        self.apply_load(&plan.load)
    }

    fn head(&self) -> Option<BlockNumber> {
        self.head().block
    }

    fn undo(&self) -> Result<(), DesignError> {
        self.undo_last()
    }

    fn settle(&self) -> Result<(), DesignError> {
        self.store
            .compact()
            .map_err(DesignError::store("settle the store"))
    }

    fn flush(&self) -> Result<(), DesignError> {
        self.store
            .flush()
            .map_err(DesignError::store("flush the store"))
    }

    fn counters(&self) -> IoCounters {
        self.store.counters()
    }

    fn size(&self) -> Result<StateSize, DesignError> {
        let (accounts, slots) = {
            let head = self.head();
            (head.accounts, head.slots)
        };
        let mut flat = TierBytes {
            live_objects: accounts + slots,
            ..TierBytes::default()
        };
        for table in [Table::Accounts, Table::Storage, Table::Code] {
            let stats = self
                .store
                .table_stats(table)
                .map_err(DesignError::store("ask for the store's size"))?;
            flat.live_disk_bytes += stats.file_bytes;
            flat.live_memory_bytes += stats.memory_bytes;
        }
        Ok(StateSize {
            accounts,
            slots,
            tiers: [("permanent".to_owned(), flat)].into(),
            folder_bytes: folder::bytes(&self.dir)?,
        })
    }
}
