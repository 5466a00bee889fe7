//! Who builds what: buckets and parts as tasks of all threads, each read before its turn comes.
//!
//! A thread begins the reads of a task before it builds the one whose reads were begun first, its own or another
//! thread's. So the reads of some tasks for each thread are under way while the threads compute, and of a part, which
//! is built one lot of buckets after the other, those of its next lots. What is read ahead is bounded by that, whatever
//! the size of the update.

use super::{
    error::StateError,
    forest::Forest,
    plan::{BucketJob, Part, Plan},
    update::{Built, Roots, TrieJob, Updater},
    work::{TrieWork, spend},
};
use crate::leaf_store::{LeafRead, ReadAhead};
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use rayon::prelude::*;
use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};

/// Buckets that are read, built and hashed together.
const BUCKETS_TOGETHER: usize = 64;
/// Lots of buckets that a thread has under way beside the one that it builds, at most: a device has hundreds of reads in
/// flight, and two threads with one lot each would leave it idle between them.
const AHEAD_MAX: usize = 4;
/// Lots that all threads have under way together, where that is no less than one for each: what is read waits in a
/// cache that may be small.
const AHEAD_TOGETHER: usize = 16;
/// Buckets that are not worth waking another thread for.
const BUCKETS_ALONE: usize = 4;

/// What one thread does at a time.
#[derive(Clone, Copy)]
enum Task<'a> {
    Buckets(&'a [BucketJob]),
    Part(&'a Part),
}

/// A task whose first reads are under way.
struct Begun<'a> {
    /// Its place among the tasks.
    index: usize,
    what: What<'a>,
    ahead: ReadAhead,
    /// What it has cost so far.
    work: TrieWork,
}

/// What is built by a task.
enum What<'a> {
    Buckets(&'a [BucketJob]),
    Part(&'a Part, Plan),
}

/// The tasks of an update.
struct Queue<'a> {
    tasks: Vec<Task<'a>>,
    /// The first that nobody has begun.
    next: AtomicUsize,
    begun: Mutex<VecDeque<Begun<'a>>>,
    /// Whether there are parts among them, which have reads ahead of their own.
    has_parts: bool,
}

impl<'a> Queue<'a> {
    /// Buckets, `together` so many, and parts, in the order in which they were planned.
    fn new(buckets: &'a [BucketJob], parts: &'a [Part], together: usize) -> Self {
        let mut tasks = Vec::with_capacity(buckets.len().div_ceil(together) + 2 * parts.len());
        let mut planned = 0;
        for part in parts {
            let between = &buckets[planned..part.behind];
            tasks.extend(between.chunks(together).map(Task::Buckets));
            tasks.push(Task::Part(part));
            planned = part.behind;
        }
        tasks.extend(buckets[planned..].chunks(together).map(Task::Buckets));
        Self {
            tasks,
            next: AtomicUsize::new(0),
            begun: Mutex::default(),
            has_parts: !parts.is_empty(),
        }
    }

    /// A task to be begun.
    fn take(&self) -> Option<(usize, Task<'a>)> {
        let index = self.next.fetch_add(1, Relaxed);
        Some((index, *self.tasks.get(index)?))
    }

