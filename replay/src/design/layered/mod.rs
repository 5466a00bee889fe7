//! All tiers behind one commitment: each class of object where the design's file puts it.
//!
//! One implementation, [`LayeredDesign`], over `thinstate_engine`'s store of all tiers. Slots of classes that
//! stay permanent, slots without an object, and values that do not have the form of their class lie in the
//! trie, keyed and hashed as in Ethereum. All accounts do.
//!
//! # One block
//!
//! | | trie | temporary tier | UTXO tier |
//! |---|---|---|---|
//! | plan (senders, wallets) | | leaves and proofs of what is sealed | which records pay, and their paths |
//! | read | accounts and slots | live entries; proofs of sealed values are checked | nothing: a wallet knows what is its own |
//! | apply | changes, nodes | resurrections, writes, the log | spends, new records, ring, bits |
//!
//! The net change of a balance is settled as ledgers settle it ([`thinstate_engine::ledger::settle`]): records
//! are spent largest first, an owner keeps at most 8. Unique objects are one record, spent and appended anew.
//! What the temporary tier does with objects that are not live is in `temporary.rs`.
//!
//! # What is counted
//!
//! | number | is |
//! |---|---|
//! | accounts | as in a design with a trie alone: nodes of all tries, and bytes of the batch, but for what the other tiers write |
//! | slots | those in the trie, and no others: beside the other tiers' counts they say what is left there |
//! | temporary, hits | objects that are live, or whose proof is brought; not there: objects that were never, that lapsed, or that wait for their seal |
//! | temporary, witness | leaves and proofs of sealed values: with reads if a value is only read, else with writes |
//! | temporary, archive | the segment of a period, in the block that seals it |
//! | UTXO, hits | reads that wallets answer; no byte of the state is read for them |
//! | UTXO, witness | records that are spent, with their paths |
//! | hashes of spent bits | with the tier whose bits they are; in a block that sets bits of both, in proportion |
//!
//! # What is not comparable
//!
//! An allowance that is not live has lapsed: its owner would have to approve again. Loads do not know that, so
//! where they expect an old allowance nothing is found, and nothing is compared. Nor is a root of the source:
//! the trie is another one.
//!
//! A contract whose storage is wiped keeps the objects that it has in cheap tiers, but for those that the load
//! names. (Since EIP-6780 that takes a contract that is made and destroyed in one transaction.)
//!
//! # In the folder
//!
//! The store as `thinstate store` knows it; `wallets.json`: which population it was filled with; and
//! `wallets.bin`: what wallets know beyond that, as of the last flush. From the two the wallets are made again
//! when the store is opened at that block, or at the one that it was filled to. At any other block a store
//! with records can be looked into, not gone on with.

mod apply;
mod fill;
mod open;
mod pending;
mod place;
mod read;
mod saved;
mod sealed;
mod size;
mod state;
mod temporary;
mod utxo;
mod wallet;

use super::{
    Applied, DesignError, DesignSpec, FillContext, Overlay, Plan, Preload, ReadCost, Rested,
    StateDesign,
};
use crate::{
    load::BlockLoad,
    measure::{DesignInfo, StateSize},
    population::Population,
};
use core::fmt;
use place::{Access, Placement};
use rayon::ThreadPool;
use state::State;
use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use temporary::TemporaryPart;
use thinstate_engine::{
    BlockChanges, Store,
    leaf_store::{DiskStore, IoCounters},
};
use thinstate_formats::{BatchHasher, BlockNumber};
use utxo::UtxoPart;

/// Accounts in the trie, objects where the policy puts them.
pub struct LayeredDesign {
    spec: DesignSpec,
    placement: Placement,
    dir: PathBuf,
    store: Store<DiskStore>,
    hasher: BatchHasher,
    /// Threads for plans and reads.
    pool: ThreadPool,
    state: Mutex<State>,
}

impl fmt::Debug for LayeredDesign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LayeredDesign")
            .field("spec", &self.spec)
            .field("dir", &self.dir)
            .field("head", &self.store.head())
            .finish_non_exhaustive()
    }
}

/// What is made of a load beforehand.
struct Private {
    /// Slots of the trie.
    trie: Vec<Access>,
    temporary: TemporaryPart,
    utxo: UtxoPart,
    changes: BlockChanges,
}

impl LayeredDesign {
    /// The store under the design, to be asked for what only it knows.
    pub const fn store(&self) -> &Store<DiskStore> {
        &self.store
    }

    /// Bytes of memory that wallets take, about. They are no part of the state.
    pub fn wallet_bytes(&self) -> u64 {
        self.state().wallet.memory_bytes()
    }

    /// Changes that wait until what they need is sealed.
    pub fn waiting(&self) -> usize {
        self.state().waiting.len()
    }

    /// What the wallets know is of the last plan also if that one failed: it was taken back.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn plan_parts(&self, state: &mut State, load: &BlockLoad) -> Result<Private, DesignError> {
        let split = self.placement.split(load);
        let mut temporary = temporary::plan(self, state, load, &split.temporary)?;
        let (utxo, spends, records) = utxo::plan(self, state, load, &split.utxo)?;
        let changes = BlockChanges {
            permanent: place::trie_changes(load, &split.trie),
            resurrections: core::mem::take(&mut temporary.resurrections),
            temporary: core::mem::take(&mut temporary.writes),
            spends,
            records,
        };
        Ok(Private {
            trie: split.trie,
            temporary,
            utxo,
            changes,
        })
    }
}

impl StateDesign for LayeredDesign {
    fn info(&self) -> DesignInfo {
        self.spec.info(Some(self.spec.trie()))
    }

    fn fill(&self, population: &Population, context: &FillContext<'_>) -> Result<(), DesignError> {
        self.fill_with(population, context)?;
        self.settle()
    }

    fn preload(&self, preload: &Preload, context: &FillContext<'_>) -> Result<(), DesignError> {
        self.preload_with(preload, context)
    }

    fn plan(&self, load: Arc<BlockLoad>) -> Result<Plan, DesignError> {
        let mut state = self.state();
        state.begin(load.number, self.head())?;
        let state = &mut *state;
        match self.pool.install(|| self.plan_parts(state, &load)) {
            Ok(private) => Ok(Plan::new(load, private)),
            Err(error) => {
                state.rewind(load.number);
                Err(error)
            }
        }
    }

    fn read(&self, plan: &Plan, overlay: &Overlay) -> Result<ReadCost, DesignError> {
        let private = plan.private()?;
        self.pool
            .install(|| self.read_load(&plan.load, private, overlay))
    }

    fn apply(&self, plan: Plan) -> Result<Applied, DesignError> {
        self.apply_load(&plan.load, plan.private()?)
    }

    fn rest(&self) -> Result<Rested, DesignError> {
        self.expire_step()
    }

    fn head(&self) -> Option<BlockNumber> {
        self.store.head().block.map(|block| block.number)
    }

    fn undo(&self) -> Result<(), DesignError> {
        self.undo_last()
    }

    fn settle(&self) -> Result<(), DesignError> {
        let settled = self.store.permanent().compact();
        settled.map_err(DesignError::store("settle the store"))
    }

    fn flush(&self) -> Result<(), DesignError> {
        self.save_wallets()?;
        let flushed = self.store.permanent().flush();
        flushed.map_err(DesignError::store("flush the store"))
    }

    fn counters(&self) -> IoCounters {
        self.store.permanent().counters()
    }

    fn size(&self) -> Result<StateSize, DesignError> {
        self.state_size()
    }
}
