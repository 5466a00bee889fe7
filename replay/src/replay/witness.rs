//! Blocks of a trace, each on the state of its own witness.
//!
//! A trace of single blocks has no common state. Where their witnesses are at hand each block gets a store of
//! its own: the root of its parent, the nodes of the witness, and stubs for the rest. The design reads what the
//! trace says that the block reads, and finds what it says that it finds; its writes are applied, and the
//! root must be the header's.

use super::{
    Candidate, ConfigError, Progress, RunConfig, Stores,
    clock::Pace,
    error::ReplayError,
    pipeline::{BlockDone, Pipeline, Sink},
    progress::BlockProgress,
    stores,
};
use crate::{
    amplify::{LoadSource, SourceError},
    design::DesignError,
    load::BlockLoad,
    measure::{BlockCost, Recorder, probes::Probes},
    source::witness,
    trace::TraceReader,
    verify::partial_state,
};
use alloy_primitives::B256;
use core::ops::ControlFlow;
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Instant,
};
use thinstate_engine::{CommitError, MissingNode, Need, Options, StateError};
use thinstate_formats::BlockNumber;

/// What came of the blocks.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WitnessReport {
    /// Blocks whose root is the header's.
    pub agreed: u64,
    /// Blocks whose root cannot be computed: a branch collapses, and the witness lacks the sibling that is
    /// left.
    pub unknown: Vec<(BlockNumber, MissingNode)>,
    /// Whether all blocks of the trace were done.
    pub completed: bool,
}

/// Replays each block of the trace of `config` on the witness that `folder` has of it. Rows of what the
/// blocks cost lie in [`RunConfig::out`]; there is no `result.json`, since stores of one block measure nothing
/// that a node would see.
pub fn replay_witnesses(
    config: &RunConfig,
    folder: &Path,
    progress: &dyn Progress,
    stop: &AtomicBool,
) -> Result<WitnessReport, ReplayError> {
    let (Some(path), [design]) = (&config.trace, config.design.as_slice()) else {
        return Err(ConfigError::Together {
            name: "witness",
            rule: "is the state of a trace's blocks: give a trace, and one design",
        }
        .into());
    };
    let candidate = Candidate::of(Stores::design(design)?);
    let trace = TraceReader::open(path).map_err(SourceError::from)?;
    let files = files(folder)?;
    let mut recorder = Recorder::create(&config.out)?;
    let mut report = WitnessReport::default();
    let begun = Instant::now();
    let of = Some(trace.len() as u64);
    for (done, block) in trace.blocks().enumerate() {
        if stop.load(Relaxed) {
            return Ok(report);
        }
        let block = block.map_err(SourceError::from)?;
        let load = BlockLoad::collapse(&block).map_err(SourceError::from)?;
        let one = OneBlock {
            config,
            candidate: &candidate,
            load,
            file: files
                .get(&block.number)
                .ok_or_else(|| lacks(folder, block.number))?,
        };
        match one.replay(stop)? {
            Root::Agrees(cost) => {
                report.agreed += 1;
                recorder.add(&cost)?;
                progress.block(&BlockProgress {
                    cost: &cost,
                    done: done as u64 + 1,
                    of,
                    backlog: 0,
                    elapsed_s: begun.elapsed().as_secs_f64(),
                });
            }
            Root::Unknown(node) => {
                progress.note(&format!("block {}: no root: {node}", block.number));
                report.unknown.push((block.number, node));
            }
        }
    }
    recorder.flush()?;
    report.completed = true;
    Ok(report)
}

fn files(folder: &Path) -> Result<BTreeMap<BlockNumber, PathBuf>, ReplayError> {
    let found = witness::find(folder).map_err(ReplayError::workload("the witnesses"))?;
    let number = |path: PathBuf| {
        let name = path.file_name()?.to_string_lossy().into_owned();
        let number = name.split('.').next()?.parse().ok()?;
        Some((BlockNumber(number), path))
    };
    Ok(found.into_iter().filter_map(number).collect())
}

