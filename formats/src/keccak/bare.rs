//! The permutation alone, for measurements: the floor under everything that hashes.

use super::{
    hasher::BatchHasher,
    sponge::{Lanes, RATE, State},
    width::Backend,
};
use alloy_primitives::keccak256;

impl BatchHasher {
    /// Runs the bare permutation `times` times, one after another, on zero states in all lanes, and
    /// returns the first word of the first one.
    ///
    /// Nothing is absorbed, padded, squeezed or put in order, so that the time of this, divided by the
    /// lanes, is what a permutation costs at least. The scalar permutation lies inside
    /// `alloy_primitives::keccak256` and cannot be called alone; in its place one message of `times`
    /// blocks is hashed, of which each adds the XOR of 17 words.
    pub fn permute_only(&self, times: usize) -> u64 {
        match self.backend {
            Backend::Scalar => one_message(times),
            #[cfg(target_arch = "aarch64")]
            Backend::X2(lanes) => in_lanes(lanes, times),
            #[cfg(target_arch = "x86_64")]
            Backend::X4(lanes) => in_lanes(lanes, times),
            #[cfg(target_arch = "x86_64")]
            Backend::X8(lanes) => in_lanes(lanes, times),
        }
    }
}

fn in_lanes<const N: usize, L: Lanes<N>>(lanes: L, times: usize) -> u64 {
    let mut state = State([[0; N]; 25]);
    for _ in 0..times {
        lanes.permute(&mut state.0);
    }
    state.0[0][0]
}

/// A message of 136 bytes less one is one block with its padding.
fn one_message(blocks: usize) -> u64 {
    let digest = keccak256(vec![0; (RATE * blocks).saturating_sub(1)]);
    u64::from_le_bytes(digest.first_chunk().copied().unwrap_or_default())
}
