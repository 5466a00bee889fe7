//! Threads that read pages into the cache, ahead of their use.
//!
//! Who computes from pages has the next ones read meanwhile: the device works while the cores do. Pages that the
//! cache holds already are not asked for, so that a store whose pages are all there never wakes a thread.

use super::super::{ReadAhead, StoreError, Table};
use super::ids::Run;
use super::shared::Core;
use super::tree::State;
use crossbeam::channel::{Receiver, Sender, unbounded};
use std::sync::{Arc, LazyLock};
use std::thread::{self, JoinHandle};

/// Requests that one thread has in flight: a ring's.
const RUNS_TOGETHER: usize = 64;
/// Threads at least: while one looks through the pages that came, another has the device busy.
const THREADS_MIN: usize = 2;
/// Threads at most: each has many reads in flight.
const THREADS_MAX: usize = 16;

/// What has become of a job, behind its number.
type Outcome = (usize, Result<(), StoreError>);

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
pub(super) struct ReaderThreads(LazyLock<Threads>);

struct Threads {
    /// Given away when the threads are to end.
    jobs: Option<Sender<Job>>,
    handles: Vec<JoinHandle<()>>,
}

impl ReaderThreads {
    pub(super) const fn new() -> Self {
        Self(LazyLock::new(Threads::start))
    }

    fn take(&self, job: Job) {
        match &self.0.jobs {
            Some(jobs) if !self.0.handles.is_empty() => {
                if let Err(refused) = jobs.send(job) {
                    refused.into_inner().run();
                }
            }
            _ => job.run(),
        }
    }
}

impl Threads {
    /// As many as the operating system grants, perhaps none.
    fn start() -> Self {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let (sender, jobs) = unbounded();
        let begin = |index: usize| {
            let jobs: Receiver<Job> = jobs.clone();
            thread::Builder::new()
                .name(format!("page-ahead-{index}"))
                .spawn(move || jobs.into_iter().for_each(Job::run))
        };
        let threads = 0..cores.clamp(THREADS_MIN, THREADS_MAX);
        Self {
            jobs: Some(sender),
            handles: threads.map_while(|index| begin(index).ok()).collect(),
        }
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.jobs = None;
        for handle in self.handles.drain(..) {
            // One that panicked has answered nothing: what it was to read is read when it is used.
            drop(handle.join());
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
        for runs in runs.chunks(RUNS_TOGETHER) {
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
