//! Making one proof of many leaves from one proof of each.

use super::{InclusionProof, MAX_DEPTH, MultiProof, Sibling, Side, Step};

/// Proofs are not of one tree, or not in the order of their leaves, or one comes twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    /// There is nothing to prove.
    #[error("expected at least 1 proof, got none")]
    NoProofs,
    /// No tree is that deep.
    #[error("proof {proof}: expected at most {limit} siblings, got {got}")]
    Depth {
        /// The proof.
        proof: u64,
        /// Bits of a location.
        limit: u64,
        /// Its siblings.
        got: u64,
    },
    /// A proof leads to the place where the one before leads, or above it, or to its left.
    #[error("proof {proof}: expected a leaf to the right of the one before")]
    NotToTheRight {
        /// The proof.
        proof: u64,
    },
}

impl MultiProof {
    /// One proof from proofs of one tree, in the order of their leaves. Nodes that proofs share are
    /// given once. If the proofs are of different trees, the outcome does not verify.
    pub fn merge(proofs: &[InclusionProof]) -> Result<Self, MergeError> {
        if proofs.is_empty() {
            return Err(MergeError::NoProofs);
        }
        for (at, proof) in proofs.iter().enumerate() {
            if proof.siblings.len() > MAX_DEPTH {
                return Err(MergeError::Depth {
                    proof: at as u64,
                    limit: MAX_DEPTH as u64,
                    got: proof.siblings.len() as u64,
                });
            }
        }
        let mut merged = Self::default();
        merged.push(proofs, 0, 0)?;
        Ok(merged)
    }

    /// Appends the subtree, `depth` joins below the root, that all of `proofs` lead through; `first` is
    /// the number of the first of them.
    fn push(
        &mut self,
        proofs: &[InclusionProof],
        first: usize,
        depth: usize,
    ) -> Result<(), MergeError> {
        let not_to_the_right = |at: usize| MergeError::NotToTheRight {
            proof: (first + at) as u64,
        };
        let beside = |proof: &InclusionProof| beside(proof, depth).map(|sibling| sibling.side);
        if proofs[0].siblings.len() == depth {
            self.steps.push(Step::Leaf);
            return if proofs.len() == 1 {
                Ok(())
            } else {
                Err(not_to_the_right(1))
            };
        }
        // Those that go left have their sibling on the right.
        let going_left = |proof: &&InclusionProof| beside(proof) == Some(Side::Right);
        let left = proofs.iter().take_while(going_left).count();
        let goes_right = |proof: &InclusionProof| beside(proof) == Some(Side::Left);
        if let Some(at) = proofs[left..].iter().position(|proof| !goes_right(proof)) {
            return Err(not_to_the_right(left + at));
        }
        self.steps.push(Step::Join);
        self.push_half(proofs, first, depth, 0..left)?;
        self.push_half(proofs, first, depth, left..proofs.len())
    }

    /// Appends one half: what is proven in it, or the sibling of the first that is proven in the other.
    fn push_half(
        &mut self,
        proofs: &[InclusionProof],
        first: usize,
        depth: usize,
        half: core::ops::Range<usize>,
    ) -> Result<(), MergeError> {
        if !half.is_empty() {
            return self.push(&proofs[half.clone()], first + half.start, depth + 1);
        }
        self.steps.push(Step::Sibling);
        let sibling = beside(&proofs[0], depth).expect("the proof goes on below this join");
        self.siblings.push(sibling.node);
        Ok(())
    }
}

/// The sibling that a proof has `depth` joins below the root.
fn beside(proof: &InclusionProof, depth: usize) -> Option<&Sibling> {
    proof.siblings.iter().rev().nth(depth)
}
