//! When accounts and slots were last written.
//!
//! Slots have a *recency rank*: a permutation of all of them, 0 for the one written last. A rank, as a
//! share of all slots, is an age by mainnet's curve:
//!
//! | written within | slots | accounts | |
//! |---|---|---|---|
//! | 30 days | 2.82 % | 3.30 % | |
//! | 90 days | 7.55 % | | |
//! | 180 days | 13.6 % | | |
//! | 365 days | 24.2 % | 23.1 % | ethresear.ch 25317, to block 24,870,000 |
//!
//! Between these points, and down from 30 days, the share grows as a power of the days (about 0.9, which
//! gives 0.13 % for one day: 2 M slots of mainnet's); what is older is spread evenly over the years before.
//!
//! An account that has slots was written when the last of them was (EIP-8188: the write of a slot bumps its
//! account too). The others have a permutation of their own, and of the curve of accounts what is left to
//! them.

use super::{permutation::Permutation, sizes::Sizes};

/// Blocks of 12 seconds.
pub(super) const BLOCKS_PER_DAY: u64 = 7_200;
/// Days before block 24,870,000, at that pace.
const DAYS_MAX: f64 = 24_870_000.0 / BLOCKS_PER_DAY as f64;
/// A contract with more slots than this is written in every block.
pub(super) const HUB_SLOTS: u64 = 4_096;

const SLOTS: [(f64, f64); 4] = [
    (30.0, 0.0282),
    (90.0, 0.0755),
    (180.0, 0.136),
    (365.0, 0.242),
];
const ACCOUNTS: [(f64, f64); 2] = [(30.0, 0.0330), (365.0, 0.231)];

/// What share was written within how many days.
#[derive(Clone, Debug, PartialEq)]
struct Curve {
    /// Days and shares, both ascending, none of them zero.
    points: Vec<(f64, f64)>,
}

impl Curve {
    fn new(points: &[(f64, f64)]) -> Self {
        Self {
            points: points.to_vec(),
        }
    }

    /// The segment from which what is true of `at` is read: its ends.
    fn segment(&self, is_below: impl Fn(&(f64, f64)) -> bool) -> ((f64, f64), (f64, f64)) {
        let behind = self.points.partition_point(is_below);
        let behind = behind.clamp(1, self.points.len() - 1);
        (self.points[behind - 1], self.points[behind])
    }

    fn last(&self) -> (f64, f64) {
        self.points[self.points.len() - 1]
    }

    /// The share written within so many days.
    fn share(&self, days: f64) -> f64 {
        let last = self.last();
        if days >= last.0 {
            let older = (days - last.0) / (DAYS_MAX - last.0);
            return (last.1 + (1.0 - last.1) * older).min(1.0);
        }
        let (from, to) = self.segment(|point| point.0 < days);
        from.1 * (days / from.0).powf(slope(from, to))
    }

    /// The days within which this share was written.
    fn days(&self, share: f64) -> f64 {
        let last = self.last();
        if share >= last.1 {
            let older = (share - last.1) / (1.0 - last.1);
            return last.0 + (DAYS_MAX - last.0) * older;
        }
        let (from, to) = self.segment(|point| point.1 < share);
        from.0 * (share / from.1).powf(1.0 / slope(from, to))
    }
}

/// The power of the days with which the share grows.
fn slope(from: (f64, f64), to: (f64, f64)) -> f64 {
    (to.1 / from.1).ln() / (to.0 / from.0).ln()
}

/// A permutation by recency, with its curve.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Recency {
    order: Permutation,
    count: u64,
    curve: Curve,
}

impl Recency {
    /// That of all slots.
    pub(super) fn of_slots(slots: u64, offset: u64) -> Self {
        Self {
            order: Permutation::new(slots, offset),
            count: slots,
            curve: Curve::new(&SLOTS),
        }
    }

