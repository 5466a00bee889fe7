//! What can be wrong with a proof.

use super::CountOverflow;
use crate::LeafIndex;
use alloy_primitives::B256;

/// A proof does not show what it claims. It is of another tree, or was altered: ask for it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// No tree is that deep.
    #[error("expected at most {limit} joins above a leaf, got {got}")]
    Depth {
        /// Bits of a location.
        limit: u64,
        /// Joins of the proof.
        got: u64,
    },
    /// Empty trees are nobody's sibling.
    #[error("sibling {sibling}: expected at least 1 leaf, got 0")]
    EmptySibling {
        /// Its place in the proof.
        sibling: u64,
    },
    /// Counts exceed what a count can hold.
    #[error(transparent)]
    CountOverflow(#[from] CountOverflow),
    /// The proof adds up to another number of leaves than the root has.
    #[error("expected {expected} leaves under the root, got {got}")]
    Count {
        /// The root's.
        expected: u64,
        /// The proof's.
        got: u64,
    },
    /// The proof leads to another root of the same number of leaves.
    #[error("expected root {expected}, got {got}")]
    Root {
        /// The root's hash.
        expected: B256,
        /// What the proof leads to.
        got: B256,
    },
    /// The leaves given to a multiproof are not those that it is made for.
    #[error("expected {expected} leaves, got {got}")]
    LeafCount {
        /// Leaves of the proof.
        expected: u64,
        /// Leaves given.
        got: u64,
    },
    /// The leaves given to a multiproof do not ascend, or one comes twice.
    #[error("leaf {index}: expected a location above {previous}, got {got}")]
    LeafOrder {
        /// Its place among the leaves given.
        index: u64,
        /// The location before.
        previous: B256,
        /// Its location.
        got: B256,
    },
    /// A multiproof proves nothing.
    #[error("expected at least 1 leaf, got none")]
    NoLeaves,
    /// A multiproof's steps end within a join.
    #[error("step {step}: expected a node, got the end of the proof")]
    StepsEnd {
        /// Steps there are.
        step: u64,
    },
    /// A multiproof goes on behind its root.
    #[error("step {step}: expected the end of the proof, got another step")]
    StepsTrail {
        /// The first that is too much.
        step: u64,
    },
    /// A multiproof has another number of nodes than its steps ask for.
    #[error("expected {expected} siblings, got {got}")]
    SiblingCount {
        /// Steps that take one.
        expected: u64,
        /// Nodes there are.
        got: u64,
    },
    /// A multiproof gives two nodes where the one above them would do: it has another form.
    #[error("step {step}: expected a join with a leaf below, got one of siblings alone")]
    NeedlessJoin {
        /// The join.
        step: u64,
    },
    /// Exclusion is claimed of a location that the tree has.
    #[error("location {location} is in the tree, expected it absent")]
    Present {
        /// The location.
        location: B256,
    },
    /// The location does not lie where the neighbours of the proof say.
    #[error("expected a location {}, got {got}", bounds(.above, .below))]
    Outside {
        /// The neighbour to its left.
        above: Option<B256>,
        /// The neighbour to its right.
        below: Option<B256>,
        /// The location.
        got: B256,
    },
    /// There are other leaves between the neighbours.
    #[error("expected neighbours, got leaves {left} and {right}")]
    NotAdjacent {
        /// Index of the left one.
        left: LeafIndex,
        /// Index of the right one.
        right: LeafIndex,
    },
    /// The leaf that the location is to lie before, or after, is not the outermost.
    #[error("expected leaf {expected}, the outermost, got leaf {got}")]
    NotOutermost {
        /// Index of the outermost leaf.
        expected: LeafIndex,
        /// Index of the proof's.
        got: LeafIndex,
    },
}

fn bounds(above: &Option<B256>, below: &Option<B256>) -> String {
    let part = |word: &str, bound: &Option<B256>| bound.map(|bound| format!("{word} {bound}"));
    let parts = [part("above", above), part("below", below)];
    parts
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(" and ")
}
