//! Merkle trees over lists of digests, in the shape of RFC 9162.
//!
//! A list of `n > 1` digests is split after the largest power of two below `n`. Level by level, from
//! the leaves, that is: neighbours are joined in pairs, and one that has no neighbour on its right
//! moves up as it is.
//!
//! ```text
//! root of no digests    32 zero bytes
//! root of one digest    the digest
//! node                  H(left 32 || right 32)                                      (64 bytes)
//! commitment            H(domain 16 || len u64 LE || root 32 || 72 zero bytes)     (128 bytes)
//! ```
//!
//! What the digests are of is the caller's, who keeps to one rule: no message of a leaf has 64 bytes
//! (those in this crate have 128), so that no leaf is taken for a node. A list's root alone does not
//! say how long it is: where it is committed to, the length is hashed with it ([`commitment`], or a
//! message of the caller's own). With the length known, an index says how many siblings its path has
//! and on which side each lies; a path holds the siblings alone, from the leaf up.
//!
//! | operation | hashes |
//! |---|---|
//! | [`root`], [`ListTree::build`] | n - 1, in batches |
//! | [`ListTree::stage`]: one digest changed or added | at most ceil(log2 n) |
//! | [`root_by_path`] | at most ceil(log2 n) |
//! | [`roots_by_paths`] | each node of all paths once, in batches |

mod many;
mod tree;

#[cfg(test)]
mod tests;

pub use many::{Placed, roots_by_paths};
pub use tree::{ListTree, StagedDigest};

use crate::NodeHasher;
use alloy_primitives::B256;

/// Messages that are made at a time: as many as a near cache holds.
const STRIDE: usize = 256;

/// A path does not fit the list that it is said to be of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ListPathError {
    /// There is no such digest in the list.
    #[error("index {index} in a list of {len}")]
    Outside {
        /// The index.
        index: u64,
        /// Digests in the list.
        len: u64,
    },
    /// The path has another length than one of this index in a list of this length.
    #[error("path of {got} siblings, expected {expected}")]
    Siblings {
        /// Siblings of this path.
        got: usize,
        /// Siblings of any path for this index.
        expected: usize,
    },
}

/// `H(left || right)`.
pub fn node(hasher: &NodeHasher, left: B256, right: B256) -> B256 {
    hasher.hash(&node_message(left, right))
}

/// What is hashed for a node.
pub(crate) fn node_message(left: B256, right: B256) -> [u8; 64] {
    let mut message = [0; 64];
    message[..32].copy_from_slice(left.as_slice());
    message[32..].copy_from_slice(right.as_slice());
    message
}

/// The level above this one.
pub(crate) fn parents(hasher: &NodeHasher, level: &[B256]) -> Vec<B256> {
    let (pairs, last) = level.as_chunks::<2>();
    let mut above = Vec::with_capacity(level.len().div_ceil(2));
    let mut messages = Vec::with_capacity(pairs.len().min(STRIDE));
    for pairs in pairs.chunks(STRIDE) {
        messages.clear();
        messages.extend(pairs.iter().map(|[l, r]| node_message(*l, *r)));
        hasher.hash_blocks(&messages, &mut above);
    }
    above.extend_from_slice(last);
    above
}

/// The root of a list.
pub fn root(hasher: &NodeHasher, digests: &[B256]) -> B256 {
    let Some(first) = digests.first() else {
        return B256::ZERO;
    };
    if digests.len() == 1 {
        return *first;
    }
    root(hasher, &parents(hasher, digests))
}

/// What commits to a list with its length, under a domain of its own.
pub fn commitment(hasher: &NodeHasher, domain: &[u8; 16], len: u64, root: B256) -> B256 {
    let mut message = [0; 128];
    message[..16].copy_from_slice(domain);
    message[16..24].copy_from_slice(&len.to_le_bytes());
    message[24..56].copy_from_slice(root.as_slice());
    hasher.hash(&message)
}

/// On which side of a node its sibling lies, or that it has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sibling {
    Left,
    Right,
    None,
}

/// The siblings of a digest, from the leaf up.
fn sides(index: u64, len: u64) -> impl Iterator<Item = Sibling> {
    let (mut at, mut width) = (index, len);
    core::iter::from_fn(move || {
        if width <= 1 {
            return None;
        }
        let side = match (at % 2 == 1, at + 1 < width) {
            (true, _) => Sibling::Left,
            (false, true) => Sibling::Right,
            (false, false) => Sibling::None,
        };
        (at, width) = (at / 2, width.div_ceil(2));
        Some(side)
    })
}

/// Siblings in the path of a digest; `None` for one outside the list.
pub fn path_len(index: u64, len: u64) -> Option<usize> {
    let with = || sides(index, len).filter(|side| *side != Sibling::None);
    (index < len).then(|| with().count())
}

/// The root of the list of `len` digests in which `digest` has this index and these siblings.
pub fn root_by_path(
    hasher: &NodeHasher,
    digest: B256,
    index: u64,
    len: u64,
    siblings: &[B256],
) -> Result<B256, ListPathError> {
    let expected = path_len(index, len).ok_or(ListPathError::Outside { index, len })?;
    let got = siblings.len();
    if got != expected {
        return Err(ListPathError::Siblings { got, expected });
    }
    let mut siblings = siblings.iter();
    Ok(sides(index, len).fold(digest, |below, side| {
        let mut next = || *siblings.next().expect("as many siblings as sides");
        match side {
            Sibling::Left => node(hasher, next(), below),
            Sibling::Right => node(hasher, below, next()),
            Sibling::None => below,
        }
    }))
}