    /// That of accounts without slots, of which there are `others` beside those with them.
    pub(super) fn of_accounts(others: u64, sizes: &Sizes, offset: u64) -> Self {
        let (slots, accounts) = (Curve::new(&SLOTS), Curve::new(&ACCOUNTS));
        let all = (others + sizes.contracts()) as f64;
        let mut points: Vec<(f64, f64)> = Vec::new();
        for days in [1.0, 7.0, 30.0, 90.0, 180.0, 365.0] {
            let with_slots = written(sizes, slots.share(days));
            let left = (accounts.share(days) * all - with_slots) / others.max(1) as f64;
            // A population of little but hubs leaves nothing to other accounts.
            let least = points.last().map_or(1e-6, |(_, share)| share * 1.01);
            points.push((days, left.clamp(least, 0.9)));
        }
        Self {
            order: Permutation::new(others, offset),
            count: others,
            curve: Curve { points },
        }
    }

    /// How many were written within so many days: those with ranks below this.
    pub(super) fn within(&self, days: f64) -> u64 {
        ((self.curve.share(days.max(0.0)) * self.count as f64).round() as u64).min(self.count)
    }

    /// The one with this rank.
    pub(super) fn at(&self, rank: u64) -> Option<u64> {
        (rank < self.count).then(|| self.order.back(rank))
    }

    /// The rank of one of them.
    pub(super) const fn rank(&self, index: u64) -> u64 {
        self.order.forward(index)
    }

    /// The rank of the one behind that with this rank.
    pub(super) const fn next_rank(&self, rank: u64) -> u64 {
        self.order.next(rank)
    }

    /// Blocks since the one with this rank was written.
    pub(super) fn age(&self, rank: u64) -> u64 {
        let share = (rank as f64 + 0.5) / self.order.len() as f64;
        (self.curve.days(share) * BLOCKS_PER_DAY as f64) as u64
    }
}

/// How many contracts have a slot that was written, where this share of all slots was.
fn written(sizes: &Sizes, share: f64) -> f64 {
    let of = |(size, count): (u64, u64)| match size > HUB_SLOTS {
        true => count as f64,
        false => count as f64 * covered(size, share),
    };
    sizes.runs().map(of).sum()
}

/// The share of a circle that is covered by `size` arcs of this length, each a golden section behind the one
/// before: how probable it is that one of so many neighbours has a rank in a given share of all.
///
/// Points so placed divide the circle into gaps of at most three lengths, and each new one divides a largest
/// gap by the golden section (the three-distance theorem).
fn covered(size: u64, arc: f64) -> f64 {
    const SECTION: f64 = 0.618_033_988_749;
    let mut length = 1.0;
    let (mut large, mut middle, mut small) = (1, 0, 0);
    let mut points = 1;
    while points < size {
        let divided = large.min(size - points);
        points += divided;
        large -= divided;
        middle += divided;
        small += divided;
        if large == 0 {
            length *= SECTION;
            (large, middle, small) = (middle, small, 0);
        }
    }
    let of = |gaps: u64, length: f64| gaps as f64 * arc.min(length);
    of(large, length) + of(middle, length * SECTION) + of(small, length * SECTION * SECTION)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_age_differs_from_the_share_that_it_was_made_of() {
        for curve in [Curve::new(&SLOTS), Curve::new(&ACCOUNTS)] {
            for days in [
                0.5, 1.0, 29.9, 30.0, 31.0, 90.0, 200.0, 365.0, 366.0, 3_000.0,
            ] {
                let back = curve.days(curve.share(days));
                assert!((back - days).abs() < days * 1e-9, "{days}: {back}");
            }
            assert!(curve.days(1.0) <= DAYS_MAX + 1e-6);
        }
    }

    #[test]
    fn no_point_of_mainnets_is_missed() {
        let slots = Recency::of_slots(1_000_000, 5);
        for (days, share) in SLOTS {
            assert_eq!(slots.within(days), (share * 1e6_f64).round() as u64);
            let last = slots.within(days) - 1;
            assert!(slots.age(last) <= (days * BLOCKS_PER_DAY as f64) as u64);
            assert!(slots.age(last + 1) >= (days * BLOCKS_PER_DAY as f64) as u64);
        }
        let day = slots.within(1.0);
        assert!((1_000..2_000).contains(&day), "{day}");
    }
}
