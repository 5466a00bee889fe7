//! Threads that read pages into the cache, ahead of their use.
//!
//! Who computes from pages has the next ones read meanwhile: the device works while the cores do. Pages that the
//! cache holds already are not asked for, so that a store whose pages are all there never wakes a thread.

use super::super::ahead::Outcome;
use super::super::{ReadAhead, Table};
use super::ids::Run;
use super::shared::Core;
use super::tree::State;
use super::workers::Workers;
use crossbeam::channel::{Receiver, Sender, unbounded};
use std::sync::{Arc, LazyLock};
use std::thread;

/// Requests that one thread has in flight: a ring's.
const RUNS_TOGETHER: usize = 64;
/// Pages of a job at most, where it has more than one run: until all are read, they have memory beside the cache's.
const PAGES_TOGETHER: u32 = 256;
/// Threads for each core: while one looks through the pages that came, others have the device busy.
const THREADS_OF_CORE: usize = 2;
/// Threads at least.
const THREADS_MIN: usize = 4;
/// Threads at most: each has many reads in flight.
const THREADS_MAX: usize = 16;

/// What a thread is to read.
struct Job {
    core: Arc<Core>,
    /// Keeps the pages from being used again.
    state: Arc<State>,
    table: Table,
    runs: Vec<Run>,
    number: usize,
    outcome: Sender<Outcome>,
}

impl Job {
    fn run(self) {
        let Self {
            core,
            state,
            table,
            runs,
            number,
            outcome,
        } = self;
        let read = core.read_runs(table, &runs).map(|pages| {
            for (id, page) in pages {
                core.cache.insert(id, page);
            }
        });
        // Before the caller hears of it, who may close the store then.
        drop((state, core));
        // A caller that waits no longer wants no answer.
        drop(outcome.send((number, read)));
    }
}

/// The threads. They begin with the first reads, and end when this is dropped.
pub(super) struct ReaderThreads(LazyLock<Workers<Job>>);

impl ReaderThreads {
    pub(super) const fn new() -> Self {
        Self(LazyLock::new(|| {
            let cores = thread::available_parallelism().map_or(1, usize::from);
            let threads = (THREADS_OF_CORE * cores).clamp(THREADS_MIN, THREADS_MAX);
            Workers::start("page-ahead", threads, Job::run)
        }))
    }

    /// Has a job done by one of them; by this one where there is none.
    fn take(&self, job: Job) {
        if let Err(job) = self.0.send(job) {
            job.run();
        }
    }
}

/// Reads of one caller, while it begins them.
pub(super) struct Reads<'a> {
    core: &'a Arc<Core>,
    state: &'a Arc<State>,
    begun: usize,
    outcomes: Option<(Sender<Outcome>, Receiver<Outcome>)>,
}

impl<'a> Reads<'a> {
    pub(super) const fn new(core: &'a Arc<Core>, state: &'a Arc<State>) -> Self {
        Self {
            core,
            state,
            begun: 0,
            outcomes: None,
        }
    }

    /// Begins to read these runs.
    pub(super) fn begin(&mut self, threads: &ReaderThreads, table: Table, runs: &[Run]) {
        let (outcome, _) = self.outcomes.get_or_insert_with(unbounded);
        for runs in jobs(runs) {
            threads.take(Job {
                core: Arc::clone(self.core),
                state: Arc::clone(self.state),
                table,
                runs: runs.to_vec(),
                number: self.begun,
                outcome: outcome.clone(),
            });
            self.begun += 1;
        }
    }

    /// What is waited for.
    pub(super) fn ahead(self) -> ReadAhead {
        self.outcomes.map_or(ReadAhead::done(), |(_, outcomes)| {
            ReadAhead::under_way(outcomes)
        })
    }
}

/// The runs, for one job after the other.
fn jobs(mut runs: &[Run]) -> impl Iterator<Item = &[Run]> {
    core::iter::from_fn(move || {
        let mut pages = 0;
        let fits = |run: &&Run| {
            pages += run.pages;
            pages <= PAGES_TOGETHER
        };
        let count = runs.iter().take(RUNS_TOGETHER).take_while(fits).count();
        let count = count.max(1).min(runs.len());
        let (job, rest) = runs.split_at(count);
        runs = rest;
        (!job.is_empty()).then_some(job)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_job_has_more_than_it_may_and_no_run_is_left_out() {
        let sizes = [1, 64, 300, 2, 255, 1, 1].into_iter();
        let sizes = sizes.chain([1; 100]).chain([64; 9]);
        let runs: Vec<_> = (7..)
            .zip(sizes)
            .map(|(start, pages)| Run { start, pages })
            .collect();
        let jobs: Vec<_> = jobs(&runs).collect();
        assert_eq!(jobs.concat(), runs);
        for job in &jobs {
            let pages: u32 = job.iter().map(|run| run.pages).sum();
            assert!(job.len() <= RUNS_TOGETHER && !job.is_empty());
            assert!(pages <= PAGES_TOGETHER || job.len() == 1, "{pages} pages");
        }
        assert!(jobs.len() < 10, "{} jobs", jobs.len());
    }
}
