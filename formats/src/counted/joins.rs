//! Hashing a whole tree, all joins of one height in one batch.

use super::{CountOverflow, Node, inner_message, node::BATCH, node::sum};
use crate::NodeHasher;

/// A binary tree that is first planned, then hashed. Nodes are numbered: the terminals first, in
/// the order given, then the joins in the order planned, which is below before above.
pub(super) struct Joins {
    nodes: Vec<Node>,
    halves: Vec<[usize; 2]>,
    /// Joins by their height above the terminals.
    by_height: Vec<Vec<usize>>,
    terminals: usize,
}

/// A node of the plan.
#[derive(Clone, Copy)]
pub(super) struct Planned {
    number: usize,
    height: usize,
}

impl Joins {
    /// A plan of terminals without joins.
    pub(super) fn new(mut terminals: Vec<Node>) -> Self {
        let count = terminals.len();
        terminals.reserve_exact(count.saturating_sub(1));
        Self {
            nodes: terminals,
            halves: Vec::with_capacity(count.saturating_sub(1)),
            by_height: Vec::new(),
            terminals: count,
        }
    }

    /// A terminal by its number.
    pub(super) const fn terminal(number: usize) -> Planned {
        Planned { number, height: 0 }
    }

    /// Plans the join of two nodes that are not empty.
    pub(super) fn join(&mut self, left: Planned, right: Planned) -> Planned {
        let join = self.halves.len();
        let height = left.height.max(right.height);
        if self.by_height.len() == height {
            self.by_height.push(Vec::new());
        }
        self.by_height[height].push(join);
        self.halves.push([left.number, right.number]);
        Planned {
            number: self.terminals + join,
            height: height + 1,
        }
    }

    /// Hashes what was planned. Called once.
    pub(super) fn hash(&mut self, hasher: &NodeHasher) -> Result<(), CountOverflow> {
        self.nodes
            .resize(self.terminals + self.halves.len(), Node::EMPTY);
        let mut messages = Vec::with_capacity(self.halves.len().min(BATCH));
        let mut hashes = Vec::with_capacity(messages.capacity());
        for joins in core::mem::take(&mut self.by_height) {
            for joins in joins.chunks(BATCH) {
                messages.clear();
                hashes.clear();
                for &join in joins {
                    let [left, right] = self.halves[join].map(|number| self.nodes[number]);
                    self.nodes[self.terminals + join].count = sum(left, right)?;
                    messages.push(inner_message(left, right));
                }
                hasher.hash_blocks(&messages, &mut hashes);
                for (&join, &hash) in joins.iter().zip(&hashes) {
                    self.nodes[self.terminals + join].hash = hash;
                }
            }
        }
        Ok(())
    }

    /// The node with a number.
    pub(super) fn node(&self, number: usize) -> Node {
        self.nodes[number]
    }

    /// The node planned last, which is above all others; the only terminal where there is one, and
    /// the empty tree where there is none.
    pub(super) fn top(&self) -> Node {
        self.nodes.last().copied().unwrap_or(Node::EMPTY)
    }

    /// The number of the node planned last.
    pub(super) fn top_number(&self) -> Option<usize> {
        self.nodes.len().checked_sub(1)
    }

    /// The halves of a join; `None` of a terminal.
    pub(super) fn halves(&self, number: usize) -> Option<[usize; 2]> {
        Some(self.halves[number.checked_sub(self.terminals)?])
    }
}
