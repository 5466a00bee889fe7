//! Requests in flight by threads.

use super::super::super::workers::Workers;
use super::super::Answer;
use super::Handle;
use crossbeam::channel::{Sender, unbounded};
use std::sync::Arc;

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

impl Job {
    fn run(self) {
        let answer = self.handle.read_vec(self.offset, self.bytes);
        // Before the caller hears of it, who may close the file then.
        drop(self.handle);
        // A caller that waits no longer wants no answer.
        drop(self.answers.send((self.index, answer)));
    }
}

/// Threads that read. They end when it is dropped.
#[derive(Debug)]
pub(super) struct Pool(Workers<Job>);

impl Pool {
    /// As many threads as the operating system grants, perhaps none.
    pub(super) fn start() -> Self {
        Self(Workers::start("page-reader", THREADS, Job::run))
    }

    /// Answers the requests that have no answer yet.
    pub(super) fn read(
        &self,
        handle: &Arc<Handle>,
        requests: &[(u64, usize)],
        answers: &mut [Option<Answer>],
    ) {
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
            if self.0.send(job).is_err() {
                break;
            }
        }
        drop(sender);
        for (index, answer) in done {
            answers[index] = Some(answer);
        }
    }
}
