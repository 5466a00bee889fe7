//! One lane in portable code: the reference that the tests hold the sponge and the permutation to.
//!
//! Hashing one message at a time goes through `alloy_primitives::keccak256`, whose assembly is
//! faster; this instance exists so that what all lane widths share is tested on every machine.

use super::{
    permutation::define_permutation,
    sponge::{self, Window, Words},
};
use alloy_primitives::B256;

/// keccak256 of one message.
pub(super) fn hash(message: &[u8]) -> B256 {
    let mut digests = [B256::ZERO];
    sponge::hash(&Window::new([message]), &mut digests, permute_words);
    digests[0]
}

/// `keccak-f[1600]` on one state.
pub(super) fn permute_words(state: &mut Words<1>) {
    let mut words = state.map(|[word]| word);
    permute(&mut words);
    *state = words.map(|word| [word]);
}

fn xor(a: u64, b: u64) -> u64 {
    a ^ b
}

fn xor3(a: u64, b: u64, c: u64) -> u64 {
    a ^ b ^ c
}

fn chi(a: u64, b: u64, c: u64) -> u64 {
    a ^ (!b & c)
}

fn rotl<const L: u32, const R: u32>(a: u64) -> u64 {
    const { assert!(L + R == 64) };
    a.rotate_left(L)
}

fn splat(word: u64) -> u64 {
    word
}

define_permutation!(u64);
