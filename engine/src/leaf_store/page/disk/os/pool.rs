//! Requests in flight by threads.

use super::super::Answer;
use super::Handle;
use crossbeam::channel::{Receiver, Sender, unbounded};
use std::{
    sync::Arc,
    thread::{self, JoinHandle},
};

/// Reads in flight at most. Threads wait for the device, not for a core.
const THREADS: usize = 16;

/// A read that a thread is to do.
#[derive(Debug)]
struct Job {
    handle: Arc<Handle>,
    index: usize,
    offset: u64,
    bytes: usize,
    answers: Sender<(usize, Answer)>,
}

/// Threads that read. They end when it is dropped.
#[derive(Debug)]
pub(super) struct Pool {
    /// Given away when the threads are to end.
    jobs: Option<Sender<Job>>,
    threads: Vec<JoinHandle<()>>,
}

impl Pool {
    /// As many threads as the operating system grants, perhaps none.
    pub(super) fn start() -> Self {
        let (sender, jobs) = unbounded();
        let begin = |index: usize| {
            let jobs = jobs.clone();
            thread::Builder::new()
                .name(format!("page-reader-{index}"))
                .spawn(move || work(&jobs))
        };
        Self {
            jobs: Some(sender),
            threads: (0..THREADS).map_while(|index| begin(index).ok()).collect(),
        }
    }

    /// Answers the requests that have no answer yet.
    pub(super) fn read(
        &self,
        handle: &Arc<Handle>,
        requests: &[(u64, usize)],
        answers: &mut [Option<Answer>],
    ) {
        let Some(jobs) = self.jobs.as_ref().filter(|_| !self.threads.is_empty()) else {
            return;
        };
        let (sender, done) = unbounded();
        for (index, &(offset, bytes)) in requests.iter().enumerate() {
            if answers[index].is_some() {
                continue;
            }
            let job = Job {
                handle: Arc::clone(handle),
                index,
                offset,
                bytes,
                answers: sender.clone(),
            };
            if jobs.send(job).is_err() {
                break;
            }
        }
        drop(sender);
        for (index, answer) in done {
            answers[index] = Some(answer);
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.jobs = None;
        for thread in self.threads.drain(..) {
            // One that panicked has answered nothing, which its caller has seen.
            drop(thread.join());
        }
    }
}

fn work(jobs: &Receiver<Job>) {
    for job in jobs {
        let answer = job.handle.read_vec(job.offset, job.bytes);
        // Before the caller hears of it, who may close the file then.
        drop(job.handle);
        // A caller that waits no longer wants no answer.
        drop(job.answers.send((job.index, answer)));
    }
}
