//! A list's tree with all its nodes, kept up to date.

use super::{Sibling, node, parents, sides};
use crate::NodeHasher;
use alloy_primitives::B256;

/// All nodes of a list's tree: about 64 bytes for each digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListTree {
    /// From the digests (always there) to the level of one node.
    levels: Vec<Vec<B256>>,
}

/// A digest that is to be changed or added, with the nodes above it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StagedDigest {
    index: usize,
    /// The digest, then one node of each level above.
    nodes: Vec<B256>,
}

impl StagedDigest {
    /// The root of the tree once this is applied.
    pub fn root(&self) -> B256 {
        self.nodes.last().copied().unwrap_or_default()
    }
}

impl Default for ListTree {
    fn default() -> Self {
        Self {
            levels: vec![Vec::new()],
        }
    }
}

impl ListTree {
    /// The tree of a list.
    pub fn build(hasher: &NodeHasher, digests: Vec<B256>) -> Self {
        let mut levels = vec![digests];
        while let Some(below) = levels.last().filter(|level| level.len() > 1) {
            levels.push(parents(hasher, below));
        }
        Self { levels }
    }

    /// The digests.
    pub fn digests(&self) -> &[B256] {
        &self.levels[0]
    }

    /// Number of digests.
    pub fn len(&self) -> usize {
        self.digests().len()
    }

    /// Whether the list is empty.
    pub fn is_empty(&self) -> bool {
        self.digests().is_empty()
    }

    /// The root, as [`super::root`] computes it.
    pub fn root(&self) -> B256 {
        let top = self.levels.last().and_then(|level| level.first());
        top.copied().unwrap_or_default()
    }

    /// The siblings of a digest, from the leaf up; `None` outside the list.
    pub fn path(&self, index: usize) -> Option<Vec<B256>> {
        if index >= self.len() {
            return None;
        }
        let sides = sides(index as u64, self.len() as u64).zip(&self.levels);
        let siblings = sides.enumerate().filter_map(|(height, (side, level))| {
            let at = index >> height;
            match side {
                Sibling::Left => level.get(at - 1),
                Sibling::Right => level.get(at + 1),
                Sibling::None => None,
            }
        });
        Some(siblings.copied().collect())
    }

    /// What changes if the digest at `index` becomes this one; an index equal to the length adds
    /// it. `None` further out.
    pub fn stage(&self, hasher: &NodeHasher, index: usize, digest: B256) -> Option<StagedDigest> {
        if index > self.len() {
            return None;
        }
        let len = self.len().max(index + 1);
        let mut nodes = vec![digest];
        let mut below = digest;
        for (height, side) in sides(index as u64, len as u64).enumerate() {
            let at = index >> height;
            let level = &self.levels[height];
            below = match side {
                Sibling::Left => node(hasher, level[at - 1], below),
                Sibling::Right => node(hasher, below, level[at + 1]),
                Sibling::None => below,
            };
            nodes.push(below);
        }
        Some(StagedDigest { index, nodes })
    }

    /// Makes a staged change. It must be of this tree as it is.
    pub fn apply(&mut self, staged: StagedDigest) {
        let heights = staged.nodes.len();
        if self.levels.len() < heights {
            self.levels.resize(heights, Vec::new());
        }
        for (height, node) in staged.nodes.into_iter().enumerate() {
            let at = staged.index >> height;
            let level = &mut self.levels[height];
            match level.get_mut(at) {
                Some(there) => *there = node,
                None => level.push(node),
            }
        }
    }

    /// Changes or adds a digest; whether it could.
    pub fn set(&mut self, hasher: &NodeHasher, index: usize, digest: B256) -> bool {
        let staged = self.stage(hasher, index, digest);
        let possible = staged.is_some();
        staged.into_iter().for_each(|staged| self.apply(staged));
        possible
    }

    /// Cuts the list to its first `len` digests.
    pub fn truncate(&mut self, hasher: &NodeHasher, len: usize) {
        if len >= self.len() {
            return;
        }
        let mut width = len;
        let mut levels = 1;
        for level in &mut self.levels {
            level.truncate(width);
            levels += usize::from(width > 1);
            width = width.div_ceil(2);
        }
        self.levels.truncate(levels);
        // Nodes on the right edge may have lost a child.
        if let Some(last) = len.checked_sub(1) {
            let digest = self.levels[0][last];
            self.set(hasher, last, digest);
        }
    }
}
