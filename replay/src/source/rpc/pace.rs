//! At most so many requests a second, over all threads.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// How often a wait looks whether it should end.
const LOOK: Duration = Duration::from_millis(50);

/// Lets requests pass one after another, evenly spaced.
#[derive(Debug)]
pub(super) struct Pace {
    gap: Duration,
    next: Mutex<Option<Instant>>,
}

impl Pace {
    /// `rps` requests a second; any number of them if it is 0.
    pub(super) fn new(rps: f64) -> Self {
        let gap = if rps > 0.0 {
            Duration::try_from_secs_f64(1.0 / rps).unwrap_or(Duration::MAX)
        } else {
            Duration::ZERO
        };
        Self {
            gap,
            next: Mutex::new(None),
        }
    }

    /// Waits for the caller's turn. `false` where it was stopped instead.
    pub(super) fn turn(&self, stop: &AtomicBool) -> bool {
        sleep(self.reserve(Instant::now()), stop)
    }

    /// Takes the next turn, and says how long it is until then.
    fn reserve(&self, now: Instant) -> Duration {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = next.unwrap_or(now).max(now);
        *next = turn.checked_add(self.gap);
        turn - now
    }
}

/// Sleeps unless stopped, which it says by `false`.
pub(super) fn sleep(duration: Duration, stop: &AtomicBool) -> bool {
    let until = Instant::now().checked_add(duration);
    loop {
        if stop.load(Ordering::Relaxed) {
            return false;
        }
        let left = until.map_or(LOOK, |it| it.saturating_duration_since(Instant::now()));
        if left.is_zero() {
            return true;
        }
        thread::sleep(left.min(LOOK));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_never_come_closer_than_the_rate_allows() {
        let pace = Pace::new(4.0);
        let now = Instant::now();
        let waits: Vec<_> = (0..4).map(|_| pace.reserve(now)).collect();
        let expected = [0, 250, 500, 750].map(Duration::from_millis);
        assert_eq!(waits, expected);
        let late = now + Duration::from_secs(60);
        assert_eq!(pace.reserve(late), Duration::ZERO, "no turns are saved up");
        assert_eq!(pace.reserve(late), Duration::from_millis(250));
    }

    #[test]
    fn no_rate_is_no_wait() {
        let pace = Pace::new(0.0);
        let now = Instant::now();
        for _ in 0..3 {
            assert_eq!(pace.reserve(now), Duration::ZERO);
        }
    }

    #[test]
    fn a_stopped_wait_does_not_last() {
        let stop = AtomicBool::new(true);
        assert!(!sleep(Duration::from_secs(3_600), &stop));
    }
}
