//! Rounds of blocks on a store, and what is measured of them: the one loop that all workloads run in.
//!
//! | figure | of what |
//! |---|---|
//! | updates per second | of each round: updates by the time of its commits; tables show the median of the rounds |
//! | latencies | of all blocks of all rounds |
//! | bytes | of the process (`/proc/self/io`: sent to the device, or dirtied in the page cache) and of the device under the folder (`stat` of `/sys/dev/block`, all processes), over all rounds and the flush after them |
//! | CPU | of all threads of the process over the same time, less what making the blocks took |

mod figures;

pub use figures::{BlockFigures, Bytes, Latencies};

use crate::store::BoxError;
use alloy_primitives::B256;
use core::{
    sync::atomic::{AtomicBool, Ordering::SeqCst},
    time::Duration,
};
use rustix::time::ClockId;
use std::{path::Path, time::Instant};
use thinstate_replay::measure::probes::{Probes, cpu_time};

/// What blocks are applied to.
pub trait Subject<B: ?Sized> {
    /// Takes the next block, outside of the time that is measured.
    fn prepare(&mut self, block: &B);

    /// Commits it, durably.
    fn commit(&mut self) -> Result<Done, BoxError>;

    /// Writes what is held in memory and would be written later.
    fn flush(&mut self) -> Result<(), BoxError>;
}

/// What a block did.
#[derive(Clone, Copy, Debug, Default)]
pub struct Done {
    /// Keys set, or records spent and made.
    pub updates: u64,
    /// Time until the root was known, where the store tells.
    pub hashed_in: Duration,
    /// The root after it, where the store tells.
    pub root: Option<B256>,
    /// Bytes that transactions had to bring along.
    pub witness_bytes: u64,
}

/// How many blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Blocks before the first round, which do not count.
    pub warm_up: u64,
    /// Rounds.
    pub rounds: u64,
    /// Blocks of each.
    pub blocks: u64,
}

/// Why rounds ended early.
#[derive(Debug, thiserror::Error)]
pub enum RoundsError {
    /// A block could not be made: the settings of the workload do not fit each other.
    #[error("make block {block}")]
    Workload {
        /// The block, from the first of the warm-up.
        block: u64,
        /// Why.
        source: BoxError,
    },
    /// The store failed; what it holds now is not known.
    #[error("{action}, block {block}")]
    Store {
        /// What it was doing.
        action: &'static str,
        /// The block, from the first of the warm-up.
        block: u64,
        /// Why.
        source: BoxError,
    },
    /// Somebody asked for an end.
    #[error("interrupted")]
    Interrupted,
}

/// Runs the rounds. `next` makes the blocks; `folder` lies on the device that is watched.
pub fn run<B>(
    subject: &mut (impl Subject<B> + ?Sized),
    plan: Plan,
    folder: &Path,
    mut next: impl FnMut() -> Result<B, BoxError>,
    stop: &AtomicBool,
) -> Result<BlockFigures, RoundsError> {
    let mut run = Running {
        subject,
        stop,
        block: 0,
        making: Duration::ZERO,
    };
    for _ in 0..plan.warm_up {
        run.step(&mut next)?;
    }
    let mut probes = Probes::open(folder);
    run.making = Duration::ZERO;
    let before = probes.now();
    let mut figures = BlockFigures::default();
    let mut times = Times::default();
    for _ in 0..plan.rounds {
        let (mut updates, mut took) = (0, Duration::ZERO);
        for _ in 0..plan.blocks {
            let (done, time) = run.step(&mut next)?;
            updates += done.updates;
            took += time;
            times.commit.push(nanoseconds(time));
            times.hash.push(nanoseconds(done.hashed_in));
            figures.witness_bytes += done.witness_bytes;
            figures.root = done.root.or(figures.root);
        }
        figures.updates += updates;
        figures
            .updates_per_second
            .push(updates as f64 / took.as_secs_f64());
    }
    let flushing = Instant::now();
    run.flush::<B>()?;
    figures.flush_ns = nanoseconds(flushing.elapsed());
    let used = probes.now().since(&before);
    figures.blocks = plan.rounds * plan.blocks;
    figures.bytes = Bytes::of(&used);
    figures.cpu_ns = nanoseconds(used.process.cpu.saturating_sub(run.making));
    figures.commit_ns = Latencies::of(times.commit);
    figures.hash_ns = Latencies::of(times.hash);
    Ok(figures)
}

