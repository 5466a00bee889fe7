//! Threads that take their jobs from one queue.

use crossbeam::channel::{Receiver, Sender, unbounded};
use std::thread::{self, JoinHandle};

/// The threads. They end when it is dropped, once the jobs that they have are done.
#[derive(Debug)]
pub(super) struct Workers<J> {
    /// Given away when the threads are to end.
    jobs: Option<Sender<J>>,
    threads: Vec<JoinHandle<()>>,
}

impl<J: Send + 'static> Workers<J> {
    /// As many threads as are wanted and the operating system grants, perhaps none.
    pub(super) fn start(name: &str, threads: usize, run: fn(J)) -> Self {
        let (sender, jobs) = unbounded();
        let begin = |index: usize| {
            let jobs: Receiver<J> = jobs.clone();
            thread::Builder::new()
                .name(format!("{name}-{index}"))
                .spawn(move || jobs.into_iter().for_each(run))
        };
        Self {
            jobs: Some(sender),
            threads: (0..threads).map_while(|index| begin(index).ok()).collect(),
        }
    }

    /// Hands a job over; gives it back where there is no thread to take it.
    pub(super) fn send(&self, job: J) -> Result<(), J> {
        match &self.jobs {
            Some(jobs) => jobs.send(job).map_err(|refused| refused.into_inner()),
            None => Err(job),
        }
    }
}

impl<J> Drop for Workers<J> {
    fn drop(&mut self) {
        self.jobs = None;
        for thread in self.threads.drain(..) {
            // One that panicked has answered nothing, which its callers see.
            drop(thread.join());
        }
    }
}
