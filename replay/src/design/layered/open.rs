//! Opening the store of a design, and knowing again what it was filled with.

use super::{
    LayeredDesign,
    place::Placement,
    saved::write_whole,
    sealed::Homes,
    state::State,
    wallet::{Origin, record_of},
};
use crate::{
    design::{DesignError, DesignSpec, DesignStore, ExpirySpec, resources},
    population::{Population, PopulationSpec},
};
use serde::{Deserialize, Serialize};
use std::{
    fs,
    io::{self, Write as _},
    path::Path,
    sync::{Arc, Mutex},
};
use thinstate_engine::{
    ExpiredReads, Options, Store, StoreOptions, StoreRules, leaf_store::DiskStore,
    store::ArchiveOptions,
};
use thinstate_formats::{BatchHasher, BlockNumber, RecordIndex, object::Tier, record::NewRecord};

/// What the store was filled with.
const FILLED_FILE: &str = "wallets.json";

/// The file's contents.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Filled {
    /// What the population is a function of.
    pub(super) population: PopulationSpec,
    /// The block of the permanent state and of the temporary tier.
    pub(super) base: BlockNumber,
    /// Records of each block behind it, but for the last.
    pub(super) records_per_block: u64,
    /// The last of these blocks.
    pub(super) head: BlockNumber,
}

impl LayeredDesign {
    /// Opens the store of the design, which may be new and empty.
    pub fn open(spec: &DesignSpec, store: &DesignStore) -> Result<Self, DesignError> {
        let context = || format!("open {}", store.dir.display());
        if spec.expiry.is_some_and(|expiry| !expiry.archive_backed) {
            return Err(DesignError::Unsupported {
                design: spec.name.clone(),
                what: "expiry with witnesses beside other tiers; set archive-backed = true"
                    .to_owned(),
            });
        }
        let leaves = DiskStore::open(&store.dir, &resources::leaves(store));
        let leaves = leaves.map_err(|error| DesignError::store(context())(error))?;
        let opened = Store::open(leaves, options(spec, store));
        let opened = opened.map_err(|error| DesignError::store(context())(error))?;
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(store.threads.unwrap_or(0))
            .thread_name(|n| format!("plan-{n}"))
            .build()
            .map_err(DesignError::store("start threads"))?;
        let state = State::new(spec.utxo);
        let design = Self {
            spec: spec.clone(),
            placement: Placement::new(&spec.policy()),
            dir: store.dir.clone(),
            store: opened,
            hasher: BatchHasher::new(),
            pool,
            state: Mutex::new(state),
        };
        design.recall()?;
        Ok(design)
    }

    /// Makes the wallets again that the store had at its head.
    fn recall(&self) -> Result<(), DesignError> {
        let mut state = self.state();
        let Some(head) = self.store.head().block.map(|block| block.number) else {
            return Ok(());
        };
        let filled = read_filled(&self.dir)?.filter(|filled| head >= filled.head);
        if let Some(filled) = &filled {
            let population = Population::new(filled.population.clone());
            let context = format!("the population in {FILLED_FILE}");
            let population = population.map_err(DesignError::store(context))?;
            let known = self.pool.install(|| {
                let silent = |_: &str, _, _| {};
                let name = &self.spec.name;
                Origin::build(name, &population, self.placement, None, &silent)
            });
            let (origin, _) = known?;
            self.know(&mut state, Arc::new(origin), filled.base);
            let state = &mut *state;
            self.pool.install(|| follow_fill(state, filled));
        }
        if filled.is_none_or(|filled| filled.head != head) {
            self.recall_saved(&mut state, head)?;
        }
        state.is_blind = state.wallet.next_index() != self.store.next_record_index();
        Ok(())
    }

    /// Takes note of what the store is filled with, as of block `base`.
    pub(super) fn know(&self, state: &mut State, origin: Arc<Origin>, base: BlockNumber) {
        state.wallet.set_origin(origin);
        let homes = self.homes(base);
        state.filled = homes.last_sealed;
        state.homes = Some(homes);
    }

    /// Where objects are in the temporary tier that is filled as of block `base`.
    pub(super) fn homes(&self, base: BlockNumber) -> Homes {
        let rules = self.store.rules();
        Homes {
            rules: rules.temporary,
            head: base,
            last_sealed: rules.last_sealed(base),
        }
    }

    /// Notes in the folder what the store was filled with: aside, then in place.
    pub(super) fn write_filled(&self, filled: &Filled) -> Result<(), DesignError> {
        let path = self.dir.join(FILLED_FILE);
        write_whole(&path, |file| {
            serde_json::to_writer_pretty(&mut *file, filled)?;
            file.write_all(b"\n")
        })
        .map_err(DesignError::store(format!("write {}", path.display())))
    }
}

/// The wallets follow the blocks that appended the population's records.
fn follow_fill(state: &mut State, filled: &Filled) {
    let Some(origin) = state.wallet.origin().cloned() else {
        return;
    };
    for block in filled.base.0 + 1..=filled.head.0 {
        let records = fill_records(&origin, state.wallet.next_index(), filled.records_per_block);
        state.wallet.follow_fill(BlockNumber(block), &records);
    }
}

/// The population's next records.
pub(super) fn fill_records(origin: &Origin, from: RecordIndex, count: u64) -> Vec<NewRecord> {
    use rayon::prelude::*;
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let numbers: Vec<u32> = origin.record_slots_from(from).take(count).collect();
    let record = |number: u32| {
        let native = origin.native(number);
        let record = native.and_then(|native| record_of(&native.object));
        record.expect("the slots of records have objects with values")
    };
    numbers.into_par_iter().map(record).collect()
}

pub(super) fn read_filled(dir: &Path) -> Result<Option<Filled>, DesignError> {
    let path = dir.join(FILLED_FILE);
    let bytes = match fs::read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        read => read.map_err(DesignError::store(format!("read {}", path.display())))?,
    };
    let filled = serde_json::from_slice(&bytes);
    filled
        .map(Some)
        .map_err(DesignError::store(format!("read {}", path.display())))
}

fn options(spec: &DesignSpec, store: &DesignStore) -> StoreOptions {
    let policy = spec.policy();
    let archive_backed = |expiry: &ExpirySpec| expiry.archive_backed;
    StoreOptions {
        permanent: Options {
            threads: store.threads,
            expired_reads: match spec.expiry.as_ref().is_some_and(archive_backed) {
                true => ExpiredReads::ArchiveBacked,
                false => ExpiredReads::Strict,
            },
            // As an empty one, to be filled.
            resume_bulk: true,
            ..Options::default()
        },
        rules: StoreRules::from(&policy),
        dir: Some(store.dir.clone()),
        archive: ArchiveOptions {
            // Senders find the proofs of sealed leaves there.
            periods: policy.uses(Tier::Temporary),
            records: spec.archive && policy.uses(Tier::Utxo),
            owners: false,
            expired: spec.expiry.is_some(),
        },
        ..StoreOptions::default()
    }
}
