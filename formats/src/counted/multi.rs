//! The proof of many leaves.

use super::{
    DecodeError, Leaf, Node, OrderError, ProofError, check_order,
    codec::{Reader, put_node, put_varint},
    inclusion::{check_depth, check_root, check_sibling},
    joins::{Joins, Planned},
    leaf_hashes,
    node::sum,
};
use crate::{LeafIndex, NodeHasher};
use alloy_primitives::B256;

/// Most steps that a proof may have: those of 300,000 leaves with 27 siblings each, none shared.
pub const MAX_STEPS: usize = (1 << 24) - 1;

/// What stands at a place of the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Step {
    /// A node of which nothing below is proven. It is given.
    Sibling = 0,
    /// A proven leaf.
    Leaf = 1,
    /// The join of the next two.
    Join = 2,
}

/// Proves that leaves are in a tree, and their indexes.
///
/// There is no sibling that the leaves themselves determine, and no join of siblings alone, so that
/// one tree and one set of leaves have one proof.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct MultiProof {
    /// The tree from the root: a node before its halves, left before right.
    pub steps: Vec<Step>,
    /// The nodes of the sibling steps.
    pub siblings: Vec<Node>,
}

impl MultiProof {
    /// The indexes of `leaves`, which ascend by location, in the tree with this root.
    pub fn verify(
        &self,
        hasher: &NodeHasher,
        root: Node,
        leaves: &[Leaf],
    ) -> Result<Vec<LeafIndex>, ProofError> {
        check_order(leaves)?;
        self.check_lengths(leaves.len())?;
        let terminals = self.terminals(leaf_hashes(hasher, leaves));
        let indexes = self.indexes(&terminals)?;
        let mut plan = Plan {
            steps: &self.steps,
            at: 0,
            terminals: 0,
            joins: Joins::new(terminals),
        };
        plan.node(0)?;
        plan.finish()?;
        plan.joins.hash(hasher)?;
        check_root(root, plan.joins.top())?;
        Ok(indexes)
    }

    /// Steps, siblings and leaves must fit one another.
    fn check_lengths(&self, leaves: usize) -> Result<(), ProofError> {
        let steps_of = |kind| self.steps.iter().filter(|step| **step == kind).count() as u64;
        let (expected, got) = (steps_of(Step::Leaf), leaves as u64);
        if expected == 0 {
            return Err(ProofError::NoLeaves);
        }
        if got != expected {
            return Err(ProofError::LeafCount { expected, got });
        }
        let (expected, got) = (steps_of(Step::Sibling), self.siblings.len() as u64);
        if got != expected {
            return Err(ProofError::SiblingCount { expected, got });
        }
        let empty = self.siblings.iter().position(Node::is_empty);
        empty.map_or(Ok(()), |at| check_sibling(at, self.siblings[at]))
    }

    /// Leaves and siblings, from left to right.
    fn terminals(&self, leaves: Vec<B256>) -> Vec<Node> {
        let mut leaves = leaves.into_iter().map(Node::leaf);
        let mut siblings = self.siblings.iter().copied();
        let terminal = |step: &Step| match step {
            Step::Join => None,
            Step::Leaf => leaves.next(),
            Step::Sibling => siblings.next(),
        };
        self.steps.iter().filter_map(terminal).collect()
    }

    /// How many leaves there are to the left of each proven one.
    fn indexes(&self, terminals: &[Node]) -> Result<Vec<LeafIndex>, ProofError> {
        let (mut before, mut indexes) = (Node::EMPTY, Vec::new());
        let kinds = self.steps.iter().filter(|step| **step != Step::Join);
        for (step, node) in kinds.zip(terminals) {
            if *step == Step::Leaf {
                indexes.push(LeafIndex(before.count));
            }
            before.count = sum(before, *node)?;
        }
        Ok(indexes)
    }

    /// Its bytes, as the [module](super) lays them out.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(4 + self.steps.len() / 4 + 42 * self.siblings.len());
        self.encode_to(&mut out);
        out
    }

    pub(super) fn encode_to(&self, out: &mut Vec<u8>) {
        put_varint(out, self.steps.len() as u64);
        let codes = |steps: &[Step]| {
            let code = |(at, step): (usize, &Step)| (*step as u8) << (2 * at);
            steps.iter().enumerate().map(code).sum::<u8>()
        };
        out.extend(self.steps.chunks(4).map(codes));
        for node in &self.siblings {
            put_node(out, node);
        }
    }

    /// The proof with these bytes. Whether its steps form a tree is for [`Self::verify`] to say.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let proof = Self::read(&mut reader)?;
        reader.finish()?;
        Ok(proof)
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let count = reader.count("steps", MAX_STEPS)?;
        let offset = reader.offset();
        let mut steps = Vec::new();
        for (at, code) in reader.packed("codes", count, 2)?.enumerate() {
            steps.push(match code {
                0 => Step::Sibling,
                1 => Step::Leaf,
                2 => Step::Join,
                got => {
                    return Err(DecodeError::Form {
                        part: "codes",
                        offset: offset.saturating_add(at as u64 / 4),
                        expected: "0, 1 or 2",
                        got,
                    });
                }
            });
        }
        let siblings = steps.iter().filter(|step| **step == Step::Sibling);
        let siblings = siblings.map(|_| reader.node()).collect::<Result<_, _>>()?;
        Ok(Self { steps, siblings })
    }
}

/// The joins that steps describe.
struct Plan<'a> {
    steps: &'a [Step],
    at: usize,
    terminals: usize,
    joins: Joins,
}

impl Plan<'_> {
    /// Plans the node of the next step, `depth` joins below the root, and says whether it has a proven
    /// leaf below. Depth is checked first, so that this recurses 256 times at most.
    fn node(&mut self, depth: usize) -> Result<(Planned, bool), ProofError> {
        let at = self.at;
        let Some(&step) = self.steps.get(at) else {
            return Err(ProofError::StepsEnd { step: at as u64 });
        };
        self.at += 1;
        if step != Step::Join {
            self.terminals += 1;
            return Ok((Joins::terminal(self.terminals - 1), step == Step::Leaf));
        }
        check_depth(depth + 1)?;
        let (left, left_proves) = self.node(depth + 1)?;
        let (right, right_proves) = self.node(depth + 1)?;
        if !left_proves && !right_proves {
            return Err(ProofError::NeedlessJoin { step: at as u64 });
        }
        Ok((self.joins.join(left, right), true))
    }

    fn finish(&self) -> Result<(), ProofError> {
        if self.at < self.steps.len() {
            return Err(ProofError::StepsTrail {
                step: self.at as u64,
            });
        }
        Ok(())
    }
}

impl From<OrderError> for ProofError {
    fn from(error: OrderError) -> Self {
        Self::LeafOrder {
            index: error.index,
            previous: error.previous,
            got: error.got,
        }
    }
}