/// Times of all blocks, in nanoseconds.
#[derive(Default)]
struct Times {
    commit: Vec<u64>,
    hash: Vec<u64>,
}

struct Running<'a, S: ?Sized> {
    subject: &'a mut S,
    stop: &'a AtomicBool,
    /// Blocks so far.
    block: u64,
    /// CPU time of this thread that making blocks took.
    making: Duration,
}

impl<S: ?Sized> Running<'_, S> {
    /// Makes and commits one block.
    fn step<B>(
        &mut self,
        next: &mut impl FnMut() -> Result<B, BoxError>,
    ) -> Result<(Done, Duration), RoundsError>
    where
        S: Subject<B>,
    {
        if self.stop.load(SeqCst) {
            return Err(RoundsError::Interrupted);
        }
        let block = self.block;
        let cpu = cpu_time(ClockId::ThreadCPUTime);
        let made = next().map_err(|source| RoundsError::Workload { block, source })?;
        self.subject.prepare(&made);
        self.making += cpu_time(ClockId::ThreadCPUTime).saturating_sub(cpu);
        let started = Instant::now();
        let done = self.subject.commit();
        let took = started.elapsed();
        let done = done.map_err(|source| RoundsError::Store {
            action: "commit",
            block,
            source,
        })?;
        self.block += 1;
        Ok((done, took))
    }

    fn flush<B>(&mut self) -> Result<(), RoundsError>
    where
        S: Subject<B>,
    {
        self.subject.flush().map_err(|source| RoundsError::Store {
            action: "flush",
            block: self.block,
            source,
        })
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts, and fails at a block.
    #[derive(Default)]
    struct Counting {
        prepared: u64,
        committed: u64,
        flushed: u64,
        fails_at: Option<u64>,
    }

    impl Subject<u64> for Counting {
        fn prepare(&mut self, block: &u64) {
            self.prepared += block;
        }

        fn commit(&mut self) -> Result<Done, BoxError> {
            if self.fails_at == Some(self.committed) {
                return Err("the disk is gone".into());
            }
            self.committed += 1;
            Ok(Done {
                updates: 3,
                witness_bytes: 2,
                ..Done::default()
            })
        }

        fn flush(&mut self) -> Result<(), BoxError> {
            self.flushed += 1;
            Ok(())
        }
    }

    const PLAN: Plan = Plan {
        warm_up: 2,
        rounds: 3,
        blocks: 4,
    };

    fn run_on(subject: &mut Counting, stop: bool) -> Result<BlockFigures, RoundsError> {
        let stop = AtomicBool::new(stop);
        run(subject, PLAN, Path::new("."), || Ok(1), &stop)
    }

    #[test]
    fn no_block_of_the_warm_up_counts() {
        let mut subject = Counting::default();
        let figures = run_on(&mut subject, false).expect("it counts");
        assert_eq!(
            (subject.prepared, subject.committed, subject.flushed),
            (14, 14, 1)
        );
        assert_eq!((figures.blocks, figures.updates), (12, 36));
        assert_eq!(figures.witness_bytes, 24);
        assert_eq!(figures.updates_per_second.len(), 3);
    }

    #[test]
    fn no_failed_block_is_counted() {
        let mut subject = Counting {
            fails_at: Some(5),
            ..Counting::default()
        };
        let error = run_on(&mut subject, false).expect_err("it fails");
        assert!(
            matches!(error, RoundsError::Store { block: 5, .. }),
            "{error}"
        );
        let error = run_on(&mut Counting::default(), true).expect_err("it is stopped");
        assert!(matches!(error, RoundsError::Interrupted), "{error}");
    }
}
