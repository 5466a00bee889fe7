//! Stores of designs: opened, or filled.

use super::{Candidate, Progress, RunConfig, Workload, error::ReplayError};
use crate::{
    design::{self, DesignSpec, DesignStore, FillContext, StateDesign},
    fill::cache::{self, Cache, CacheError, CacheKey},
    population::Population,
};
use std::{fs, io, path::Path};
use thinstate_engine::{FORMAT_VERSION, leaf_store::StoreKind};

/// What filled stores in the cache are called, with the version of how they are filled.
const FILL: &str = "design/1";

/// Makes the stores of a run.
#[derive(Clone, Copy)]
pub struct Stores<'a> {
    /// The settings.
    pub config: &'a RunConfig,
    /// What is to be replayed.
    pub workload: &'a Workload,
    /// Is told how far filling has come.
    pub progress: &'a dyn Progress,
}

impl core::fmt::Debug for Stores<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Stores").finish_non_exhaustive()
    }
}

impl Stores<'_> {
    /// A design by name or file.
    pub fn design(name: &str) -> Result<DesignSpec, ReplayError> {
        design::load(name).map_err(|error| ReplayError::Design {
            name: name.to_owned(),
            source: Box::new(error),
        })
    }

    /// Makes a new store with the state that the workload begins with, settled. What lies in `dir` goes.
    ///
    /// With a cache ([`RunConfig::cache`]) the population is filled in once for each design and block, and
    /// copied from then on. A fill that was interrupted there is gone on with.
    pub fn filled(
        &self,
        candidate: &Candidate<'_>,
        dir: &Path,
    ) -> Result<Box<dyn StateDesign>, ReplayError> {
        remove(dir)?;
        fs::create_dir_all(dir).map_err(ReplayError::os("create the folder", dir))?;
        let design = match (self.workload.population(), &self.config.cache) {
            (None, _) => open(self.config, candidate, dir)?,
            (Some(population), None) => self.fill(candidate, population, dir)?,
            (Some(population), Some(cache)) => {
                self.cached(candidate, population, cache, dir)?;
                open(self.config, candidate, dir)?
            }
        };
        self.workload
            .preload(&*design, self.config.slots(), self.progress)?;
        self.progress.stage("settling", 0, 1);
        design
            .settle()
            .map_err(ReplayError::state(candidate.name()))?;
        design
            .flush()
            .map_err(ReplayError::state(candidate.name()))?;
        Ok(design)
    }

    fn fill(
        &self,
        candidate: &Candidate<'_>,
        population: &Population,
        dir: &Path,
    ) -> Result<Box<dyn StateDesign>, ReplayError> {
        let design = open(self.config, candidate, dir)?;
        if design.head() == Some(self.workload.filled_at()) {
            // Interrupted while it settled.
            return Ok(design);
        }
        let told = |what: &str, done, of| self.progress.stage(what, done, of);
        let context = FillContext {
            block: self.workload.filled_at(),
            progress: &told,
        };
        design
            .fill(population, &context)
            .map_err(ReplayError::state(candidate.name()))?;
        Ok(design)
    }

    /// What a filled store is known by in the cache.
    fn key(&self, candidate: &Candidate<'_>, population: &Population) -> CacheKey {
        CacheKey::new(FILL)
            .with("design", candidate.key())
            .with("store", &self.config.store)
            .with_population(population)
            .with("format-version", &FORMAT_VERSION)
            .with("block", &self.workload.filled_at())
    }

    /// Puts a filled store into `dir`: from the cache, which gets it first if it has none.
    fn cached(
        &self,
        candidate: &Candidate<'_>,
        population: &Population,
        cache: &Path,
        dir: &Path,
    ) -> Result<(), ReplayError> {
        let key = self.key(candidate, population);
        let build = |dir: &Path| {
            let design = self.fill(candidate, population, dir)?;
            design
                .settle()
                .map_err(ReplayError::state(candidate.name()))?;
            design.flush().map_err(ReplayError::state(candidate.name()))
        };
        let build = |dir: &Path| {
            let begun = StoreKind::of(dir).is_some();
            match build(dir) {
                Err(error) if begun => {
                    let why = error.chain();
                    self.progress.note(&format!(
                        "what an interrupted fill has left cannot be gone on with, and is filled anew: {why}"
                    ));
                    cache::clear(dir)
                        .map_err(ReplayError::workload("the cache of filled stores"))?;
                    build(dir)
                }
                built => built,
            }
        };
        match Cache::new(cache).get_or_resume(&key, dir, build) {
            Ok(_) => Ok(()),
            Err(CacheError::Build(error)) => Err(error),
            Err(error) => Err(ReplayError::workload("the cache of filled stores")(error)),
        }
    }
}

/// Opens a store, which may be new and empty.
pub(super) fn open(
    config: &RunConfig,
    candidate: &Candidate<'_>,
    dir: &Path,
) -> Result<Box<dyn StateDesign>, ReplayError> {
    let store = DesignStore {
        dir: dir.to_owned(),
        kind: config.store,
        cache_bytes: usize::try_from(config.cache_size.0).unwrap_or(usize::MAX),
        threads: config.threads,
        direct_io: config.direct_io,
    };
    candidate.open(&store)
}

/// Removes a store.
pub(super) fn remove(dir: &Path) -> Result<(), ReplayError> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(ReplayError::os("remove the store", dir)(error))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

    use super::*;
    use crate::{population::POPULATION_VERSION, replay::Silent};

    #[test]
    fn no_store_is_taken_for_one_of_another_version() {
        let config = RunConfig {
            accounts: Some(1_000),
            ..RunConfig::default()
        };
        let workload = Workload::open(&config).unwrap();
        let stores = Stores {
            config: &config,
            workload: &workload,
            progress: &Silent,
        };
        let candidate = Candidate::of(Stores::design("mpt").unwrap());
        let key = stores.key(&candidate, workload.population().unwrap());
        let parts = key.parts();
        assert_eq!(parts["population-version"], POPULATION_VERSION);
        assert_eq!(parts["format-version"], FORMAT_VERSION);
        let other = Candidate::of(Stores::design("flat-lthash").unwrap());
        let other = stores.key(&other, workload.population().unwrap());
        assert_ne!(other.to_string(), key.to_string());
    }
}
