//! The runs of a study, as replays.

use super::{Cell, NoiseMeasured, Runner, Shape, StudyError, StudySpec};
use crate::{
    amplify::{Method, balanced},
    measure::{Deviation, DeviceProfile, Machine, RecordedRun, RunResult},
    model::HashCosts,
    profile::{CheckOptions, check_profile},
    replay::{self, ByteSize, Progress, RunConfig, Workload},
};
use alloy_primitives::B256;
use core::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// Accounts of the state whose blocks are compared with mainnet's at most: 30 of its days are 569 blocks.
const COMPARED_ACCOUNTS_MAX: u64 = 1_000_000;

/// Carries runs out on this machine.
pub struct Replayed<'a> {
    /// The folder of the study, whose device and file system are measured.
    pub dir: PathBuf,
    /// Where filled stores are kept for later runs.
    pub cache: Option<PathBuf>,
    /// What the device can do, in the file that `thinstate device -o` wrote.
    pub device: Option<(PathBuf, DeviceProfile)>,
    /// Is told what happens.
    pub progress: &'a dyn Progress,
    /// Set when no further block is to begin.
    pub stop: &'a AtomicBool,
}

impl core::fmt::Debug for Replayed<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Replayed")
            .field("dir", &self.dir)
            .finish_non_exhaustive()
    }
}

impl Replayed<'_> {
    fn config(&self, spec: &StudySpec, cell: &Cell, shape: Shape, dir: &Path) -> RunConfig {
        RunConfig {
            design: vec![cell.design.clone()],
            profile: spec.profile.clone(),
            accounts: Some(cell.accounts),
            seed: spec.seed,
            amplify: match shape.multiple {
                1 => Method::None,
                _ => spec.amplify,
            },
            scale: shape.multiple,
            copies: match spec.amplify {
                // A prime cannot be split.
                Method::Mixed => Some(balanced(shape.multiple).unwrap_or(1)),
                _ => None,
            },
            blocks: Some(shape.blocks),
            warm_up: shape.warm_up,
            threads: spec.run.threads,
            store: spec.run.store,
            cache_size: ByteSize(spec.run.cache_bytes),
            direct_io: spec.run.direct_io,
            drop_caches: spec.run.drop_caches,
            // A block of a real chain has its slot to itself: it does not wait for the one before.
            no_overlap: true,
            // A block of a thousand takes hundreds of megabytes.
            plan_ahead: if shape.multiple > 100 { 1 } else { 4 },
            slot: spec.slot_s,
            end_when_unfit: !spec.run.whole,
            out: dir.to_owned(),
            cache: self.cache.clone(),
            device: self.device.as_ref().map(|(path, _)| path.clone()),
            ..RunConfig::default()
        }
    }
}

impl Runner for Replayed<'_> {
    fn machine(&self) -> serde_json::Value {
        serde_json::to_value(Machine::detect(&self.dir)).unwrap_or_default()
    }

    fn device(&self) -> Option<DeviceProfile> {
        self.device.as_ref().map(|(_, profile)| profile.clone())
    }

    fn hash_costs(&self) -> HashCosts {
        HashCosts::measure()
    }

    fn deviations(&self, spec: &StudySpec) -> Result<Vec<Deviation>, StudyError> {
        let profile = replay::profile(&spec.profile).map_err(Box::new)?;
        let smallest = spec.accounts.iter().copied().min().unwrap_or_default();
        let accounts = smallest.min(COMPARED_ACCOUNTS_MAX);
        let population = replay::population(accounts, spec.seed).map_err(Box::new)?;
        let options = CheckOptions {
            blocks: None,
            seed: spec.seed,
        };
        let compared = check_profile(&profile, &Arc::new(population), &options, |_| {});
        Ok(compared.map_err(Box::new)?.deviations())
    }

    fn run(
        &mut self,
        spec: &StudySpec,
        cell: &Cell,
        shape: Shape,
        dir: &Path,
    ) -> Result<RunResult, StudyError> {
        if let Ok(done) = RecordedRun::open(dir)
            && done.result.status.is_final()
        {
            return Ok(done.result);
        }
        let failed = |source: Box<dyn core::error::Error + Send + Sync>| StudyError::Run {
            design: cell.design.clone(),
            accounts: cell.accounts,
            multiple: shape.multiple,
            source,
        };
        let config = self.config(spec, cell, shape, dir);
        let workload = Workload::open(&config).map_err(|error| failed(Box::new(error)))?;
        let outcomes = replay::run(&config, &workload, false, self.progress, self.stop)
            .map_err(|error| failed(Box::new(error)))?;
        let outcome = outcomes.into_iter().next();
        Ok(outcome.expect("a run of one design has one outcome").result)
    }

    fn noise(&self, first: &Path, again: &Path) -> Result<NoiseMeasured, StudyError> {
        NoiseMeasured::between(first, again)
    }

    fn roots(&self, dir: &Path) -> Result<Vec<(u64, B256)>, StudyError> {
        let blocks = RecordedRun::open(dir)
            .and_then(|run| run.blocks())
            .map_err(Box::new)?;
        let rows = blocks.numbers.iter().zip(&blocks.state_roots);
        Ok(rows
            .filter_map(|(number, root)| Some((number.0, (*root)?)))
            .collect())
    }

    fn stopped(&self) -> bool {
        self.stop.load(SeqCst)
    }

    fn note(&mut self, message: &str) {
        self.progress.note(message);
    }
}
