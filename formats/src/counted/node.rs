//! Leaves, nodes, and the two messages that are hashed.

use crate::NodeHasher;
use alloy_primitives::B256;

/// Bytes of a leaf's message.
pub const LEAF_MESSAGE_BYTES: usize = 64;
/// Bytes of an inner node's message.
pub const INNER_MESSAGE_BYTES: usize = 128;
/// Messages that are written out at a time: they stay in the CPU's cache.
pub(super) const BATCH: usize = 512;

/// An entry of a period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Leaf {
    /// Where it lies ([`crate::temporary::location`]).
    pub location: B256,
    /// What it holds.
    pub value: B256,
}

/// What a subtree commits to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Node {
    /// Its hash; zero where it is empty.
    pub hash: B256,
    /// Leaves below it.
    pub count: u64,
}

/// Two nodes have more leaves than a count can hold. One of them is forged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected counts that add up to at most 2^64 - 1, got {left} and {right}")]
pub struct CountOverflow {
    /// Leaves of the left one.
    pub left: u64,
    /// Leaves of the right one.
    pub right: u64,
}

impl Leaf {
    /// What is hashed.
    pub fn message(&self) -> [u8; LEAF_MESSAGE_BYTES] {
        let mut message = [0; LEAF_MESSAGE_BYTES];
        message[..32].copy_from_slice(self.location.as_slice());
        message[32..].copy_from_slice(self.value.as_slice());
        message
    }

    /// The tree of this leaf alone.
    pub fn node(&self, hasher: &NodeHasher) -> Node {
        Node::leaf(hasher.hash(&self.message()))
    }
}

impl Node {
    /// The tree of no leaves.
    pub const EMPTY: Self = Self {
        hash: B256::ZERO,
        count: 0,
    };

    /// The tree of one leaf, by its hash.
    pub const fn leaf(hash: B256) -> Self {
        Self { hash, count: 1 }
    }

    /// Whether it has no leaves.
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }
}

/// What is hashed of an inner node.
pub fn inner_message(left: Node, right: Node) -> [u8; INNER_MESSAGE_BYTES] {
    let mut message = [0; INNER_MESSAGE_BYTES];
    message[..32].copy_from_slice(left.hash.as_slice());
    message[32..64].copy_from_slice(right.hash.as_slice());
    message[64..72].copy_from_slice(&left.count.to_le_bytes());
    message[72..80].copy_from_slice(&right.count.to_le_bytes());
    message
}

/// The hashes of leaves, in order, computed in batches.
pub fn leaf_hashes(hasher: &NodeHasher, leaves: &[Leaf]) -> Vec<B256> {
    let mut hashes = Vec::with_capacity(leaves.len());
    let mut messages = Vec::with_capacity(leaves.len().min(BATCH));
    for leaves in leaves.chunks(BATCH) {
        messages.clear();
        messages.extend(leaves.iter().map(Leaf::message));
        hasher.hash_blocks(&messages, &mut hashes);
    }
    hashes
}

/// The node above two others; an empty one lets the other through.
pub fn join(hasher: &NodeHasher, left: Node, right: Node) -> Result<Node, CountOverflow> {
    if left.is_empty() {
        return Ok(right);
    }
    if right.is_empty() {
        return Ok(left);
    }
    Ok(Node {
        count: sum(left, right)?,
        hash: hasher.hash(&inner_message(left, right)),
    })
}

/// Leaves below two nodes.
pub(super) fn sum(left: Node, right: Node) -> Result<u64, CountOverflow> {
    left.count.checked_add(right.count).ok_or(CountOverflow {
        left: left.count,
        right: right.count,
    })
}
