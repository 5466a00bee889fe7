//! Stores of designs: opened, or filled.

use super::{Progress, RunConfig, Workload, error::ReplayError};
use crate::design::{self, DesignSpec, DesignStore, FillContext, StateDesign};
use std::{fs, io, path::Path};

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
    pub fn filled(
        &self,
        spec: &DesignSpec,
        dir: &Path,
    ) -> Result<Box<dyn StateDesign>, ReplayError> {
        remove(dir)?;
        fs::create_dir_all(dir).map_err(ReplayError::os("create the folder", dir))?;
        let design = open(self.config, spec, dir)?;
        if let Some(population) = self.workload.population() {
            let told = |what: &str, done, of| self.progress.stage(what, done, of);
            let context = FillContext {
                block: self.workload.filled_at(),
                progress: &told,
            };
            design
                .fill(population, &context)
                .map_err(ReplayError::state(&spec.name))?;
        }
        self.workload
            .preload(&*design, self.config.slots(), self.progress)?;
        self.progress.stage("settling", 0, 1);
        design.settle().map_err(ReplayError::state(&spec.name))?;
        design.flush().map_err(ReplayError::state(&spec.name))?;
        Ok(design)
    }
}

/// Opens a store, which may be new and empty.
pub(super) fn open(
    config: &RunConfig,
    spec: &DesignSpec,
    dir: &Path,
) -> Result<Box<dyn StateDesign>, ReplayError> {
    let store = DesignStore {
        dir: dir.to_owned(),
        cache_bytes: usize::try_from(config.cache_size.0).unwrap_or(usize::MAX),
        threads: config.threads,
        direct_io: config.direct_io,
    };
    design::open(spec, &store).map_err(ReplayError::state(&spec.name))
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
