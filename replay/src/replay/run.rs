//! The whole of a run: store, warm-up, blocks, result; for each design.

use super::{
    Candidate, Checkpoint, CheckpointError, Dropped, Pipeline, Progress, Reference, Roots,
    RunConfig, Stores, Workload, drop_page_cache,
    error::ReplayError,
    noise::noise_floor,
    session::{Recording, Session, now_s},
    stores,
};
use crate::{
    design::StateDesign,
    measure::{DeviceProfile, Recorder, RunResult, RunStatus, device, probes::Probes},
};
use core::sync::atomic::AtomicBool;
use std::{
    path::{Path, PathBuf},
    time::Instant,
};

/// A run that has ended, and left its files.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The folder.
    pub dir: PathBuf,
    /// What is in its `result.json`.
    pub result: RunResult,
}

/// Replays a workload on each design of `config`, one after the other.
///
/// Results lie in [`RunConfig::out`], with several designs in folders of it that have the designs' names. A
/// run that fails leaves a result that says so, before the error is returned; one that is told to stop ends
/// after the block at hand, and no further design is begun. With `resume` the run in the folder is gone on
/// with.
pub fn run(
    config: &RunConfig,
    workload: &Workload,
    resume: bool,
    progress: &dyn Progress,
    stop: &AtomicBool,
) -> Result<Vec<Outcome>, ReplayError> {
    config.check()?;
    let of = |name: &String| Stores::design(name).map(Candidate::of);
    let candidates: Vec<_> = config.design.iter().map(of).collect::<Result<_, _>>()?;
    run_on(config, workload, &candidates, resume, progress, stop)
}

/// As [`run`], on designs of one's own, or on others than those that [`RunConfig::design`] names.
///
/// The setting is only recorded then; it ought to say what the candidates are.
pub fn run_on(
    config: &RunConfig,
    workload: &Workload,
    candidates: &[Candidate<'_>],
    resume: bool,
    progress: &dyn Progress,
    stop: &AtomicBool,
) -> Result<Vec<Outcome>, ReplayError> {
    config.check()?;
    let device = config.device.as_deref().map(device_of).transpose()?;
    let mut roots = Roots::default();
    if let Some(path) = &config.check_roots {
        roots.add(Reference::of_run(path, &config.to_value())?);
    }
    let mut outcomes = Vec::new();
    for candidate in candidates {
        let dir = match candidates.len() {
            1 => config.out.clone(),
            _ => config.out.join(candidate.name()),
        };
        let run = Run {
            config,
            workload,
            progress,
            stop,
            candidate,
            device: device.as_ref(),
        };
        let (outcome, own) = run.with_noise(&dir, resume, &roots)?;
        let interrupted = outcome.result.status == RunStatus::Interrupted;
        outcomes.push(outcome);
        if let Some(own) = own {
            roots.add(own);
        }
        if interrupted {
            break;
        }
    }
    Ok(outcomes)
}

/// One design's run.
#[derive(Clone, Copy)]
struct Run<'a> {
    config: &'a RunConfig,
    workload: &'a Workload,
    progress: &'a dyn Progress,
    stop: &'a AtomicBool,
    candidate: &'a Candidate<'a>,
    device: Option<&'a DeviceProfile>,
}

/// The profile of the device that the settings name.
fn device_of(name: &Path) -> Result<DeviceProfile, ReplayError> {
    let name = name.to_string_lossy();
    device::load(&name).map_err(ReplayError::workload("the device's profile"))
}

/// A run whose result is not yet written.
struct Open {
    recorder: Recorder,
    result: RunResult,
    own: Option<Reference>,
}