fn lacks(folder: &Path, number: BlockNumber) -> ReplayError {
    let missing = std::io::Error::new(
        std::io::ErrorKind::NotFound,
        format!("no file {number}.json, nor with .zst"),
    );
    let what = format!("the witness of block {number} in {}", folder.display());
    ReplayError::workload(what)(missing)
}

enum Root {
    Agrees(Box<BlockCost>),
    Unknown(MissingNode),
}

/// A block, and what it is replayed with.
struct OneBlock<'a> {
    config: &'a RunConfig,
    candidate: &'a Candidate<'a>,
    load: BlockLoad,
    file: &'a Path,
}

impl OneBlock<'_> {
    fn replay(self, stop: &AtomicBool) -> Result<Root, ReplayError> {
        let number = self.load.number;
        let dir = self.config.out.join(format!("store-{number}"));
        stores::remove(&dir)?;
        let replayed = self.in_store(&dir, stop);
        stores::remove(&dir)?;
        replayed
    }

    fn in_store(self, dir: &Path, stop: &AtomicBool) -> Result<Root, ReplayError> {
        let number = self.load.number;
        let what = || format!("block {number} ({})", self.file.display());
        let witness = witness::read(self.file).map_err(ReplayError::workload(what()))?;
        let expected = witness.block.header.state_root;
        let (tier, _) = partial_state(dir, &witness, self.config.store, Options::default())
            .map_err(ReplayError::workload(what()))?;
        tier.compact().map_err(ReplayError::workload(what()))?;
        drop(tier);
        let design = stores::open(self.config, self.candidate, dir)?;
        let pipeline = Pipeline {
            design: &*design,
            pace: Pace::Closed,
            overlap: false,
            plan_ahead: 1,
            warm_up: 0,
            done: 0,
            blocks: Some(1),
            checkpoint: None,
            stop,
        };
        let mut once = Once(Some(self.load));
        let mut taken = Taken::default();
        let ran = pipeline.run(&mut once, &mut Probes::open(dir), &mut taken);
        if let Err(error) = ran {
            return match lacking(&error) {
                Some(node) => Ok(Root::Unknown(node)),
                None => Err(error),
            };
        }
        taken.root(number, self.candidate.name(), expected)
    }
}

/// The sibling that a collapse lacks, where that is what an error says.
fn lacking(error: &ReplayError) -> Option<MissingNode> {
    let ReplayError::State {
        source: DesignError::Store { source, .. },
        ..
    } = error
    else {
        return None;
    };
    let node = match source.downcast_ref::<CommitError>() {
        Some(CommitError::State(StateError::Missing(node))) => node.as_ref(),
        _ => source.downcast_ref::<MissingNode>()?,
    };
    (node.needed_for == Need::Collapse).then(|| node.clone())
}

/// A source of one load.
struct Once(Option<BlockLoad>);

impl LoadSource for Once {
    fn next(&mut self) -> Result<Option<BlockLoad>, SourceError> {
        Ok(self.0.take())
    }

    fn remaining(&self) -> Option<u64> {
        Some(self.0.iter().len() as u64)
    }
}

/// Takes the one block.
#[derive(Default)]
struct Taken(Option<Box<BlockCost>>);

impl Sink for Taken {
    fn begin(&mut self) -> Result<(), ReplayError> {
        Ok(())
    }

    fn block(&mut self, block: &BlockDone) -> Result<ControlFlow<()>, ReplayError> {
        self.0 = Some(Box::new(block.cost));
        Ok(ControlFlow::Continue(()))
    }
}

impl Taken {
    fn root(self, number: BlockNumber, design: &str, expected: B256) -> Result<Root, ReplayError> {
        let cost = self.0.unwrap_or_default();
        match cost.state_root {
            Some(got) if got != expected => Err(ReplayError::Root {
                number,
                design: design.to_owned(),
                got,
                expected,
                reference: "the block's header".to_owned(),
            }),
            _ => Ok(Root::Agrees(cost)),
        }
    }
}
