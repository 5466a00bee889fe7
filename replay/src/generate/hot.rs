//! Keys that are touched again and again.

use crate::demo::generate::Popularity;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// Draws after which the next free key is taken.
const TRIES: usize = 8;
/// The least size of a set, by what one block asks of it.
const SPARE: f64 = 1.5;

/// Keys with ranks; each is drawn once a block at most.
#[derive(Debug)]
pub(super) struct Hot<K> {
    pub(super) keys: Vec<K>,
    popularity: Popularity,
    /// By key: the draft that last drew it.
    drawn: Vec<u64>,
}

/// How many keys a set has: so many per million of `all`, but enough for a block.
pub(super) fn size(per_million: f64, all: u64, asked: f64) -> usize {
    let size = (per_million * all as f64 / 1e6).max(asked * SPARE);
    size.ceil() as usize
}

impl<K> Hot<K> {
    /// The most popular key comes first.
    pub(super) fn new(keys: Vec<K>, exponent: f64) -> Self {
        Self {
            popularity: Popularity::of(exponent, keys.len()),
            drawn: vec![0; keys.len()],
            keys,
        }
    }

    /// A key that `draft`, which is above zero, has not drawn and that fits; its place.
    pub(super) fn draw(
        &mut self,
        draft: u64,
        rng: &mut ChaCha8Rng,
        fits: impl Fn(&K) -> bool,
    ) -> Option<usize> {
        for _ in 0..TRIES {
            let at = self.popularity.sample(rng)?;
            if self.take(at, draft, &fits) {
                return Some(at);
            }
        }
        let from = rng.random_range(0..self.keys.len());
        let mut places = (from..self.keys.len()).chain(0..from);
        places.find(|at| self.take(*at, draft, &fits))
    }

    /// Takes a certain key, unless the draft has drawn it.
    pub(super) fn take(&mut self, at: usize, draft: u64, fits: &impl Fn(&K) -> bool) -> bool {
        let free = self.drawn[at] != draft && fits(&self.keys[at]);
        if free {
            self.drawn[at] = draft;
        }
        free
    }

    /// The share of draws that hit a key that was drawn within so many blocks, if each asks for `asked`.
    pub(super) fn fresh(&self, asked: f64, blocks: f64) -> f64 {
        let shares = self.popularity.shares();
        let mut rates: Vec<f64> = shares.map(|share| (share * asked).min(1.0)).collect();
        let all: f64 = rates.iter().sum();
        if all <= 0.0 {
            return 1.0;
        }
        // What the keys that are drawn in every block leave, the others take.
        let left = (asked - all).max(0.0) / self.keys.len() as f64;
        rates
            .iter_mut()
            .for_each(|rate| *rate = (*rate + left).min(1.0));
        let all: f64 = rates.iter().sum();
        let hits = rates
            .iter()
            .map(|rate| rate * (1.0 - (1.0 - rate).powf(blocks)));
        hits.sum::<f64>() / all
    }
}
