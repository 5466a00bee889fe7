//! Requests in flight by a thread for each.

use super::{
    file::AlignedBuffer,
    job::{Dealer, Job, Samples, random_of},
    report::Operation,
};
use std::{fs::File, io, os::unix::fs::FileExt as _, thread, time::Instant};

/// Does a job.
pub(super) fn run(file: &File, job: Job<'_>) -> io::Result<Samples> {
    let dealer = &Dealer::new(job);
    let parts: Vec<io::Result<Samples>> = thread::scope(|scope| {
        let threads: Vec<_> = (0..job.depth)
            .map(|slot| scope.spawn(move || one(file, job, dealer, slot)))
            .collect();
        let join = |thread: thread::ScopedJoinHandle<'_, _>| {
            thread
                .join()
                .unwrap_or_else(|_| Err(io::Error::other("a thread of the probe panicked")))
        };
        threads.into_iter().map(join).collect()
    });
    let mut all = Samples::new();
    for part in parts {
        all.latency_ns += part?.latency_ns;
    }
    all.elapsed = dealer.elapsed();
    Ok(all)
}

fn one(file: &File, job: Job<'_>, dealer: &Dealer<'_>, slot: u32) -> io::Result<Samples> {
    let mut random = random_of(slot);
    let mut buffer = AlignedBuffer::random(job.request_bytes as usize, &mut random);
    let mut samples = Samples::new();
    while let Some(offset) = dealer.next(&mut random) {
        let begun = Instant::now();
        match job.operation {
            Operation::Read => file.read_exact_at(buffer.as_mut(), offset)?,
            Operation::Write | Operation::Sync => file.write_all_at(buffer.as_mut(), offset)?,
        }
        samples.add(begun.elapsed());
    }
    Ok(samples)
}
