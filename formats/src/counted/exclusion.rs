//! The proof that a tree has no leaf at a location.

use super::{
    DecodeError, InclusionProof, Leaf, MergeError, MultiProof, Node, ProofError,
    codec::{Reader, put_leaf},
};
use crate::{LeafIndex, NodeHasher};
use alloy_primitives::B256;

const EMPTY_TREE: u8 = 0;
const BEFORE_FIRST: u8 = 1;
const AFTER_LAST: u8 = 2;
const BETWEEN: u8 = 3;

/// Proves that no leaf of a tree has some location.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ExclusionProof {
    /// The tree has no leaves.
    EmptyTree,
    /// The location lies before the first leaf.
    BeforeFirst {
        /// The first leaf.
        first: Leaf,
        /// Proves it, with index 0.
        proof: InclusionProof,
    },
    /// The location lies after the last leaf.
    AfterLast {
        /// The last leaf.
        last: Leaf,
        /// Proves it, with the highest index.
        proof: InclusionProof,
    },
    /// The location lies between two leaves.
    Between {
        /// The leaf before.
        left: Leaf,
        /// The leaf after.
        right: Leaf,
        /// Proves both, with indexes that follow one another.
        proof: MultiProof,
    },
}

/// What a tree has at a location, with proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LocationProof {
    /// A leaf.
    Included {
        /// The leaf.
        leaf: Leaf,
        /// Its index.
        index: LeafIndex,
        /// Proves both.
        proof: InclusionProof,
    },
    /// No leaf.
    Excluded(ExclusionProof),
}

impl LocationProof {
    /// The proof of a leaf.
    pub const fn included(leaf: Leaf, index: LeafIndex, proof: InclusionProof) -> Self {
        Self::Included { leaf, index, proof }
    }

    /// The proof of absence by the neighbours that there are, each with its own proof. They must be of
    /// one tree, the first before the second.
    pub fn excluded(
        left: Option<(Leaf, InclusionProof)>,
        right: Option<(Leaf, InclusionProof)>,
    ) -> Result<Self, MergeError> {
        Ok(Self::Excluded(match (left, right) {
            (None, None) => ExclusionProof::EmptyTree,
            (None, Some((first, proof))) => ExclusionProof::BeforeFirst { first, proof },
            (Some((last, proof)), None) => ExclusionProof::AfterLast { last, proof },
            (Some((left, left_proof)), Some((right, right_proof))) => ExclusionProof::Between {
                left,
                right,
                proof: MultiProof::merge(&[left_proof, right_proof])?,
            },
        }))
    }
}

impl ExclusionProof {
    /// Verifies that the tree with this root has no leaf at `location`.
    pub fn verify(
        &self,
        hasher: &NodeHasher,
        root: Node,
        location: &B256,
    ) -> Result<(), ProofError> {
        let (left, right) = self.neighbours();
        check_between(left, right, location)?;
        match self {
            Self::EmptyTree => super::inclusion::check_root(root, Node::EMPTY),
            Self::BeforeFirst { first, proof } => {
                check_outermost(LeafIndex(0), proof.verify(hasher, root, first)?)
            }
            Self::AfterLast { last, proof } => {
                let got = proof.verify(hasher, root, last)?;
                // A leaf was found, so that there is at least one.
                check_outermost(LeafIndex(root.count - 1), got)
            }
            Self::Between { left, right, proof } => {
                let indexes = proof.verify(hasher, root, &[*left, *right])?;
                match indexes[..] {
                    [left, right] if left.0 + 1 == right.0 => Ok(()),
                    [left, right] => Err(ProofError::NotAdjacent { left, right }),
                    _ => unreachable!("there is one index for each leaf"),
                }
            }
        }
    }

    fn neighbours(&self) -> (Option<B256>, Option<B256>) {
        match self {
            Self::EmptyTree => (None, None),
            Self::BeforeFirst { first, .. } => (None, Some(first.location)),
            Self::AfterLast { last, .. } => (Some(last.location), None),
            Self::Between { left, right, .. } => (Some(left.location), Some(right.location)),
        }
    }

    /// Its bytes, as the [module](super) lays them out.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        match self {
            Self::EmptyTree => out.push(EMPTY_TREE),
            Self::BeforeFirst { first, proof } => {
                out.push(BEFORE_FIRST);
                put_leaf(&mut out, first);
                proof.encode_to(&mut out);
            }
            Self::AfterLast { last, proof } => {
                out.push(AFTER_LAST);
                put_leaf(&mut out, last);
                proof.encode_to(&mut out);
            }
            Self::Between { left, right, proof } => {
                out.push(BETWEEN);
                put_leaf(&mut out, left);
                put_leaf(&mut out, right);
                proof.encode_to(&mut out);
            }
        }
        out
    }

    /// The proof with these bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let proof = match reader.byte("kind")? {
            EMPTY_TREE => Self::EmptyTree,
            BEFORE_FIRST => Self::BeforeFirst {
                first: reader.leaf()?,
                proof: InclusionProof::read(&mut reader)?,
            },
            AFTER_LAST => Self::AfterLast {
                last: reader.leaf()?,
                proof: InclusionProof::read(&mut reader)?,
            },
            BETWEEN => Self::Between {
                left: reader.leaf()?,
                right: reader.leaf()?,
                proof: MultiProof::read(&mut reader)?,
            },
            got => {
                return Err(DecodeError::Form {
                    part: "kind",
                    offset: 0,
                    expected: "0 to 3",
                    got,
                });
            }
        };
        reader.finish()?;
        Ok(proof)
    }
}

/// Whether a location lies strictly between its neighbours.
fn check_between(
    above: Option<B256>,
    below: Option<B256>,
    location: &B256,
) -> Result<(), ProofError> {
    if above == Some(*location) || below == Some(*location) {
        return Err(ProofError::Present {
            location: *location,
        });
    }
    let within =
        above.is_none_or(|above| above < *location) && below.is_none_or(|below| *location < below);
    if !within {
        return Err(ProofError::Outside {
            above,
            below,
            got: *location,
        });
    }
    Ok(())
}

fn check_outermost(expected: LeafIndex, got: LeafIndex) -> Result<(), ProofError> {
    if got != expected {
        return Err(ProofError::NotOutermost { expected, got });
    }
    Ok(())
}
