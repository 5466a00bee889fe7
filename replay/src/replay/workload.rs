//! What is replayed: the state that it begins with, and the loads.

use super::{Progress, RunConfig, error::ReplayError};
use crate::{
    amplify::{
        Bridged, GeneratedSource, LoadSource, Numbered, SourceError, TraceSource, preload_of,
    },
    design::{FillContext, Preload, StateDesign},
    generate::Generator,
    measure::{Deviation, WorkloadInfo},
    population::{Population, PopulationSpec},
    profile::Profile,
    source::genesis::Genesis,
    trace::TraceReader,
};
use core::fmt;
use std::{
    path::Path,
    sync::{Arc, OnceLock},
};
use thinstate_formats::{AccountUpdate, BlockNumber, object::ObjectClass};

/// The block that a generated workload's state is of.
const GENERATED_BASE: BlockNumber = BlockNumber(25_000_000);
/// Blocks between a filler and the first block of a trace, in which the trace's own state is written.
const PRELOAD_BLOCKS: u64 = 64;

/// A state, and loads on top of it.
pub struct Workload {
    kind: Kind,
    /// The block that the state is of.
    base: BlockNumber,
    /// Whether blocks read and deploy code.
    code: bool,
}

enum Kind {
    Trace {
        source: Box<TraceSource>,
        /// The state before it, where it is whole.
        genesis: Option<Box<Preload>>,
        filler: Option<Box<Population>>,
        /// What the trace finds, and accesses that had to be made to fit.
        found: OnceLock<Box<(Preload, Bridged)>>,
    },
    Generated {
        population: Arc<Population>,
        make: Maker,
    },
}

/// Makes a source of generated loads, the first of which is of the block given.
type Maker = Arc<dyn Fn(BlockNumber) -> Result<Box<dyn LoadSource>, SourceError> + Send + Sync>;

impl fmt::Debug for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Workload")
            .field("base", &self.base)
            .finish_non_exhaustive()
    }
}

impl Workload {
    /// The workload of a run: opens its files.
    pub fn open(config: &RunConfig) -> Result<Self, ReplayError> {
        config.check()?;
        let workload = match &config.trace {
            Some(path) => Self::of_trace(config, path),
            None => Self::of_profile(config),
        };
        Ok(Self {
            code: !config.without_code,
            ..workload?
        })
    }

    /// Loads that something generates over a population.
    pub fn generated(
        population: Arc<Population>,
        make: impl Fn(BlockNumber) -> Result<Box<dyn LoadSource>, SourceError> + Send + Sync + 'static,
    ) -> Self {
        Self {
            kind: Kind::Generated {
                population,
                make: Arc::new(make),
            },
            base: GENERATED_BASE,
            code: true,
        }
    }

    fn of_trace(config: &RunConfig, path: &Path) -> Result<Self, ReplayError> {
        let trace = TraceReader::open(path).map_err(SourceError::from)?;
        let amplify = config.amplify().map_err(super::ConfigError::from)?;
        let mut source =
            TraceSource::new(Arc::new(trace), amplify, config.gaps).map_err(SourceError::from)?;
        let genesis = match &config.genesis {
            None => None,
            Some(path) => {
                // A trace from genesis has the allocation as its block 0: that is the state itself.
                source = source.starting_at(BlockNumber(1));
                Some(Box::new(genesis(path)?))
            }
        };
        let filler = match config.accounts {
            None | Some(0) => None,
            Some(accounts) => Some(population(accounts, config.seed)?),
        };
        let first = source.first().unwrap_or(BlockNumber(1));
        let base = first.prev().unwrap_or_default();
        Ok(Self {
            // A filler and what the trace finds need blocks of their own, and the filler one before it.
            base: match filler {
                Some(_) => base.max(BlockNumber(PRELOAD_BLOCKS + 1)),
                None => base,
            },
            code: true,
            kind: Kind::Trace {
                source: Box::new(source),
                genesis,
                filler: filler.map(Box::new),
                found: OnceLock::new(),
            },
        })
    }

    fn of_profile(config: &RunConfig) -> Result<Self, ReplayError> {
        let accounts = config.accounts.unwrap_or(RunConfig::ACCOUNTS);
        let profile = profile(&config.profile)?;
        let amplify = config.amplify().map_err(super::ConfigError::from)?;
        let population = Arc::new(population(accounts, config.seed)?);
        let (over, seed) = (Arc::clone(&population), config.seed);
        let make = move |first| {
            let generator = Generator::new(profile.clone(), Arc::clone(&over), seed, first)
                .map_err(|error| SourceError::Generator(Box::new(error)))?;
            Ok(Box::new(GeneratedSource::new(generator, amplify)) as Box<dyn LoadSource>)
        };
        // A population that the profile cannot be drawn over is told of now.
        make(GENERATED_BASE)?;
        Ok(Self::generated(population, make))
    }

    /// The block that the state is of.
    pub const fn base(&self) -> BlockNumber {
        self.base
    }

    /// Whether the roots of the source hold: the state is all of it.
    pub const fn is_whole(&self) -> bool {
        matches!(
            &self.kind,
            Kind::Trace {
                genesis: Some(_),
                ..
            }
        )
    }

    /// The population that the store is filled with, where it is filled with one.
    pub fn population(&self) -> Option<&Population> {
        match &self.kind {
            Kind::Trace { filler, .. } => filler.as_deref(),
            Kind::Generated { population, .. } => Some(population),
        }
    }

