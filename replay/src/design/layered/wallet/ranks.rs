//! A set of numbers, with the rank of each and the number at each rank, in 1.13 bits for each number
//! below the largest.

/// Words between two counts.
const WORDS_APART: usize = 8;

/// Numbers below a bound, as bits, with a count for each 512 of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Ranks {
    words: Vec<u64>,
    /// Bits set before each group of words; one more at the end, of all.
    before: Vec<u64>,
}

impl Ranks {
    /// The set of the bits in `words`, bit `i` of the set in word `i / 64`.
    pub(super) fn new(words: Vec<u64>) -> Self {
        let mut before = Vec::with_capacity(words.len().div_ceil(WORDS_APART) + 1);
        let mut sum = 0;
        for group in words.chunks(WORDS_APART) {
            before.push(sum);
            sum += group
                .iter()
                .map(|word| u64::from(word.count_ones()))
                .sum::<u64>();
        }
        before.push(sum);
        Self { words, before }
    }

    /// How many there are.
    pub(super) fn len(&self) -> u64 {
        self.before.last().copied().unwrap_or(0)
    }

    /// How many are below a number that is among them; `None` for one that is not.
    pub(super) fn rank(&self, number: u64) -> Option<u64> {
        let at = usize::try_from(number / 64).ok()?;
        let word = *self.words.get(at)?;
        let bit = 1u64 << (number % 64);
        if word & bit == 0 {
            return None;
        }
        let group = at / WORDS_APART;
        let words = &self.words[group * WORDS_APART..at];
        let between: u32 = words.iter().map(|word| word.count_ones()).sum();
        let within = (word & (bit - 1)).count_ones();
        Some(self.before[group] + u64::from(between + within))
    }

    /// The numbers from the one with this rank on, ascending.
    pub(super) fn from_rank(&self, rank: u64) -> impl Iterator<Item = u64> + '_ {
        let group = self.before.partition_point(|before| *before <= rank);
        let group = group.saturating_sub(1);
        let skipped = rank - self.before.get(group).copied().unwrap_or(rank);
        let words = (group * WORDS_APART..self.words.len()).flat_map(|at| {
            let mut word = self.words[at];
            core::iter::from_fn(move || {
                let bit = (word != 0).then(|| word.trailing_zeros())?;
                word &= word - 1;
                Some(at as u64 * 64 + u64::from(bit))
            })
        });
        words.skip(usize::try_from(skipped).unwrap_or(usize::MAX))
    }

    /// Bytes of memory.
    pub(super) const fn memory_bytes(&self) -> u64 {
        (8 * (self.words.capacity() + self.before.capacity())) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_rank_leads_to_another_number(words in prop::collection::vec(any::<u64>(), 0..60), sparse: bool) {
            let words: Vec<u64> = words.iter().map(|w| if sparse { w & 1 } else { *w }).collect();
            let has = |n: u64| words[n as usize / 64] >> (n % 64) & 1 == 1;
            let all: Vec<u64> = (0..words.len() as u64 * 64).filter(|n| has(*n)).collect();
            let ranks = Ranks::new(words.clone());
            prop_assert_eq!(ranks.len(), all.len() as u64);
            for n in 0..words.len() as u64 * 64 + 70 {
                let expected = all.binary_search(&n).ok().map(|rank| rank as u64);
                prop_assert_eq!(ranks.rank(n), expected);
            }
            for rank in (0..all.len()).step_by(7) {
                let got: Vec<u64> = ranks.from_rank(rank as u64).take(20).collect();
                prop_assert_eq!(&got[..], &all[rank..all.len().min(rank + 20)]);
            }
            prop_assert_eq!(ranks.from_rank(all.len() as u64).next(), None);
        }
    }
}
