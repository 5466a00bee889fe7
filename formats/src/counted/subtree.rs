//! The tree of a slice of leaves: all its nodes, or its root alone.

use super::{
    InclusionProof, Leaf, LocationProof, Node, OrderError, Sibling, Side, check_order, join,
    joins::{Joins, Planned},
    leaf_hashes,
    sorted::halves,
};
use crate::{LeafIndex, NodeHasher};
use alloy_primitives::B256;

/// Leaves of which [`root_of_sorted`] holds the nodes at a time.
const CHUNK: usize = 4096;

/// All nodes of the tree of some leaves, for proofs. About 100 bytes for each leaf.
pub struct Subtree {
    joins: Joins,
}

impl Subtree {
    /// The tree of leaves that ascend by location.
    pub fn build(hasher: &NodeHasher, leaves: &[Leaf]) -> Result<Self, OrderError> {
        check_order(leaves)?;
        Ok(Self::of_sorted(hasher, leaves))
    }

    fn of_sorted(hasher: &NodeHasher, leaves: &[Leaf]) -> Self {
        let hashes = leaf_hashes(hasher, leaves);
        let mut joins = Joins::new(hashes.into_iter().map(Node::leaf).collect());
        if !leaves.is_empty() {
            plan(&mut joins, leaves, 0);
        }
        joins
            .hash(hasher)
            .expect("a slice has fewer than 2^64 leaves");
        Self { joins }
    }

    /// Its root.
    pub fn root(&self) -> Node {
        self.joins.top()
    }

    /// The siblings of a leaf, from the leaf upwards; `None` where there is no such leaf.
    pub fn siblings(&self, index: LeafIndex) -> Option<Vec<Sibling>> {
        let mut number = self.joins.top_number()?;
        if index.0 >= self.root().count {
            return None;
        }
        let (mut below, mut siblings) = (index.0, Vec::new());
        while let Some([left, right]) = self.joins.halves(number) {
            let [left_node, right_node] = [left, right].map(|half| self.joins.node(half));
            number = if below < left_node.count {
                siblings.push(Sibling::new(Side::Right, right_node));
                left
            } else {
                below -= left_node.count;
                siblings.push(Sibling::new(Side::Left, left_node));
                right
            };
        }
        siblings.reverse();
        Some(siblings)
    }

    /// The proof of a leaf; `None` where there is no such leaf.
    pub fn prove(&self, index: LeafIndex) -> Option<InclusionProof> {
        let siblings = self.siblings(index)?;
        Some(InclusionProof { siblings })
    }

    /// Proves what the tree has at a location. `leaves` are those that it was built of.
    pub fn prove_location(&self, leaves: &[Leaf], location: &B256) -> LocationProof {
        let prove = |at: usize| {
            self.prove(LeafIndex(at as u64))
                .expect("the tree has one leaf for each of the slice")
        };
        let found = leaves.binary_search_by(|leaf| leaf.location.cmp(location));
        match found {
            Ok(at) => LocationProof::included(leaves[at], LeafIndex(at as u64), prove(at)),
            Err(at) => {
                let neighbour = |at: usize| Some((*leaves.get(at)?, prove(at)));
                LocationProof::excluded(at.checked_sub(1).and_then(neighbour), neighbour(at))
                    .expect("neighbours are leaves of this tree, one after the other")
            }
        }
    }
}

/// Plans the tree of at least one leaf; `first` is the number of the first of them.
fn plan(joins: &mut Joins, leaves: &[Leaf], first: usize) -> Planned {
    if leaves.len() == 1 {
        return Joins::terminal(first);
    }
    let (left, right) = halves(leaves);
    let second = first + left.len();
    let left = plan(joins, left, first);
    let right = plan(joins, right, second);
    joins.join(left, right)
}

/// The root of the tree of leaves that ascend by location. Holds the nodes of 4,096 leaves at a time,
/// whatever their number.
pub fn root_of_sorted(hasher: &NodeHasher, leaves: &[Leaf]) -> Result<Node, OrderError> {
    check_order(leaves)?;
    Ok(root(hasher, leaves))
}

fn root(hasher: &NodeHasher, leaves: &[Leaf]) -> Node {
    if leaves.len() <= CHUNK {
        return Subtree::of_sorted(hasher, leaves).root();
    }
    let (left, right) = halves(leaves);
    join(hasher, root(hasher, left), root(hasher, right))
        .expect("a slice has fewer than 2^64 leaves")
}