impl Run<'_> {
    /// Runs once, or twice for the noise floor, and writes the result of the first.
    fn with_noise(
        &self,
        dir: &Path,
        resume: bool,
        roots: &Roots,
    ) -> Result<(Outcome, Option<Reference>), ReplayError> {
        let mut first = self.once(dir, resume, roots)?;
        if self.config.self_check && first.result.status == RunStatus::Completed {
            self.progress.note("once more, for the noise floor");
            let mut again_roots = roots.clone();
            if let Some(own) = first.own.clone() {
                again_roots.add(own);
            }
            let again = self.once(&dir.join("again"), false, &again_roots)?;
            first.result.noise_floor = noise_floor(&first.result.metrics, &again.result.metrics);
            again.recorder.finish(&again.result)?;
        }
        first.recorder.finish(&first.result)?;
        let outcome = Outcome {
            dir: dir.to_owned(),
            result: first.result,
        };
        Ok((outcome, first.own))
    }

    fn once(&self, dir: &Path, resume: bool, roots: &Roots) -> Result<Open, ReplayError> {
        let earlier = match resume {
            false => None,
            true => {
                let earlier = Checkpoint::read(dir)?;
                earlier.check(&self.config.to_value())?;
                Some(earlier)
            }
        };
        let recorder = match &earlier {
            Some(earlier) => Recorder::resume_at(dir, earlier.slots)?,
            None => Recorder::create(dir)?,
        };
        let store = dir.join("store");
        let design = match &earlier {
            Some(earlier) => self.reopened(&store, earlier)?,
            None => {
                Checkpoint::remove(dir)?;
                self.stores().filled(self.candidate, &store)?
            }
        };
        let dropped = match self.config.drop_caches {
            true => Some(drop_page_cache(&store)?),
            false => None,
        };
        let mut session = self.session(&*design, recorder, earlier, roots);
        let ended = self.blocks(&mut session, &*design, &store);
        let open = self.concluded(session, &*design, &store, dropped, ended)?;
        drop(design);
        let keep = self.config.keep_store || self.config.checkpoint.is_some();
        if !keep || (open.result.status.is_final() && !self.config.keep_store) {
            stores::remove(&store)?;
            Checkpoint::remove(dir)?;
        }
        Ok(open)
    }

    fn stores(&self) -> Stores<'_> {
        Stores {
            config: self.config,
            workload: self.workload,
            progress: self.progress,
        }
    }

    /// The store of a run that is gone on with, at its checkpoint.
    fn reopened(
        &self,
        store: &Path,
        earlier: &Checkpoint,
    ) -> Result<Box<dyn StateDesign>, ReplayError> {
        let mut design = stores::open(self.config, self.candidate, store)?;
        let ahead = design.head() > Some(earlier.block);
        while design.head().is_some_and(|head| head > earlier.block) {
            design
                .undo()
                .map_err(ReplayError::state(self.candidate.name()))?;
        }
        if ahead {
            // What a design keeps beside its store is that of the checkpoint, and is read when it is opened.
            design
                .flush()
                .map_err(ReplayError::state(self.candidate.name()))?;
            drop(design);
            design = stores::open(self.config, self.candidate, store)?;
        }
        if design.head() != Some(earlier.block) {
            return Err(CheckpointError::Store {
                expected: earlier.block,
                got: design.head(),
            }
            .into());
        }
        Ok(design)
    }

    fn session<'a>(
        &'a self,
        design: &dyn StateDesign,
        recorder: Recorder,
        earlier: Option<Checkpoint>,
        roots: &'a Roots,
    ) -> Session<'a> {
        let info = design.info();
        let earlier_wall_s = earlier.as_ref().map_or(0.0, |it| it.wall_s);
        let fresh = || Checkpoint::new(self.config.to_value(), self.workload.base(), now_s());
        let own = info
            .trie
            .as_ref()
            .map(|trie| Reference::new(format!("design {} in this run", info.name), trie.clone()));
        Session {
            config: self.config,
            recorder,
            roots,
            whole: self.workload.is_whole(),
            progress: self.progress,
            slots: self.slots(),
            reached: earlier.unwrap_or_else(fresh),
            own,
            last: None,
            begun: Instant::now(),
            earlier_wall_s,
            device: self.device.cloned(),
            info,
        }
    }

    /// Slots in all: as many as asked for, or as many as there are.
    fn slots(&self) -> Option<u64> {
        match (self.config.slots(), self.workload.slots()) {
            (Some(asked), Some(there)) => Some(asked.min(there)),
            (asked, there) => asked.or(there),
        }
    }

    fn blocks(
        &self,
        session: &mut Session<'_>,
        design: &dyn StateDesign,
        store: &Path,
    ) -> Result<RunStatus, ReplayError> {
        let warm_up = self.config.warm_up;
        if let Some(got) = self.slots().filter(|got| *got <= warm_up) {
            return Err(ReplayError::TooShort { got, warm_up });
        }
        let done = session.reached.slots;
        let mut source = self.workload.source()?;
        source.skip(done)?;
        let mut probes = Probes::open(store);
        let pipeline = Pipeline {
            design,
            pace: self.config.pace(),
            overlap: !self.config.no_overlap,
            plan_ahead: self.config.plan_ahead,
            warm_up,
            done,
            blocks: self.slots(),
            checkpoint: self.config.checkpoint,
            stop: self.stop,
        };
        let mut recording = Recording { session, design };
        let ended = pipeline.run(&mut *source, &mut probes, &mut recording)?;
        recording.session.ended(&ended);
        let status = match (ended.completed, ended.enough) {
            (true, _) => RunStatus::Completed,
            (false, true) => RunStatus::Decided,
            (false, false) => RunStatus::Interrupted,
        };
        if self.config.checkpoint.is_some() && !status.is_final() {
            recording.checkpoint()?;
        }
        Ok(status)
    }

    /// The result of a run that ended, in whatever way. An error is returned once it is written.
    fn concluded(
        &self,
        mut session: Session<'_>,
        design: &dyn StateDesign,
        store: &Path,
        dropped: Option<Dropped>,
        ended: Result<RunStatus, ReplayError>,
    ) -> Result<Open, ReplayError> {
        let size = design.flush().and_then(|()| design.size());
        let size = size.map_err(ReplayError::state(self.candidate.name()));
        let workload = self.workload.info(self.config);
        let (size, ended) = match (size, ended) {
            (Ok(size), ended) => (size, ended),
            // The first error is the one to tell.
            (Err(error), ended) => (Default::default(), ended.and(Err(error))),
        };
        let mut result = session.result(workload, store, dropped, size);
        let own = session.own.take();
        match ended {
            Ok(status) => {
                result.status = status;
                result.decided = (status == RunStatus::Decided).then(|| session.decided());
                Ok(Open {
                    recorder: session.recorder,
                    result,
                    own,
                })
            }
            Err(error) => {
                result.error = Some(error.chain());
                session.recorder.finish(&result)?;
                Err(error)
            }
        }
    }
}
