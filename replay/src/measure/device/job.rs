//! Requests of one kind, for some time.

use super::report::Operation;
use core::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    time::Duration,
};
use hdrhistogram::Histogram;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use std::time::Instant;

/// What is asked, and for how long.
#[derive(Clone, Copy, Debug)]
pub(super) struct Job<'a> {
    /// [`Operation::Read`] or [`Operation::Write`].
    pub(super) operation: Operation,
    /// Bytes of a request.
    pub(super) request_bytes: u32,
    /// Requests in flight.
    pub(super) depth: u32,
    /// Bytes of the file that are used.
    pub(super) span: u64,
    /// How the next place is found.
    pub(super) places: Places,
    /// No request begins later than this.
    pub(super) time: Duration,
    /// Nor after this is set.
    pub(super) stop: &'a AtomicBool,
}

/// Where requests go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Places {
    /// Anywhere.
    Random,
    /// One after the other, from the beginning again at the end.
    Sequential,
    /// One after the other, until the end.
    Fill,
}

/// What came of it.
#[derive(Clone, Debug)]
pub(super) struct Samples {
    /// Latency of each request.
    pub(super) latency_ns: Histogram<u64>,
    /// From the first request to the last answer.
    pub(super) elapsed: Duration,
}

impl Samples {
    pub(super) fn new() -> Self {
        Self {
            latency_ns: crate::measure::distributions::histogram(),
            elapsed: Duration::ZERO,
        }
    }

    pub(super) fn add(&mut self, latency: Duration) {
        let ns = latency.as_nanos().try_into().unwrap_or(u64::MAX);
        crate::measure::distributions::record(&mut self.latency_ns, ns);
    }
}

/// Deals out the places of a job, to one thread or several.
#[derive(Debug)]
pub(super) struct Dealer<'a> {
    job: Job<'a>,
    begun: Instant,
    dealt: AtomicU64,
}

impl<'a> Dealer<'a> {
    pub(super) fn new(job: Job<'a>) -> Self {
        Self {
            job,
            begun: Instant::now(),
            dealt: AtomicU64::new(0),
        }
    }

    /// Offset of the next request; `None` when there is none. The first one is dealt however short the time.
    pub(super) fn next(&self, random: &mut ChaCha8Rng) -> Option<u64> {
        let job = &self.job;
        let place = self.dealt.fetch_add(1, Relaxed);
        if job.stop.load(Relaxed) || (place > 0 && self.begun.elapsed() >= job.time) {
            return None;
        }
        let requests = job.span / u64::from(job.request_bytes);
        let number = match job.places {
            Places::Random if requests > 0 => random.random_range(0..requests),
            Places::Random => return None,
            Places::Sequential => place.checked_rem(requests)?,
            Places::Fill => (place < requests).then_some(place)?,
        };
        Some(number * u64::from(job.request_bytes))
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }
}

/// Random numbers of a request's slot. The places differ from slot to slot and are the same in every probe.
pub(super) fn random_of(slot: u32) -> ChaCha8Rng {
    let mut random = ChaCha8Rng::seed_from_u64(0x7417);
    random.set_stream(slot.into());
    random
}
