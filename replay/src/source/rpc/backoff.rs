//! How long to wait before a request is made again.

use core::time::Duration;

/// The longest that a server is believed when it says how long to wait.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(120);

/// Waits that double, with jitter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The first wait.
    pub first: Duration,
    /// No wait is longer.
    pub longest: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            first: Duration::from_millis(500),
            longest: Duration::from_secs(30),
        }
    }
}

impl Backoff {
    /// The wait after `failures` failures of request `id`, at least one: from a half to the whole of
    /// `first` doubled each time. Where in between depends on request and failures alone, so that requests
    /// that failed together do not come back together, and a run can be repeated.
    pub fn wait(&self, id: u64, failures: u32, retry_after: Option<Duration>) -> Duration {
        if let Some(wait) = retry_after {
            return wait.min(RETRY_AFTER_MAX);
        }
        let doublings = failures.saturating_sub(1).min(31);
        let whole = self.first.saturating_mul(1 << doublings).min(self.longest);
        let jitter = mix(id ^ u64::from(failures).rotate_left(32)) % 1_000;
        let jitter = u32::try_from(jitter).expect("below 1000");
        whole / 2 + (whole / 2).saturating_mul(jitter) / 1_000
    }
}

/// SplitMix64's finaliser.
const fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_wait_leaves_its_bounds() {
        let backoff = Backoff::default();
        for id in 0..100 {
            for failures in 1..60 {
                let wait = backoff.wait(id, failures, None);
                let whole = 500u64.saturating_mul(1 << failures.min(32).saturating_sub(1));
                let whole = Duration::from_millis(whole).min(backoff.longest);
                assert!(
                    wait >= whole / 2 && wait <= whole,
                    "{id} {failures}: {wait:?}"
                );
            }
        }
    }

    #[test]
    fn requests_that_failed_together_do_not_come_back_together() {
        let backoff = Backoff::default();
        let waits: BTreeSet<_> = (1..50).map(|id| backoff.wait(id, 3, None)).collect();
        assert!(waits.len() > 40);
        assert_eq!(backoff.wait(7, 3, None), backoff.wait(7, 3, None));
    }

    #[test]
    fn a_server_is_believed_but_not_forever() {
        let wait = |seconds| {
            let said = Some(Duration::from_secs(seconds));
            Backoff::default().wait(1, 1, said)
        };
        assert_eq!(wait(3), Duration::from_secs(3));
        assert_eq!(wait(86_400), RETRY_AFTER_MAX);
    }
}
