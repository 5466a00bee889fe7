//! The sponge around the permutation: how a message is cut and padded into blocks, and the hashing
//! of `N` messages side by side for those lane widths that have no faster way to absorb.
//!
//! ```text
//!  block   136 B = 17 words, little-endian, XORed into words 0..17 of the state
//!  last    rest of the message (0..=135 B) | 0x01 | 0x00 ... | 0x80     (0x81 where they meet)
//!  digest  words 0..4 of the state after the last block's permutation
//! ```
//!
//! The padding is Keccak's as Ethereum uses it (`0x01`), not that of FIPS 202 (`0x06`). A message
//! whose length is a multiple of 136 gets one more block, of padding alone.

use alloy_primitives::B256;

/// Bytes that one permutation absorbs.
pub(super) const RATE: usize = 136;

/// Words that one permutation absorbs.
pub(super) const RATE_WORDS: usize = RATE / 8;

/// The bit that ends the padding, in the last word of a message's last block.
pub(super) const LAST_BIT: u64 = 1 << 63;

/// `N` states side by side: word by word, each word of all lanes together.
pub(super) type Words<const N: usize> = [[u64; N]; 25];

/// The same at the start of a cache line, so that no vector of it lies across two.
#[repr(align(64))]
pub(super) struct State<const N: usize>(pub(super) Words<N>);

/// Messages that are hashed side by side, and the blocks of each.
#[derive(Debug)]
pub(super) struct Window<'m, const N: usize> {
    /// The message of each lane; empty where there are fewer than lanes.
    pub(super) messages: [&'m [u8]; N],
    /// Number of blocks of each message.
    pub(super) blocks: [usize; N],
}

impl<'m, const N: usize> Window<'m, N> {
    #[inline]
    pub(super) fn new(messages: [&'m [u8]; N]) -> Self {
        let blocks = messages.map(|message| blocks(message.len()));
        Self { messages, blocks }
    }

    /// Blocks of the longest message.
    #[inline]
    pub(super) fn longest(&self) -> usize {
        self.blocks.iter().copied().max().unwrap_or(0)
    }
}

/// Lanes that hash a window at once on this CPU.
///
/// A value of an implementing type is the proof that the CPU can: it comes from run-time detection
/// alone.
pub(super) trait Lanes<const N: usize>: Copy {
    /// Cost of one permutation of all lanes, in hundredths of hashing one block in scalar code.
    const COST: usize;

    /// Hashes each message into the digest of its lane; returns the permutations of all lanes that
    /// it took, which is the number of blocks of the longest message.
    fn hash(self, window: &Window<'_, N>, digests: &mut [B256; N]) -> usize;

    /// The permutation alone, on the states of all lanes.
    fn permute(self, state: &mut Words<N>);
}

/// Blocks in a message of `len` bytes.
#[inline]
pub(super) const fn blocks(len: usize) -> usize {
    len / RATE + 1
}

/// Hashes messages of any lengths side by side with a permutation of `N` lanes, see
/// [`Lanes::hash`].
#[inline]
pub(super) fn hash<const N: usize>(
    window: &Window<'_, N>,
    digests: &mut [B256; N],
    permute: impl Fn(&mut Words<N>),
) -> usize {
    let longest = window.longest();
    let mut state = State([[0; N]; 25]);
    for block in 0..longest {
        absorb(&mut state.0, &window.messages, block);
        permute(&mut state.0);
        // A lane that has ended goes on permuting what nobody reads.
        for lane in (0..N).filter(|&lane| window.blocks[lane] == block + 1) {
            digests[lane] = squeeze(&state.0, lane);
        }
    }
    longest
}

/// XORs block `block` of each message into its lane; nothing past a message's last one.
///
/// Word by word into the transposed state, with no copy of the block: arrays of blocks that are
/// mapped and transposed as a whole cost as much again as half the permutation.
#[inline]
fn absorb<const N: usize>(state: &mut Words<N>, messages: &[&[u8]; N], block: usize) {
    for (lane, message) in messages.iter().enumerate() {
        let Some(rest) = message.get(block * RATE..) else {
            continue;
        };
        match rest.first_chunk::<RATE>() {
            Some(full) => {
                for (word, bytes) in state.iter_mut().zip(full.as_chunks::<8>().0) {
                    word[lane] ^= u64::from_le_bytes(*bytes);
                }
            }
            None => absorb_last(state, lane, rest),
        }
    }
}

/// XORs the last block of a message, of which `rest` is left, and its padding into a lane.
#[inline]
fn absorb_last<const N: usize>(state: &mut Words<N>, lane: usize, rest: &[u8]) {
    let (whole, tail) = rest.as_chunks::<8>();
    for (word, bytes) in state.iter_mut().zip(whole) {
        word[lane] ^= u64::from_le_bytes(*bytes);
    }
    // The first bit of padding lands behind the tail's last byte.
    let padded = |word, &byte: &u8| word << 8 | u64::from(byte);
    state[whole.len()][lane] ^= tail.iter().rev().fold(1, padded);
    state[RATE_WORDS - 1][lane] ^= LAST_BIT;
}

/// The digest in one lane.
#[inline]
fn squeeze<const N: usize>(state: &Words<N>, lane: usize) -> B256 {
    let mut digest = B256::ZERO;
    for (bytes, word) in digest.0.as_chunks_mut::<8>().0.iter_mut().zip(state) {
        *bytes = word[lane].to_le_bytes();
    }
    digest
}
