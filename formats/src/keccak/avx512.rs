//! 8 lanes: AVX-512F, with AVX-512BW for byte masks.
//!
//! Rotation (`vprolq`) and any function of three operands (`vpternlogq`) are one instruction each,
//! so a round is 95 of them. Blocks are absorbed straight from the messages: one masked load takes
//! up to 64 bytes of one message and nothing past its end, the padding is blended in, and an 8x8
//! transpose turns eight such rows into eight words of all lanes. Vectors that no message reaches
//! (a batch of hashed keys or short leaves) are skipped.

use super::{
    permutation::define_permutation,
    sponge::{LAST_BIT, Lanes, RATE, RATE_WORDS, Window, Words},
};
use alloy_primitives::B256;
use core::{arch::x86_64::*, mem::transmute};

/// Bytes in a vector.
const VECTOR: usize = 64;

/// Mapped memory for lanes that have nothing to load to point at. No byte of it is used, but where
/// an address is not mapped (such as that of an empty slice) the CPU takes hundreds of cycles to
/// find that a load with an empty mask does not fault.
static NOTHING: [u8; 3 * VECTOR] = [0; 3 * VECTOR];

/// 0, 1, 2, ... 63.
const INDICES: __m512i = {
    let mut indices = [0; VECTOR];
    let mut index = 0;
    while index < VECTOR {
        indices[index] = index as u8;
        index += 1;
    }
    // SAFETY: both types are 64 bytes of which every bit pattern is a value.
    unsafe { transmute::<[u8; VECTOR], __m512i>(indices) }
};

/// Proof that the CPU has AVX-512F and AVX-512BW.
#[derive(Clone, Copy, Debug)]
pub(super) struct Avx512(());

impl Avx512 {
    /// The proof, where the CPU gives it.
    pub(super) fn detect() -> Option<Self> {
        (is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw"))
            .then_some(Self(()))
    }
}

impl Lanes<8> for Avx512 {
    // Sapphire Rapids: 450 ns for 8 lanes against 305 ns for one message in assembly.
    const COST: usize = 150;

    fn hash(self, window: &Window<'_, 8>, digests: &mut [B256; 8]) -> usize {
        // SAFETY: a value of `Self` exists only where `detect` found both features.
        unsafe { hash(window, digests) }
    }

    fn permute(self, state: &mut Words<8>) {
        // SAFETY: as above.
        unsafe { permute_words(state) }
    }
}

#[target_feature(enable = "avx512f")]
fn permute_words(state: &mut Words<8>) {
    // SAFETY: both types are 25 times 8 words of which every bit pattern is a value.
    let mut vectors = unsafe { transmute::<Words<8>, [__m512i; 25]>(*state) };
    permute(&mut vectors);
    // SAFETY: as above.
    *state = unsafe { transmute::<[__m512i; 25], Words<8>>(vectors) };
}

#[target_feature(enable = "avx512f,avx512bw")]
fn hash(window: &Window<'_, 8>, digests: &mut [B256; 8]) -> usize {
    let longest = window.longest();
    let mut state = [_mm512_setzero_si512(); 25];
    for block in 0..longest {
        absorb(&mut state, &window.messages, block);
        permute(&mut state);
        let ends = window.blocks.map(|blocks| blocks == block + 1);
        if ends.contains(&true) {
            squeeze(&state, ends, digests);
        }
    }
    longest
}

/// XORs block `block` of each message into its lane; a lane past its message's last block absorbs
/// padding, and nobody reads it.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn absorb(state: &mut [__m512i; 25], messages: &[&[u8]; 8], block: usize) {
    let mut lanes: [&[u8]; 8] = [&[]; 8];
    let mut longest = 0;
    let mut last = 0;
    for (index, (lane, message)) in lanes.iter_mut().zip(messages).enumerate() {
        let rest = message.get(block * RATE..).filter(|rest| !rest.is_empty());
        let rest = rest.unwrap_or(&NOTHING[..0]);
        *lane = &rest[..rest.len().min(RATE)];
        longest = longest.max(lane.len());
        last |= u8::from(lane.len() < RATE) << index;
    }
    for (index, words) in state[..RATE_WORDS].chunks_mut(8).enumerate() {
        let offset = index * VECTOR;
        // A block that ends just before `offset` has its padding there.
        if longest < offset {
            break;
        }
        let mut rows = [_mm512_setzero_si512(); 8];
        for (row, lane) in rows.iter_mut().zip(lanes) {
            *row = load_padded(lane, offset);
        }
        for (word, row) in words.iter_mut().zip(transpose(rows)) {
            *word = xor(*word, row);
        }
    }
    let last_bit = _mm512_maskz_set1_epi64(last, LAST_BIT.cast_signed());
    state[RATE_WORDS - 1] = xor(state[RATE_WORDS - 1], last_bit);
}

