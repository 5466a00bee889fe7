//! A reader that keeps the time.

use alloy_primitives::{Address, B256, Bytes, U256};
use core::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};
use std::time::Instant;
use thinstate_formats::{Account, StateReader};

/// A state whose reads are timed.
#[derive(Debug)]
pub struct TimedReader<R> {
    inner: R,
    spent_ns: AtomicU64,
}

impl<R> TimedReader<R> {
    /// Times the reads of `inner`.
    pub const fn new(inner: R) -> Self {
        Self {
            inner,
            spent_ns: AtomicU64::new(0),
        }
    }

    /// Time spent in reads so far, summed over all threads.
    pub fn spent(&self) -> Duration {
        Duration::from_nanos(self.spent_ns.load(Ordering::Relaxed))
    }

    fn time<T>(&self, read: impl FnOnce(&R) -> T) -> T {
        let started = Instant::now();
        let value = read(&self.inner);
        let elapsed = u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.spent_ns.fetch_add(elapsed, Ordering::Relaxed);
        value
    }
}

impl<R: StateReader> StateReader for TimedReader<R> {
    type Error = R::Error;

    fn account(&self, address: Address) -> Result<Option<Account>, R::Error> {
        self.time(|inner| inner.account(address))
    }

    fn slot(&self, address: Address, slot: U256) -> Result<U256, R::Error> {
        self.time(|inner| inner.slot(address, slot))
    }

    fn code(&self, code_hash: B256) -> Result<Option<Bytes>, R::Error> {
        self.time(|inner| inner.code(code_hash))
    }
}