    /// Those that were begun, and are not built yet.
    fn begun(&self) -> MutexGuard<'_, VecDeque<Begun<'a>>> {
        // Nothing that can panic is done while it is held.
        self.begun.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<R: LeafRead> Updater<'_, R> {
    /// Builds buckets and parts; what comes of them in the order in which they were planned.
    pub(super) fn build_all(
        &self,
        jobs: &[TrieJob],
        buckets: &[BucketJob],
        parts: &[Part],
        note: bool,
    ) -> Result<Vec<Built>, StateError> {
        let queue = Queue::new(buckets, parts, self.buckets_together(buckets.len()));
        let threads = self.pool.current_num_threads().min(queue.tasks.len());
        let work = |_| self.build_tasks(jobs, &queue, note);
        let mut built: Vec<_> = if threads <= 1 {
            work(0)
        } else {
            let threads = (0..threads).into_par_iter().with_max_len(1);
            self.pool.install(|| threads.flat_map_iter(work).collect())
        };
        built.sort_unstable_by_key(|(index, _)| *index);
        // Only now, so that of several errors the same one is returned every time.
        built.into_iter().map(|(_, built)| built).collect()
    }

    /// How many tasks of one lot, or lots of its part, a thread has under way beside the one that it builds.
    fn ahead(&self) -> usize {
        let of_each = AHEAD_TOGETHER / self.pool.current_num_threads();
        of_each.clamp(1, AHEAD_MAX)
    }

    /// How many of so many buckets make a task, for work for all threads.
    fn buckets_together(&self, buckets: usize) -> usize {
        let tasks = self.pool.current_num_threads() * 4;
        buckets
            .div_ceil(tasks)
            .clamp(BUCKETS_ALONE, BUCKETS_TOGETHER)
    }

    /// What one of the threads does; what it has built, with its place among the tasks.
    fn build_tasks(
        &self,
        jobs: &[TrieJob],
        queue: &Queue<'_>,
        note: bool,
    ) -> Vec<(usize, Result<Built, StateError>)> {
        let mut forest = Forest::new(self.hasher);
        let mut built = Vec::new();
        // Those that stay under way.
        let tasks = if queue.has_parts { 1 } else { self.ahead() };
        for _ in 0..tasks {
            self.begin_next(jobs, queue);
        }
        loop {
            self.begin_next(jobs, queue);
            let begun = queue.begun().pop_front();
            let Some(begun) = begun else {
                return built;
            };
            let Begun {
                index, what, ahead, ..
            } = begun;
            let mut result = match what {
                What::Buckets(buckets) => self.build(&mut forest, jobs, buckets, ahead, note),
                What::Part(part, plan) => self.build_part(&mut forest, jobs, part, plan, ahead),
            };
            if let Ok(built) = &mut result {
                built.work.add(&begun.work);
            }
            built.push((index, result));
        }
    }

    /// Begins the reads of a task, if there is one left.
    fn begin_next(&self, jobs: &[TrieJob], queue: &Queue<'_>) {
        let Some((index, task)) = queue.take() else {
            return;
        };
        let mut work = TrieWork::default();
        let (what, ahead) = match task {
            Task::Buckets(buckets) => {
                let ahead = self.read_ahead(jobs, buckets, &mut work);
                (What::Buckets(buckets), ahead)
            }
            Task::Part(part) => {
                let started = Instant::now();
                let plan = Plan::of_part(&jobs[part.job as usize], part);
                spend(&mut work.plan_ns, started);
                let first = plan.buckets.chunks(BUCKETS_TOGETHER).next();
                let ahead = self.read_ahead(jobs, first.unwrap_or_default(), &mut work);
                (What::Part(part, plan), ahead)
            }
        };
        queue.begun().push_back(Begun {
            index,
            what,
            ahead,
            work,
        });
    }

    /// Builds a part, whose first buckets are on their way.
    fn build_part(
        &self,
        forest: &mut Forest<'_>,
        jobs: &[TrieJob],
        part: &Part,
        plan: Plan,
        first: ReadAhead,
    ) -> Result<Built, StateError> {
        let mut built = Vec::new();
        let mut work = TrieWork::default();
        let lots = plan.buckets.chunks(BUCKETS_TOGETHER);
        let mut next = lots.clone().skip(1);
        let mut under_way = VecDeque::from([first]);
        for lot in lots {
            let missing = (self.ahead() + 1).saturating_sub(under_way.len());
            for lot in next.by_ref().take(missing) {
                under_way.push_back(self.read_ahead(jobs, lot, &mut work));
            }
            let ahead = under_way
                .pop_front()
                .expect("a lot's reads are begun before its turn");
            built.push(self.build(forest, jobs, lot, ahead, true)?);
        }
        let mut built = self.assemble(jobs, plan.open, built, Roots::of(part.job, 1))?;
        built.work.add(&work);
        for (parent, _, _) in &mut built.children {
            *parent = part.parent;
        }
        Ok(built)
    }
}