/// The 64 bytes from `offset` of a block of at most [`RATE`] bytes, then 0x01, then zeros. Behind a
/// full block the 0x01 is no part of any word that is absorbed.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn load_padded(block: &[u8], offset: usize) -> __m512i {
    const { assert!(RATE <= u8::MAX as usize, "positions are compared as bytes") };
    let positions = _mm512_add_epi8(INDICES, _mm512_set1_epi8(offset as i8));
    let end = _mm512_set1_epi8(block.len() as i8);
    let held = _mm512_cmplt_epu8_mask(positions, end);
    let start = block.as_ptr().wrapping_add(offset);
    // SAFETY: a masked load touches only the bytes whose bit is set, and those are the bytes whose
    // position from the block's first, `offset` included, is below the block's length.
    let bytes = unsafe { _mm512_maskz_loadu_epi8(held, start.cast()) };
    let padding = _mm512_cmpeq_epu8_mask(positions, end);
    _mm512_mask_mov_epi8(bytes, padding, _mm512_set1_epi8(1))
}

/// Writes the digests of the lanes that end.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn squeeze(state: &[__m512i; 25], ends: [bool; 8], digests: &mut [B256; 8]) {
    let zero = _mm512_setzero_si512();
    let [w0, w1, w2, w3, ..] = *state;
    let rows = transpose([w0, w1, w2, w3, zero, zero, zero, zero]);
    for ((digest, row), ends) in digests.iter_mut().zip(rows).zip(ends) {
        if ends {
            let row = _mm512_castsi512_si256(row);
            // SAFETY: a digest has the 32 bytes that an unaligned store of 256 bits writes.
            unsafe { _mm256_storeu_si256(digest.as_mut_ptr().cast(), row) };
        }
    }
}

/// Transposes 8 rows of 8 words.
#[inline]
#[target_feature(enable = "avx512f")]
fn transpose(rows: [__m512i; 8]) -> [__m512i; 8] {
    let [r0, r1, r2, r3, r4, r5, r6, r7] = rows;
    let even = transpose_pairs([
        _mm512_unpacklo_epi64(r0, r1),
        _mm512_unpacklo_epi64(r2, r3),
        _mm512_unpacklo_epi64(r4, r5),
        _mm512_unpacklo_epi64(r6, r7),
    ]);
    let odd = transpose_pairs([
        _mm512_unpackhi_epi64(r0, r1),
        _mm512_unpackhi_epi64(r2, r3),
        _mm512_unpackhi_epi64(r4, r5),
        _mm512_unpackhi_epi64(r6, r7),
    ]);
    [
        even[0], odd[0], even[1], odd[1], even[2], odd[2], even[3], odd[3],
    ]
}

/// Transposes 4 rows of 4 pairs of words.
#[inline]
#[target_feature(enable = "avx512f")]
fn transpose_pairs([r0, r1, r2, r3]: [__m512i; 4]) -> [__m512i; 4] {
    // The low and high bits of a selector: pairs 0 and 2 of both operands, or 1 and 3.
    const EVEN: i32 = 0b10_00_10_00;
    const ODD: i32 = 0b11_01_11_01;
    let even01 = _mm512_shuffle_i64x2::<EVEN>(r0, r1);
    let odd01 = _mm512_shuffle_i64x2::<ODD>(r0, r1);
    let even23 = _mm512_shuffle_i64x2::<EVEN>(r2, r3);
    let odd23 = _mm512_shuffle_i64x2::<ODD>(r2, r3);
    [
        _mm512_shuffle_i64x2::<EVEN>(even01, even23),
        _mm512_shuffle_i64x2::<EVEN>(odd01, odd23),
        _mm512_shuffle_i64x2::<ODD>(even01, even23),
        _mm512_shuffle_i64x2::<ODD>(odd01, odd23),
    ]
}

#[inline]
#[target_feature(enable = "avx512f")]
fn xor(a: __m512i, b: __m512i) -> __m512i {
    _mm512_xor_si512(a, b)
}

// The immediate of `vpternlogq` is the truth table: bit `4a + 2b + c` is the function's value.

#[inline]
#[target_feature(enable = "avx512f")]
fn xor3(a: __m512i, b: __m512i, c: __m512i) -> __m512i {
    _mm512_ternarylogic_epi64::<0b1001_0110>(a, b, c)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn chi(a: __m512i, b: __m512i, c: __m512i) -> __m512i {
    _mm512_ternarylogic_epi64::<0b1101_0010>(a, b, c)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn rotl<const L: i32, const R: i32>(a: __m512i) -> __m512i {
    const { assert!(L + R == 64) };
    _mm512_rol_epi64::<L>(a)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn splat(word: u64) -> __m512i {
    _mm512_set1_epi64(word.cast_signed())
}

define_permutation!(
    #[target_feature(enable = "avx512f")]
    __m512i
);
