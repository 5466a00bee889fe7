//! What was written in the run, by block.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use std::collections::VecDeque;

/// Writes that are remembered.
const WRITES_MAX: usize = 1 << 22;

/// Writes by block, the oldest forgotten first.
#[derive(Debug)]
pub(super) struct Log<K> {
    /// Clock of the first entry.
    first: u64,
    blocks: VecDeque<Vec<K>>,
    writes: usize,
}

impl<K: Copy> Log<K> {
    /// Nothing yet, at clock 0.
    pub(super) const fn new() -> Self {
        Self {
            first: 0,
            blocks: VecDeque::new(),
            writes: 0,
        }
    }

    /// Appends what the block at `clock`, which is not before the last one, wrote. Blocks that were passed
    /// over wrote nothing.
    pub(super) fn push(&mut self, clock: u64, keys: Vec<K>) {
        while self.first + (self.blocks.len() as u64) < clock {
            self.blocks.push_back(Vec::new());
        }
        self.writes += keys.len();
        self.blocks.push_back(keys);
        while self.writes > WRITES_MAX && self.blocks.len() > 1 {
            let forgotten = self.blocks.pop_front();
            self.writes -= forgotten.map_or(0, |it| it.len());
            self.first += 1;
        }
    }

    /// One of the writes of the block at `clock`.
    pub(super) fn draw(&self, clock: u64, rng: &mut ChaCha8Rng) -> Option<K> {
        let at = usize::try_from(clock.checked_sub(self.first)?).ok()?;
        let keys = self.blocks.get(at).filter(|it| !it.is_empty())?;
        Some(keys[rng.random_range(0..keys.len())])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn nothing_is_drawn_from_another_block() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut log = Log::new();
        log.push(0, vec![1, 2]);
        log.push(3, vec![3]);
        assert!([Some(1), Some(2)].contains(&log.draw(0, &mut rng)));
        assert_eq!(log.draw(1, &mut rng), None);
        assert_eq!(log.draw(3, &mut rng), Some(3));
        assert_eq!(log.draw(4, &mut rng), None);
    }

    #[test]
    fn no_more_is_remembered_than_the_limit() {
        let mut log = Log::new();
        for clock in 0..5 {
            log.push(clock, vec![0_u8; WRITES_MAX / 4]);
        }
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        assert_eq!(log.draw(0, &mut rng), None);
        assert_eq!(log.draw(1, &mut rng), Some(0));
    }
}