    /// The loads, from the first.
    pub fn source(&self) -> Result<Box<dyn LoadSource>, ReplayError> {
        let first = BlockNumber(self.base.0 + 1);
        Ok(match &self.kind {
            Kind::Trace { source, .. } => {
                let loads = Numbered::new(source.again(), first).with_code(self.code);
                match self.is_whole() {
                    true => Box::new(loads),
                    false => Box::new(loads.without_roots()),
                }
            }
            Kind::Generated { make, .. } => {
                Box::new(Numbered::new(make(first)?, first).with_code(self.code))
            }
        })
    }

    /// Slots that there are; `None` where there is no end.
    pub fn slots(&self) -> Option<u64> {
        match &self.kind {
            Kind::Trace { source, .. } => source.remaining(),
            Kind::Generated { .. } => None,
        }
    }

    /// The block that a population is filled at. A trace's own state needs some blocks after it.
    pub fn filled_at(&self) -> BlockNumber {
        match &self.kind {
            Kind::Generated { .. } => self.base,
            Kind::Trace { .. } => BlockNumber(self.base.0.saturating_sub(PRELOAD_BLOCKS)),
        }
    }

    /// Adds to a store, filled with the population where there is one, what a trace finds in its first
    /// `slots` slots.
    pub fn preload(
        &self,
        design: &dyn StateDesign,
        slots: Option<u64>,
        progress: &dyn Progress,
    ) -> Result<(), ReplayError> {
        let Kind::Trace { genesis, .. } = &self.kind else {
            return Ok(());
        };
        let preload = match genesis {
            Some(genesis) => genesis,
            None => {
                progress.stage("what the trace finds", 0, 1);
                &self.found(slots)?.0
            }
        };
        let told = |what: &str, done, of| progress.stage(what, done, of);
        let context = FillContext {
            block: self.base,
            progress: &told,
        };
        let name = design.info().name;
        design
            .preload(preload, &context)
            .map_err(ReplayError::state(&name))
    }

    /// What the trace finds. One pass over it, the first time.
    fn found(&self, slots: Option<u64>) -> Result<&(Preload, Bridged), ReplayError> {
        let Kind::Trace { source, found, .. } = &self.kind else {
            unreachable!("only a trace is asked for what it finds")
        };
        if let Some(found) = found.get() {
            return Ok(found);
        }
        let mut pass = source.again();
        let mut preload = preload_of(&mut pass, slots.unwrap_or(u64::MAX))?;
        if !self.code {
            preload.codes.clear();
        }
        Ok(found.get_or_init(|| Box::new((preload, pass.bridged()))))
    }

    /// What results say of it; counts of blocks and classes are still to come.
    pub fn info(&self, config: &RunConfig) -> WorkloadInfo {
        let (kind, source, seed) = match (&self.kind, &config.trace) {
            (Kind::Trace { .. }, Some(path)) => ("trace", path.display().to_string(), None),
            _ => ("generated", config.profile.clone(), Some(config.seed)),
        };
        WorkloadInfo {
            kind: kind.to_owned(),
            source,
            seed,
            amplify: config.amplify.name().to_owned(),
            gas_multiple: config.scale,
            slot_s: config.slot,
            loop_kind: match config.open_loop {
                true => "open".to_owned(),
                false => "closed".to_owned(),
            },
            speed_up: config.open_loop.then_some(config.speed_up),
            warm_up_blocks: config.warm_up,
            blocks: 0,
            slots_written_by_class: Default::default(),
            slots_touched_by_class: Default::default(),
            deviations: self.bridged(),
        }
    }

    /// What of the workload is not the source's own.
    fn bridged(&self) -> Vec<Deviation> {
        let Kind::Trace { found, source, .. } = &self.kind else {
            return Vec::new();
        };
        let bridged = found.get().map_or_else(Bridged::default, |found| found.1);
        let deviation = |name: &str, got: u64, source: &str| Deviation {
            name: name.to_owned(),
            target: 0.0,
            got: got as f64,
            unit: "count".to_owned(),
            source: source.to_owned(),
        };
        let left = "accesses of the whole trace that did not find what was left";
        let assumed = "1: the trace's source did not tell all values before";
        let all = [
            deviation("bridged_accounts", bridged.accounts, left),
            deviation("bridged_slots", bridged.slots, left),
            deviation("values_assumed", source.values_assumed().into(), assumed),
        ];
        all.into_iter().filter(|it| it.got > 0.0).collect()
    }
}

/// A profile that is built in, or one in a file.
pub fn profile(name: &str) -> Result<Profile, ReplayError> {
    let mainnet = Profile::mainnet();
    match name == mainnet.name {
        true => Ok(mainnet),
        false => {
            Profile::load(Path::new(name)).map_err(ReplayError::workload(format!("profile {name}")))
        }
    }
}

/// A population of mainnet's shape.
pub fn population(accounts: u64, seed: u64) -> Result<Population, ReplayError> {
    Population::new(PopulationSpec::of(accounts, seed))
        .map_err(ReplayError::workload(format!("{accounts} accounts")))
}

/// A genesis allocation as what a trace finds.
fn genesis(path: &Path) -> Result<Preload, ReplayError> {
    let genesis = Genesis::load(path).map_err(ReplayError::workload("the genesis state"))?;
    let mut preload = Preload::default();
    for (address, change) in genesis.changes.accounts {
        if let AccountUpdate::Set(account) = change.account {
            preload.accounts.insert(address, account);
        }
        for (slot, value) in change.storage {
            let load = crate::load::SlotLoad {
                address,
                slot,
                before: value,
                after: value,
                class: ObjectClass::Unclassified,
                object: None,
            };
            preload.slots.insert((address, slot), load);
        }
    }
    Ok(preload)
}
