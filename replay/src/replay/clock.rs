//! When slots arrive.

use core::{
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    time::Duration,
};
use std::{thread, time::Instant};

/// The longest sleep after which an interruption is noticed.
const NAP: Duration = Duration::from_millis(50);

/// How slots arrive.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// The next when the store is ready for it.
    Closed,
    /// By the clock.
    Open {
        /// Time between two slots.
        interval: Duration,
    },
}

/// Arrivals of the blocks that count.
#[derive(Debug)]
pub(super) struct Clock {
    pace: Pace,
    /// Blocks that come before those that count.
    warm_up: u64,
    /// The first one's number, and when it arrived.
    begun: Option<(u64, Instant)>,
}

impl Clock {
    pub(super) const fn new(pace: Pace, warm_up: u64) -> Self {
        Self {
            pace,
            warm_up,
            begun: None,
        }
    }

    /// Waits until block `index` (counted from 0, those of the warm-up included) arrives, and says when that
    /// was: now, but in an open loop that is late. `None` if it was told to stop meanwhile.
    pub(super) fn arrival(&mut self, index: u64, stop: &AtomicBool) -> Option<Instant> {
        let now = Instant::now();
        let Pace::Open { interval } = self.pace else {
            return Some(now);
        };
        if index < self.warm_up {
            return Some(now);
        }
        let (first, begun) = *self.begun.get_or_insert((index, now));
        let slots = u32::try_from(index - first).unwrap_or(u32::MAX);
        let arrival = begun + interval.saturating_mul(slots);
        loop {
            let left = arrival.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Some(arrival);
            }
            if stop.load(Relaxed) {
                return None;
            }
            thread::sleep(left.min(NAP));
        }
    }
}

/// Slots that have arrived since `arrival`, that one included, and wait.
pub(super) fn backlog(pace: Pace, arrival: Instant, done: Instant) -> u64 {
    match pace {
        Pace::Closed => 0,
        Pace::Open { interval } => {
            let late = done.saturating_duration_since(arrival).as_nanos();
            u64::try_from(late / interval.as_nanos().max(1)).unwrap_or(u64::MAX)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_late_block_moves_the_arrivals_behind_it() {
        let interval = Duration::from_millis(3);
        let mut clock = Clock::new(Pace::Open { interval }, 2);
        let stop = AtomicBool::new(false);
        assert!(clock.arrival(1, &stop).is_some(), "of the warm-up");
        let first = clock.arrival(2, &stop);
        thread::sleep(interval * 4);
        let arrivals = [3, 4, 5].map(|index| clock.arrival(index, &stop));
        let expected = [1, 2, 3].map(|slots| first.map(|first| first + interval * slots));
        assert_eq!(arrivals, expected);
    }

    #[test]
    fn nobody_waits_who_is_told_to_stop() {
        let interval = Duration::from_secs(1_000);
        let mut clock = Clock::new(Pace::Open { interval }, 0);
        let stop = AtomicBool::new(true);
        assert!(clock.arrival(0, &stop).is_some(), "nothing to wait for");
        assert_eq!(clock.arrival(1, &stop), None);
    }

    #[test]
    fn a_backlog_is_what_arrived_meanwhile() {
        let interval = Duration::from_secs(1);
        let arrival = Instant::now();
        let at = |ms| arrival + Duration::from_millis(ms);
        let open = Pace::Open { interval };
        assert_eq!(backlog(open, arrival, at(900)), 0);
        assert_eq!(backlog(open, arrival, at(2_500)), 2);
        assert_eq!(backlog(Pace::Closed, arrival, at(2_500)), 0);
    }
}
