//! Requests in flight by io_uring.

use super::{
    file::AlignedBuffer,
    job::{Dealer, Job, Samples, random_of},
    report::Operation,
};
use io_uring::{IoUring, Probe, opcode, squeue::Entry, types::Fd};
use rand_chacha::ChaCha8Rng;
use std::{fs::File, io, mem, os::fd::AsRawFd as _, time::Instant};

/// Whether the kernel lets this process use it for reads and writes.
pub(super) fn works() -> bool {
    let Ok(ring) = IoUring::new(2) else {
        return false;
    };
    let mut probe = Probe::new();
    let probed = ring.submitter().register_probe(&mut probe);
    probed.is_ok()
        && probe.is_supported(opcode::Read::CODE)
        && probe.is_supported(opcode::Write::CODE)
}

/// A request in flight, or one to be.
struct Slot {
    buffer: AlignedBuffer,
    random: ChaCha8Rng,
    begun: Instant,
}

/// Does a job.
pub(super) fn run(file: &File, job: Job<'_>) -> io::Result<Samples> {
    let mut ring = IoUring::new(job.depth.next_power_of_two())?;
    let slot = |slot| {
        let mut random = random_of(slot);
        Slot {
            buffer: AlignedBuffer::random(job.request_bytes as usize, &mut random),
            random,
            begun: Instant::now(),
        }
    };
    let mut slots: Vec<Slot> = (0..job.depth).map(slot).collect();
    let mut flight = Flight {
        dealer: Dealer::new(job),
        job,
        samples: Samples::new(),
        in_flight: 0,
        failure: None,
    };
    let outcome = flight.fly(&mut ring, file, &mut slots);
    if flight.in_flight > 0 {
        // The kernel may still write to them: they are never freed.
        mem::forget(slots);
    }
    outcome?;
    flight.samples.elapsed = flight.dealer.elapsed();
    Ok(flight.samples)
}

/// A job under way.
struct Flight<'a> {
    job: Job<'a>,
    dealer: Dealer<'a>,
    samples: Samples,
    in_flight: usize,
    /// The first request that failed; no other begins after it.
    failure: Option<io::Error>,
}

impl Flight<'_> {
    /// Until nothing is in flight, or the ring itself fails.
    fn fly(&mut self, ring: &mut IoUring, file: &File, slots: &mut [Slot]) -> io::Result<()> {
        for index in 0..slots.len() {
            self.begin(ring, file, slots, index)?;
        }
        while self.in_flight > 0 {
            match ring.submit_and_wait(1) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                other => other?,
            };
            let done: Vec<_> = ring
                .completion()
                .map(|it| (it.user_data() as usize, it.result()))
                .collect();
            for (index, result) in done {
                self.in_flight -= 1;
                self.end(&slots[index], result);
                self.begin(ring, file, slots, index)?;
            }
        }
        self.failure.take().map_or(Ok(()), Err)
    }

    /// Begins the next request of a slot, where there is one.
    fn begin(
        &mut self,
        ring: &mut IoUring,
        file: &File,
        slots: &mut [Slot],
        index: usize,
    ) -> io::Result<()> {
        let slot = &mut slots[index];
        let next = match self.failure {
            Some(_) => None,
            None => self.dealer.next(&mut slot.random),
        };
        let Some(offset) = next else {
            return Ok(());
        };
        let entry = entry(self.job, file, slot, offset).user_data(index as u64);
        slot.begun = Instant::now();
        // SAFETY: the entry's file is open and its buffer untouched until the completion is taken out: a slot has one request at
        // a time, and `run` frees slots only when none is in flight.
        let pushed = unsafe { ring.submission().push(&entry) };
        pushed.map_err(io::Error::other)?;
        self.in_flight += 1;
        Ok(())
    }

    /// Counts an answer: bytes, or the negative number of an error.
    fn end(&mut self, slot: &Slot, result: i32) {
        let expected = i64::from(self.job.request_bytes);
        if i64::from(result) == expected {
            self.samples.add(slot.begun.elapsed());
        } else if self.failure.is_none() {
            self.failure = Some(if result < 0 {
                io::Error::from_raw_os_error(-result)
            } else {
                io::Error::other(format!("expected {expected} bytes, got {result}"))
            });
        }
    }
}

fn entry(job: Job<'_>, file: &File, slot: &mut Slot, offset: u64) -> Entry {
    let file = Fd(file.as_raw_fd());
    let memory = slot.buffer.as_mut().as_mut_ptr();
    match job.operation {
        Operation::Read => opcode::Read::new(file, memory, job.request_bytes)
            .offset(offset)
            .build(),
        Operation::Write | Operation::Sync => opcode::Write::new(file, memory, job.request_bytes)
            .offset(offset)
            .build(),
    }
}
