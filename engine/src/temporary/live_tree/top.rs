//! The nodes over the shards' roots: a complete binary tree, in which an empty half passes the
//! other one through.

use thinstate_formats::{
    NodeHasher,
    counted::{Node, inner_message},
};

/// Levels from the shards' roots up to the tree's root.
#[derive(Clone, Debug)]
pub(super) struct Top {
    levels: Vec<Vec<Node>>,
}

impl Top {
    /// Over `2^bits` empty shards.
    pub(super) fn new(bits: u32) -> Self {
        let levels = (0..=bits).rev().map(|bits| vec![Node::EMPTY; 1 << bits]);
        Self {
            levels: levels.collect(),
        }
    }

    pub(super) fn root(&self) -> Node {
        self.levels[self.levels.len() - 1][0]
    }

    /// From the shards' roots up.
    pub(super) fn levels(&self) -> &[Vec<Node>] {
        &self.levels
    }

    /// Takes the shards' roots as they are now; says how many hashes that took.
    pub(super) fn update(&mut self, hasher: &NodeHasher, roots: &[Node]) -> u64 {
        let mut hashes = 0;
        let old = &self.levels[0];
        let mut changed: Vec<usize> = (0..roots.len())
            .filter(|at| roots[*at] != old[*at])
            .collect();
        self.levels[0].copy_from_slice(roots);
        for height in 1..self.levels.len() {
            changed.iter_mut().for_each(|at| *at /= 2);
            changed.dedup();
            let (below, above) = self.levels.split_at_mut(height);
            hashes += join_level(hasher, &below[height - 1], &mut above[0], &changed);
        }
        hashes
    }
}

/// Joins some pairs of one level into the next one.
fn join_level(hasher: &NodeHasher, below: &[Node], above: &mut [Node], changed: &[usize]) -> u64 {
    let mut pairs = Vec::with_capacity(changed.len());
    let mut messages = Vec::with_capacity(changed.len());
    for at in changed {
        let (left, right) = (below[2 * at], below[2 * at + 1]);
        if left.count == 0 || right.count == 0 {
            above[*at] = if left.count == 0 { right } else { left };
        } else {
            pairs.push((*at, left.count + right.count));
            messages.push(inner_message(left, right));
        }
    }
    let mut digests = Vec::with_capacity(messages.len());
    hasher.hash_blocks(&messages, &mut digests);
    for ((at, count), hash) in pairs.iter().zip(digests) {
        above[*at] = Node {
            hash,
            count: *count,
        };
    }
    messages.len() as u64
}
