//! Bitfields with a Merkle tree: one spent bit for each sealed leaf or record.
//!
//! Bit `i` of a field is bit `i % 8` of byte `i / 8`. The bytes are cut into words of 32 (256 bits),
//! the leaves of a binary tree; bits at or above the field's length are zero.
//!
//! ```text
//! words       ceil(bits / 256)
//! height      max(2, ceil(log2(words)))
//! leaf        the word itself, unhashed; beyond the last word 32 zero bytes
//! node        H(left 32 || right 32)                                                     (64 bytes)
//! commitment  H("thinstate/bits" 16 || bits u64 LE || root 32 || 72 zero bytes)         (128 bytes)
//! field       H("thinstate/field" 16 || kind u64 LE || period u64 LE || commitment 32 || zeros)
//!             kind 0: records, period 0; kind 1: a period's leaves                      (128 bytes)
//! all fields  H("thinstate/spent" 16 || fields u64 LE || root 32 || 72 zero bytes),     (128 bytes)
//!             the root of the list of all fields, records first, then periods in order
//! ```
//!
//! The height follows from the length, which the commitment holds, so no node can be taken for a
//! word. The node of height 8 above 256 words spans 65,536 bits, a stem. Nodes over zero words alone
//! are constants, one for each height: a field that grows hashes nothing but the nodes above the old
//! top, and a field of zeros costs one hash for each height, however long it is.
//!
//! [`BitTree`] keeps one node for each group of 4 words and those above them: about 64 bytes for
//! 1,024 bits. A change of words costs three hashes for each group touched (the two inner ones of a
//! group are not kept), and one for each node above, in batches by height.

mod field;
mod tree;

#[cfg(test)]
mod tests;

pub use field::{FieldId, field_digest, fields_root};
pub use tree::{BitTree, BitsError, StagedBits};

use crate::{NodeHasher, list};
use alloy_primitives::B256;

/// 256 bits of a field.
pub type Word = [u8; 32];

/// Bits in a [`Word`].
pub const WORD_BITS: u64 = 256;
/// Words under the lowest node that a [`BitTree`] keeps.
pub const GROUP_WORDS: u64 = 4;
/// What the commitment begins with.
pub const DOMAIN: &[u8; 16] = b"thinstate/bits\0\0";

/// Words of a field of `len` bits.
pub const fn word_count(len: u64) -> u64 {
    len.div_ceil(WORD_BITS)
}

/// Nodes from the root down to the words of a field of `len` bits.
pub const fn height(len: u64) -> u32 {
    let groups = word_count(len).div_ceil(GROUP_WORDS);
    match groups {
        0 | 1 => 2,
        _ => 2 + (groups - 1).ilog2() + 1,
    }
}

/// Where a bit lies: its word, and the byte in the word and the bit in the byte.
pub const fn place(index: u64) -> (u64, usize, u8) {
    let in_word = (index % WORD_BITS) as usize;
    (index / WORD_BITS, in_word / 8, 1 << (in_word % 8))
}

/// Whether any bit of word number `at` lies at or above `len`.
pub(crate) fn reaches_beyond(at: u64, word: &Word, len: u64) -> bool {
    let first = at * WORD_BITS;
    match len.checked_sub(first) {
        None | Some(0) => *word != [0; 32],
        Some(inside) if inside >= WORD_BITS => false,
        Some(inside) => {
            let (byte, rest) = ((inside / 8) as usize, inside % 8);
            word[byte] >> rest != 0 || word[byte + 1..].iter().any(|byte| *byte != 0)
        }
    }
}

/// The root over all words of a field, computed from nothing else. For a field of `len` bits there
/// are [`word_count`] words.
pub fn root(hasher: &NodeHasher, words: &[Word]) -> B256 {
    let leaves = words.len().max(4).next_power_of_two();
    let mut level: Vec<_> = words.iter().copied().map(B256::from).collect();
    level.resize(leaves, B256::ZERO);
    list::root(hasher, &level)
}

/// What commits to a field: its length and its root.
pub fn commitment(hasher: &NodeHasher, len: u64, root: B256) -> B256 {
    list::commitment(hasher, DOMAIN, len, root)
}
