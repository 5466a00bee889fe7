//! Whether the p99 of a run's blocks can still fit the slot.
//!
//! p99 of n blocks is the `ceil(0.99 n)`-th smallest of them: `n / 100` may take longer than the slot while it fits,
//! of fewer than 100 none. Once more than that have, it is certain that the rest of the run cannot change the answer,
//! and the p99 of the blocks so far does not fit either.

/// Blocks that are measured whatever they show: a mean needs more than one.
const BLOCKS_MIN: u64 = 2;

/// Whether the p99 of `planned` blocks cannot fit any more, when `over` of the `measured` ones took longer than the
/// slot.
pub(super) const fn cannot_fit(planned: u64, measured: u64, over: u64) -> bool {
    measured >= BLOCKS_MIN && over > planned / 100
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

    use super::*;
    use hdrhistogram::Histogram;

    const SLOT: u64 = 12_000_000_000;

    /// p99 of `blocks`, `over` of which took little longer than the slot and the others no time at all.
    fn p99(blocks: u64, over: u64) -> u64 {
        let mut histogram = Histogram::<u64>::new(3).unwrap();
        histogram.record_n(1, blocks - over).unwrap();
        histogram.record_n(SLOT + 1, over).unwrap();
        histogram.value_at_quantile(0.99)
    }

    #[test]
    fn no_run_ends_whose_p99_could_fit() {
        for planned in BLOCKS_MIN..500 {
            let least = (0..=planned).find(|over| cannot_fit(planned, planned, *over));
            let least = least.unwrap();
            assert!(p99(planned, least) > SLOT, "{planned}: {least}");
            assert!(p99(planned, least - 1) <= SLOT, "{planned}: {least}");
            // Of what is measured until then as well.
            let so_far = least.max(BLOCKS_MIN);
            assert!(p99(so_far, least) > SLOT, "{planned}: {so_far}");
        }
    }

    #[test]
    fn no_run_ends_with_one_block() {
        assert!(!cannot_fit(1_000, 0, 0));
        assert!(!cannot_fit(50, 1, 1));
        assert!(cannot_fit(50, 2, 1));
        assert!(!cannot_fit(100, 2, 1));
        assert!(cannot_fit(100, 2, 2));
    }
}
