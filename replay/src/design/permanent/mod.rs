//! Everything in the permanent tier: Ethereum's state as it is today, with or without expiry in place.
//!
//! The store lies in the folder as `thinstate store` knows it: the leaf store's own files, and the archive of
//! what expired in `archive/expired`.
//!
//! # What is counted
//!
//! | number | is |
//! |---|---|
//! | reads | keys that the load names; codes are looked up by their hash, and must have the length that the load says |
//! | created, updated, deleted | by the values before and after; deleted slots also those that go with a wiped storage |
//! | hashes, permutations | nodes of all tries, as the block changes them; hashes of keys and of witnesses are not among them |
//! | logical bytes written | keys and values of the batch, reverse diff and head included |
//! | witness bytes | nodes that had to be brought for what has expired (strict mode) |
//!
//! Account trie and storage tries are computed together: hashes, permutations and bytes written are *those of
//! both*, and stand with the accounts. Bytes that go to the archive belong to no block: they are in
//! [`Rested`], since expiry does its work between blocks.
//!
//! # Expiry
//!
//! After each block one step of the sweep looks at `cap-per-block` entries. In *strict* mode a transaction
//! has to bring a witness for what has expired; whoever runs this design is its own wallet and takes the
//! witness out of the archive, counts its bytes, and inserts it, which is a commit: reads that need one wait
//! for the block that is being applied. In *archive-backed* mode the store answers by itself. The leaves of
//! a witness say that nobody knows when they were last written, so what was only read expires again with
//! the next sweep.

mod apply;
mod expiry;
mod fill;
mod read;
mod size;
mod witness;

use super::{
    Applied, DesignError, DesignSpec, DesignStore, ExpirySpec, FillContext, Overlay, Plan, Preload,
    ReadCost, Rested, StateDesign, resources,
};
use crate::{
    load::BlockLoad,
    measure::{DesignInfo, StateSize},
    population::Population,
};
use core::fmt;
use rayon::ThreadPool;
use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use thinstate_engine::{
    ExpiredReads, Options, PermanentTier,
    leaf_store::{DiskStore, IoCounters},
};
use thinstate_formats::{BatchHasher, BlockNumber, StateChanges};

/// Accounts, slots and nothing else: one Merkle-Patricia trie over a leaf store.
pub struct PermanentDesign {
    spec: DesignSpec,
    dir: PathBuf,
    tier: PermanentTier<DiskStore>,
    hasher: BatchHasher,
    /// Threads for reads.
    pool: ThreadPool,
    /// Held from the preparation of a block to its commit, and while a witness is inserted: a block that was
    /// prepared before an insertion would have to be prepared again.
    changing: Mutex<()>,
}

impl fmt::Debug for PermanentDesign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PermanentDesign")
            .field("spec", &self.spec)
            .field("dir", &self.dir)
            .field("head", &self.tier.head())
            .finish_non_exhaustive()
    }
}

/// What is made of a load beforehand.
struct Private {
    changes: StateChanges,
}

impl PermanentDesign {
    /// Opens the store of the design, which may be new and empty.
    pub fn open(spec: &DesignSpec, store: &DesignStore) -> Result<Self, DesignError> {
        let context = format!("open {}", store.dir.display());
        let leaves = DiskStore::open(&store.dir, &resources::leaves(store))
            .map_err(DesignError::store(&context))?;
        let tier = PermanentTier::open(leaves, options(spec, store))
            .map_err(DesignError::store(&context))?;
        Ok(Self {
            spec: spec.clone(),
            dir: store.dir.clone(),
            tier,
            hasher: BatchHasher::new(),
            pool: resources::readers(store)?,
            changing: Mutex::new(()),
        })
    }

    /// The tier under the design, to be asked for what only it knows.
    pub const fn tier(&self) -> &PermanentTier<DiskStore> {
        &self.tier
    }

    fn changing(&self) -> MutexGuard<'_, ()> {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Expiry, where transactions bring witnesses.
    fn is_strict(&self) -> bool {
        self.spec
            .expiry
            .is_some_and(|expiry| !expiry.archive_backed)
    }
}

fn options(spec: &DesignSpec, store: &DesignStore) -> Options {
    let archive_backed = |expiry: ExpirySpec| expiry.archive_backed;
    Options {
        threads: store.threads,
        archive: spec
            .expiry
            .map(|_| store.dir.join("archive").join("expired")),
        expired_reads: match spec.expiry.is_some_and(archive_backed) {
            true => ExpiredReads::ArchiveBacked,
            false => ExpiredReads::Strict,
        },
        // As an empty one, to be filled.
        resume_bulk: true,
        ..Options::default()
    }
}

impl StateDesign for PermanentDesign {
    fn info(&self) -> DesignInfo {
        self.spec.info(Some(self.spec.trie()))
    }

    fn fill(&self, population: &Population, context: &FillContext<'_>) -> Result<(), DesignError> {
        self.fill_with(population, context)?;
        self.expire_all(context)?;
        self.settle()
    }

    fn preload(&self, preload: &Preload, context: &FillContext<'_>) -> Result<(), DesignError> {
        self.preload_with(preload, context)
    }

    fn plan(&self, load: Arc<BlockLoad>) -> Result<Plan, DesignError> {
        let changes = load.changes(|_| true);
        Ok(Plan::new(load, Private { changes }))
    }

    fn read(&self, plan: &Plan, overlay: &Overlay) -> Result<ReadCost, DesignError> {
        self.read_load(&plan.load, overlay)
    }

    fn apply(&self, plan: Plan) -> Result<Applied, DesignError> {
        let Private { changes } = plan.private()?;
        self.apply_changes(&plan.load, changes)
    }

    fn rest(&self) -> Result<Rested, DesignError> {
        self.expire_step()
    }

    fn head(&self) -> Option<BlockNumber> {
        self.tier.head().block.map(|block| block.number)
    }

    fn undo(&self) -> Result<(), DesignError> {
        let _changing = self.changing();
        let undone = self.tier.undo();
        undone.map_err(DesignError::store("undo the last block"))?;
        Ok(())
    }

    fn settle(&self) -> Result<(), DesignError> {
        self.tier
            .compact()
            .map_err(DesignError::store("settle the store"))
    }

    fn flush(&self) -> Result<(), DesignError> {
        self.tier
            .flush()
            .map_err(DesignError::store("flush the store"))
    }

    fn counters(&self) -> IoCounters {
        self.tier.counters()
    }

    fn size(&self) -> Result<StateSize, DesignError> {
        self.state_size()
    }
}
