//! Time that measuring takes itself.

use core::time::Duration;
use std::time::Instant;

/// Adds up the time of work that only measures, for `Totals::measuring_s`.
#[derive(Clone, Copy, Debug, Default)]
pub struct RecordedTime {
    total: Duration,
}

impl RecordedTime {
    /// Does such work. Costs two readings of the clock, about 50 ns.
    pub fn during<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let begun = Instant::now();
        let done = work();
        self.since(begun);
        done
    }

    /// Adds what began then and ends now.
    pub fn since(&mut self, begun: Instant) {
        self.total += begun.elapsed();
    }

    /// What came together so far.
    pub const fn total(&self) -> Duration {
        self.total
    }
}
