//! The thread that seals, and that frees the memory of what is sealed.

use super::Sealer;
use crate::temporary::{error::SealError, period::Period};
use crossbeam::channel::{Receiver, Sender, unbounded};
use std::{io, sync::Arc, thread, thread::JoinHandle};

/// One step of one period.
struct Step {
    period: Arc<Period>,
    sealer: Box<Sealer>,
    cap: u64,
}

enum Job {
    Step(Step),
    Free(Box<dyn Send>),
    Stop,
}

/// A step that is over. The worker holds nothing of the period any more.
pub(super) struct Done {
    pub(super) sealer: Box<Sealer>,
    pub(super) result: Result<u64, SealError>,
}

/// Runs one step at a time beside the blocks. Ends when dropped, after what it has been given.
pub(in crate::temporary) struct Worker {
    jobs: Sender<Job>,
    done: Receiver<Done>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    pub(in crate::temporary) fn start() -> io::Result<Self> {
        let (jobs, todo) = unbounded();
        let (finished, done) = unbounded();
        let thread = thread::Builder::new()
            .name("seal".to_owned())
            .spawn(move || run(&todo, &finished))?;
        Ok(Self {
            jobs,
            done,
            thread: Some(thread),
        })
    }

    /// Begins a step.
    pub(super) fn step(
        &self,
        period: Arc<Period>,
        sealer: Box<Sealer>,
        cap: u64,
    ) -> Result<(), Gone> {
        let step = Job::Step(Step {
            period,
            sealer,
            cap,
        });
        self.jobs.send(step).map_err(|_| Gone)
    }

    /// The step that was begun, if it is over; an error if its thread is.
    pub(super) fn poll(&self) -> Result<Option<Done>, Gone> {
        match self.done.try_recv() {
            Ok(done) => Ok(Some(done)),
            Err(error) if error.is_empty() => Ok(None),
            Err(_) => Err(Gone),
        }
    }

    /// The step that was begun, once it is over.
    pub(super) fn wait(&self) -> Result<Done, Gone> {
        self.done.recv().map_err(|_| Gone)
    }

    /// Drops something large later.
    pub(in crate::temporary) fn free(&self, garbage: impl Send + 'static) {
        // If the thread is gone, the garbage comes back with the error and is dropped here.
        drop(self.jobs.send(Job::Free(Box::new(garbage))));
    }
}

/// The thread has ended.
pub(super) struct Gone;

fn run(todo: &Receiver<Job>, finished: &Sender<Done>) {
    for job in todo {
        match job {
            Job::Stop => return,
            Job::Free(garbage) => drop(garbage),
            Job::Step(Step {
                period,
                mut sealer,
                cap,
            }) => {
                let result = sealer.step(&period.entries, cap);
                // Before the answer: who has it may want the period for itself.
                drop(period);
                if finished.send(Done { sealer, result }).is_err() {
                    return;
                }
            }
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // An error says that it has ended already.
        drop(self.jobs.send(Job::Stop));
        if let Some(thread) = self.thread.take() {
            // A panic there was reported when it happened, and shows as `Gone`.
            drop(thread.join());
        }
    }
}
