//! 2 lanes: NEON (Advanced SIMD), which every 64-bit ARM core has.
//!
//! A rotation is a shift and a shift-insert; the 32 registers hold the whole state.

use super::{
    permutation::define_permutation,
    sponge::{self, Lanes, Window, Words},
};
use alloy_primitives::B256;
use core::{arch::aarch64::*, mem::transmute};
use std::arch::is_aarch64_feature_detected;

/// Proof that the CPU has NEON.
#[derive(Clone, Copy, Debug)]
pub(super) struct Neon(());

impl Neon {
    /// The proof, where the CPU gives it.
    pub(super) fn detect() -> Option<Self> {
        is_aarch64_feature_detected!("neon").then_some(Self(()))
    }
}

impl Lanes<2> for Neon {
    // Counted, not measured: 105 vector instructions a round at two to four a cycle against
    // 76 scalar ones (with shifted operands) at three to four.
    const COST: usize = 140;

    fn hash(self, window: &Window<'_, 2>, digests: &mut [B256; 2]) -> usize {
        // SAFETY: a value of `Self` exists only where `detect` found NEON.
        sponge::hash(window, digests, |state| unsafe { permute_words(state) })
    }

    fn permute(self, state: &mut Words<2>) {
        // SAFETY: as above.
        unsafe { permute_words(state) }
    }
}

#[target_feature(enable = "neon")]
fn permute_words(state: &mut Words<2>) {
    // SAFETY: both types are 25 times 2 words of which every bit pattern is a value.
    let mut vectors = unsafe { transmute::<Words<2>, [uint64x2_t; 25]>(*state) };
    permute(&mut vectors);
    // SAFETY: as above.
    *state = unsafe { transmute::<[uint64x2_t; 25], Words<2>>(vectors) };
}

#[inline]
#[target_feature(enable = "neon")]
fn xor(a: uint64x2_t, b: uint64x2_t) -> uint64x2_t {
    veorq_u64(a, b)
}

#[inline]
#[target_feature(enable = "neon")]
fn xor3(a: uint64x2_t, b: uint64x2_t, c: uint64x2_t) -> uint64x2_t {
    xor(xor(a, b), c)
}

#[inline]
#[target_feature(enable = "neon")]
fn chi(a: uint64x2_t, b: uint64x2_t, c: uint64x2_t) -> uint64x2_t {
    // `vbicq_u64(c, b)` is `c & !b`.
    xor(a, vbicq_u64(c, b))
}

#[inline]
#[target_feature(enable = "neon")]
fn rotl<const L: i32, const R: i32>(a: uint64x2_t) -> uint64x2_t {
    const { assert!(L + R == 64) };
    vsriq_n_u64::<R>(vshlq_n_u64::<L>(a), a)
}

#[inline]
#[target_feature(enable = "neon")]
fn splat(word: u64) -> uint64x2_t {
    vdupq_n_u64(word)
}

define_permutation!(
    #[target_feature(enable = "neon")]
    uint64x2_t
);
