//! Proofs of live values, against the root that blocks commit to under `incremental`.

use super::{commitment::live_root, period::Period, tier::TemporaryTier};
use alloy_primitives::B256;
use thinstate_formats::{
    NodeHasher,
    counted::{LocationProof, Node, ProofError},
};

/// What the live state has at a location, with proof: in the current period, or else in the previous
/// one, or in neither.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveProof {
    /// Root of the current period's tree.
    pub current: Node,
    /// Root of the previous period's, without what the current one has newer.
    pub previous: Node,
    /// What the current period has.
    pub in_current: LocationProof,
    /// What the previous period has, where the current one has nothing.
    pub in_previous: Option<LocationProof>,
}

/// A proof does not show a live value. It is of another state, or was altered: ask for it again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LiveProofError {
    /// The two trees are not those that the block committed to.
    #[error("the roots of the live trees hash to {got}, expected {expected}")]
    Root {
        /// What the block committed to.
        expected: B256,
        /// What the proof's roots give.
        got: B256,
    },
    /// A tree does not have what the proof says.
    #[error("the {period} period: {source}")]
    Tree {
        /// Which.
        period: &'static str,
        /// Why.
        source: ProofError,
    },
    /// The leaf shown is of another location.
    #[error("the leaf is at {got}, expected {expected}")]
    Location {
        /// The location asked for.
        expected: B256,
        /// The leaf's.
        got: B256,
    },
    /// The current period has nothing, and the previous one was left out.
    #[error("the current period has no leaf there, and there is no proof for the previous one")]
    Incomplete,
}

impl LiveProof {
    /// The value at `location`, zero for none, in the state with this live root.
    pub fn verify(
        &self,
        hasher: &NodeHasher,
        root: B256,
        location: &B256,
    ) -> Result<B256, LiveProofError> {
        let got = live_root(hasher, self.current, self.previous);
        if got != root {
            return Err(LiveProofError::Root {
                expected: root,
                got,
            });
        }
        let tree = |period| move |source| LiveProofError::Tree { period, source };
        let current = value_in(hasher, self.current, &self.in_current, location);
        if let Some(value) = current.map_err(|error| error.named(tree("current")))? {
            return Ok(value);
        }
        let proof = self.in_previous.as_ref();
        let proof = proof.ok_or(LiveProofError::Incomplete)?;
        let previous = value_in(hasher, self.previous, proof, location);
        let value = previous.map_err(|error| error.named(tree("previous")))?;
        Ok(value.unwrap_or_default())
    }
}

/// Why one tree's proof fails.
enum Refused {
    Proof(ProofError),
    Location { expected: B256, got: B256 },
}

impl Refused {
    fn named(self, tree: impl FnOnce(ProofError) -> LiveProofError) -> LiveProofError {
        match self {
            Self::Proof(source) => tree(source),
            Self::Location { expected, got } => LiveProofError::Location { expected, got },
        }
    }
}

fn value_in(
    hasher: &NodeHasher,
    root: Node,
    proof: &LocationProof,
    location: &B256,
) -> Result<Option<B256>, Refused> {
    match proof {
        LocationProof::Included { leaf, proof, .. } => {
            if leaf.location != *location {
                return Err(Refused::Location {
                    expected: *location,
                    got: leaf.location,
                });
            }
            proof.verify(hasher, root, leaf).map_err(Refused::Proof)?;
            Ok(Some(leaf.value))
        }
        LocationProof::Excluded(proof) => {
            let verified = proof.verify(hasher, root, location);
            verified.map(|()| None).map_err(Refused::Proof)
        }
    }
}

impl TemporaryTier {
    /// Proves what the live state has at a location; `None` under the deferred commitment, whose
    /// blocks commit to no tree.
    pub(crate) fn prove_live(&self, location: &B256) -> Option<LiveProof> {
        let prove = |period: &Period| {
            let tree = period.tree.as_ref()?;
            let value_of = |location: &B256| period.entries.value(location);
            Some(tree.prove(&self.hashing.hasher, location, value_of))
        };
        let current = &self.live.current;
        let previous = self.live.previous.as_ref();
        let in_current = prove(current)?;
        let in_previous = match (&in_current, previous) {
            (LocationProof::Included { .. }, _) => None,
            (LocationProof::Excluded(_), None) => Some(LocationProof::Excluded(
                thinstate_formats::counted::ExclusionProof::EmptyTree,
            )),
            (LocationProof::Excluded(_), Some(previous)) => Some(prove(previous)?),
        };
        Some(LiveProof {
            current: current.root(),
            previous: previous.map_or(Node::EMPTY, Period::root),
            in_current,
            in_previous,
        })
    }
}
