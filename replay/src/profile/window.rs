//! How accesses are shared out among keys, over a window of blocks.

/// The share that the most popular hundredth of keys takes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TopShare {
    /// Keys with at least one access.
    pub keys: u64,
    /// Accesses.
    pub accesses: u64,
    /// Share of the accesses that the most popular 1 % of the keys takes.
    pub top: f64,
}

impl TopShare {
    /// Of accesses counted by key; keys without any are left out.
    pub(super) fn of(counts: impl Iterator<Item = u32>) -> Self {
        let mut counts: Vec<u32> = counts.filter(|it| *it > 0).collect();
        counts.sort_unstable_by(|a, b| b.cmp(a));
        let sum = |counts: &[u32]| counts.iter().map(|it| u64::from(*it)).sum::<u64>();
        let accesses = sum(&counts);
        let top = &counts[..counts.len().div_ceil(100)];
        Self {
            keys: counts.len() as u64,
            accesses,
            top: sum(top) as f64 / accesses.max(1) as f64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_top_hundredth_is_never_of_keys_without_accesses() {
        let counts = core::iter::once(101).chain([1; 99]).chain([0; 1_000]);
        let share = TopShare::of(counts);
        assert_eq!((share.keys, share.accesses), (100, 200));
        assert!((share.top - 0.505).abs() < 1e-9);
        assert_eq!(TopShare::of(core::iter::empty()), TopShare::default());
    }
}
