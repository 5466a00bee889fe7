//! Requests in flight by io_uring.

use super::super::Answer;
use super::{Handle, cover::Cover};
use core::{fmt, mem};
use io_uring::{IoUring, Probe, opcode, types::Fd};
use std::{
    io::{self, ErrorKind},
    os::fd::AsRawFd as _,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Requests in flight at most.
const DEPTH: usize = 64;
/// A longer request is begun with so many bytes and continued by itself.
const REQUEST_BYTES_MAX: usize = 1 << 30;

/// Rings that no caller uses at the moment: as many as ever had reads in flight at the same time.
pub(super) struct Rings(Mutex<Vec<IoUring>>);

impl Rings {
    /// A first ring, if the kernel lets this process have one and it can read.
    pub(super) fn probe() -> Option<Self> {
        let ring = new_ring().ok()?;
        let mut probe = Probe::new();
        ring.submitter().register_probe(&mut probe).ok()?;
        probe
            .is_supported(opcode::Read::CODE)
            .then(|| Self(Mutex::new(vec![ring])))
    }

    /// Answers the requests that have no answer yet; not all of them if the ring fails.
    pub(super) fn read(
        &self,
        handle: &Handle,
        requests: &[(u64, usize)],
        answers: &mut [Option<Answer>],
    ) {
        let idle = self.lock().pop();
        let Ok(mut ring) = idle.map_or_else(new_ring, Ok) else {
            return;
        };
        let mut flight = Flight {
            ring: &mut ring,
            handle,
            requests,
            covers: requests.iter().map(|_| None).collect(),
            in_flight: 0,
        };
        if flight.fly(answers).is_ok() {
            drop(flight);
            self.lock().push(ring);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<IoUring>> {
        // A panic elsewhere leaves whole rings only.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Rings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Rings").field(&self.lock().len()).finish()
    }
}

fn new_ring() -> io::Result<IoUring> {
    IoUring::new(DEPTH as u32)
}

/// Requests on their way.
struct Flight<'a> {
    ring: &'a mut IoUring,
    handle: &'a Handle,
    requests: &'a [(u64, usize)],
    /// The memory of the requests in flight.
    covers: Vec<Option<Cover>>,
    in_flight: usize,
}

impl Flight<'_> {
    /// Until nothing is in flight, or the ring itself fails.
    fn fly(&mut self, answers: &mut [Option<Answer>]) -> io::Result<()> {
        let mut next = 0;
        loop {
            while self.in_flight < DEPTH && next < self.requests.len() {
                if answers[next].is_none() {
                    self.begin(next)?;
                }
                next += 1;
            }
            if self.in_flight == 0 {
                return Ok(());
            }
            match self.ring.submit_and_wait(1) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                other => {
                    other?;
                }
            }
            self.end_those_done(answers);
        }
    }

    /// Begins a request.
    fn begin(&mut self, index: usize) -> io::Result<()> {
        let (offset, bytes) = self.requests[index];
        let (file, cover) = match self.handle.direct() {
            Some(direct) => (direct, Cover::aligned(offset, bytes)),
            None => (&self.handle.cached, Cover::exact(offset, bytes)),
        };
        let cover = self.covers[index].insert(cover);
        let at = cover.offset();
        let memory = cover.memory();
        let bytes = memory.len().min(REQUEST_BYTES_MAX) as u32;
        let entry = opcode::Read::new(Fd(file.as_raw_fd()), memory.as_mut_ptr(), bytes)
            .offset(at)
            .build()
            .user_data(index as u64);
        // SAFETY: the handle keeps the file open, and the memory, which nothing touches meanwhile,
        // is freed only when the completion is taken out; if that never comes, never (`drop`).
        let pushed = unsafe { self.ring.submission().push(&entry) };
        pushed.map_err(io::Error::other)?;
        self.in_flight += 1;
        Ok(())
    }

    fn end_those_done(&mut self, answers: &mut [Option<Answer>]) {
        let done: Vec<_> = self
            .ring
            .completion()
            .map(|it| (it.user_data() as usize, it.result()))
            .collect();
        for (index, result) in done {
            let mut cover = self.covers[index]
                .take()
                .expect("a completion belongs to a request in flight");
            self.in_flight -= 1;
            // Bytes, or the negative number of an error.
            let outcome =
                usize::try_from(result).map_err(|_| io::Error::from_raw_os_error(-result));
            let completed = self.handle.complete(&mut cover, outcome);
            answers[index] = Some(completed.map(|()| cover.into_wanted()));
        }
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        if self.in_flight > 0 {
            // The kernel may still write to them: they are never freed.
            mem::forget(mem::take(&mut self.covers));
        }
    }
}
