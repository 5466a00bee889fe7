//! Codes that blocks load and deploy.

use crate::{population::Population, profile::Spread};
use alloy_primitives::{B256, map::HashMap};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use thinstate_formats::trace::{CodeRead, CodeWrite};

/// All codes of the population.
#[derive(Debug)]
pub(super) struct Codes {
    lengths: HashMap<B256, u32>,
    /// By ascending length.
    sorted: Vec<(u32, B256)>,
}

impl Codes {
    pub(super) fn new(population: &Population) -> Self {
        let codes = population.code_lengths();
        let mut sorted: Vec<_> = codes.map(|(hash, length)| (length, hash)).collect();
        sorted.sort_unstable();
        let lengths = sorted
            .iter()
            .map(|(length, hash)| (*hash, *length))
            .collect();
        Self { lengths, sorted }
    }

    /// What loading the code of an account is; `None` for one without code.
    pub(super) fn read(&self, hash: B256) -> Option<CodeRead> {
        let length = *self.lengths.get(&hash)?;
        Some(CodeRead { hash, length })
    }

    /// A code to deploy. Its length is the population's one that is nearest to the one drawn: most
    /// deployments are of code that is there already.
    pub(super) fn deploy(&self, bytes: &Spread, rng: &mut ChaCha8Rng) -> Option<CodeWrite> {
        let drawn = bytes.at(rng.random()) as u32;
        let at = self.sorted.partition_point(|(length, _)| *length < drawn);
        // Several of the same size are taken in turn.
        let at = (at + rng.random_range(0..4)).min(self.sorted.len().checked_sub(1)?);
        let (length, hash) = self.sorted[at];
        Some(CodeWrite { hash, length })
    }
}
