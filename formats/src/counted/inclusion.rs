//! The proof of one leaf.

use super::{
    DecodeError, Leaf, MAX_DEPTH, Node, ProofError,
    codec::{Reader, put_node, put_varint},
    join,
};
use crate::{LeafIndex, NodeHasher};

/// On which side of the path something stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// Its leaves come before.
    Left,
    /// Its leaves come after.
    Right,
}

/// A node beside the path from a leaf to the root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Sibling {
    /// Where it stands.
    pub side: Side,
    /// The node.
    pub node: Node,
}

impl Sibling {
    /// A node on a side.
    pub const fn new(side: Side, node: Node) -> Self {
        Self { side, node }
    }
}

/// Proves that a leaf is in a tree, and its index.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct InclusionProof {
    /// From the leaf upwards.
    pub siblings: Vec<Sibling>,
}

impl InclusionProof {
    /// The index of `leaf` in the tree with this root.
    pub fn verify(
        &self,
        hasher: &NodeHasher,
        root: Node,
        leaf: &Leaf,
    ) -> Result<LeafIndex, ProofError> {
        check_depth(self.siblings.len())?;
        let (mut node, mut index) = (leaf.node(hasher), 0);
        for (at, sibling) in self.siblings.iter().enumerate() {
            check_sibling(at, sibling.node)?;
            node = match sibling.side {
                Side::Left => {
                    // Below the count of the join, which is checked first.
                    let above = join(hasher, sibling.node, node)?;
                    index += sibling.node.count;
                    above
                }
                Side::Right => join(hasher, node, sibling.node)?,
            };
        }
        check_root(root, node)?;
        Ok(LeafIndex(index))
    }

    /// Its bytes, as the [module](super) lays them out.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(2 + 42 * self.siblings.len());
        self.encode_to(&mut out);
        out
    }

    pub(super) fn encode_to(&self, out: &mut Vec<u8>) {
        put_varint(out, self.siblings.len() as u64);
        let sides = |siblings: &[Sibling]| {
            let bit = |(at, sibling): (usize, &Sibling)| u8::from(sibling.side == Side::Left) << at;
            siblings.iter().enumerate().map(bit).sum::<u8>()
        };
        out.extend(self.siblings.chunks(8).map(sides));
        for sibling in &self.siblings {
            put_node(out, &sibling.node);
        }
    }

    /// The proof with these bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let proof = Self::read(&mut reader)?;
        reader.finish()?;
        Ok(proof)
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let count = reader.count("siblings", MAX_DEPTH)?;
        let sides = reader.packed("sides", count, 1)?;
        let mut siblings = Vec::with_capacity(count);
        for left in sides {
            let side = if left == 1 { Side::Left } else { Side::Right };
            siblings.push(Sibling::new(side, reader.node()?));
        }
        Ok(Self { siblings })
    }
}

/// No leaf has more joins above it than locations have bits.
pub(super) fn check_depth(joins: usize) -> Result<(), ProofError> {
    if joins > MAX_DEPTH {
        return Err(ProofError::Depth {
            limit: MAX_DEPTH as u64,
            got: joins as u64,
        });
    }
    Ok(())
}

/// An empty sibling would be let through, and the same leaf would have many proofs.
pub(super) fn check_sibling(at: usize, node: Node) -> Result<(), ProofError> {
    if node.is_empty() {
        return Err(ProofError::EmptySibling { sibling: at as u64 });
    }
    Ok(())
}

/// Whether a proof led to the root.
pub(super) fn check_root(root: Node, got: Node) -> Result<(), ProofError> {
    if got.count != root.count {
        return Err(ProofError::Count {
            expected: root.count,
            got: got.count,
        });
    }
    if got.hash != root.hash {
        return Err(ProofError::Root {
            expected: root.hash,
            got: got.hash,
        });
    }
    Ok(())
}
