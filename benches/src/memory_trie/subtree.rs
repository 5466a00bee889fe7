//! The trie under one first byte: its leaves and branches, and where updates go.

use super::rlp::{self, common_nibbles, nibble};
use crate::Update;
use alloy_primitives::B256;

/// Nibbles above a subtree.
const ABOVE: usize = 2;

/// A leaf or a branch: its place among those of the subtree, and the highest bit for a leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NodeId(u32);

const LEAF: u32 = 1 << 31;

#[derive(Debug)]
struct Leaf {
    key: B256,
    value: B256,
}

#[derive(Clone, Copy, Debug)]
struct Child {
    /// The reference of the node, or of the extension before it.
    hash: B256,
    node: NodeId,
}

#[derive(Debug)]
struct Branch {
    /// Some leaf under it, which has its path.
    leaf: u32,
    /// In the order of their nibbles.
    children: Vec<Child>,
    mask: u16,
    depth: u8,
}

/// A node to be hashed, and the slot that its reference goes to: a nibble of a branch, or the top.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dirty {
    node: NodeId,
    parent: Option<u32>,
    nibble: u8,
    /// Depth of the slot.
    slot: u8,
}

/// Nodes to be hashed, by height above the lowest node that changed under them.
pub(super) type Levels = Vec<Vec<(u16, Dirty)>>;

/// The trie under one first byte.
#[derive(Debug, Default)]
pub(super) struct Subtree {
    leaves: Vec<Leaf>,
    branches: Vec<Branch>,
    top: Option<Child>,
}

impl Branch {
    /// Where the child at `nibble` is, or would be.
    const fn rank(&self, nibble: usize) -> usize {
        (self.mask & ((1 << nibble) - 1)).count_ones() as usize
    }

    fn child(&mut self, nibble: usize) -> Option<&mut Child> {
        let rank = self.rank(nibble);
        (self.mask >> nibble & 1 == 1).then(|| &mut self.children[rank])
    }

    fn insert(&mut self, nibble: usize, node: NodeId) {
        let hash = B256::ZERO;
        self.children
            .insert(self.rank(nibble), Child { hash, node });
        self.mask |= 1 << nibble;
    }
}

/// Where updates are noted on their way.
struct Noting<'a> {
    levels: &'a mut Levels,
    /// Number of the subtree in its task.
    tree: u16,
}

impl Noting<'_> {
    fn note(&mut self, height: usize, dirty: Dirty) {
        if self.levels.len() <= height {
            self.levels.resize_with(height + 1, Vec::new);
        }
        self.levels[height].push((self.tree, dirty));
    }
}

impl Subtree {
    /// Puts updates, by key, which all begin with the subtree's byte, and notes the nodes to be hashed.
    pub(super) fn put(&mut self, updates: &[Update], tree: u16, levels: &mut Levels) {
        if updates.is_empty() {
            return;
        }
        let mut noting = Noting { levels, tree };
        let (node, height) = match self.top {
            Some(top) => self.update(top.node, updates, &mut noting),
            None => self.build(updates, &mut noting),
        };
        self.top
            .get_or_insert(Child {
                hash: B256::ZERO,
                node,
            })
            .node = node;
        let dirty = Dirty {
            node,
            parent: None,
            nibble: 0,
            slot: ABOVE as u8,
        };
        noting.note(height, dirty);
    }

    /// The reference of the whole subtree, once it is hashed.
    pub(super) fn reference(&self) -> Option<B256> {
        self.top.map(|top| top.hash)
    }

    /// Some key under a node.
    fn key(&self, NodeId(node): NodeId) -> &B256 {
        let leaf = match node & LEAF {
            0 => self.branches[node as usize].leaf,
            _ => node & !LEAF,
        };
        &self.leaves[leaf as usize].key
    }

    /// Puts updates under a node; gives what is there now, and its height.
    fn update(
        &mut self,
        node: NodeId,
        updates: &[Update],
        noting: &mut Noting<'_>,
    ) -> (NodeId, usize) {
        let key = self.key(node);
        let shared = |update: Option<&Update>| update.map_or(64, |(k, _)| common_nibbles(k, key));
        let fork = shared(updates.first()).min(shared(updates.last()));
        match node.0 & LEAF {
            0 if fork >= usize::from(self.branches[node.0 as usize].depth) => {
                let height = self.update_branch(node.0, updates, None, noting);
                (node, height)
            }
            0 => self.fork(node, fork, updates, noting),
            _ if fork == rlp::KEY_NIBBLES => {
                self.leaves[(node.0 & !LEAF) as usize].value = updates[0].1;
                (node, 0)
            }
            _ => self.fork(node, fork, updates, noting),
        }
    }

    /// Puts a new branch above a node, from which the updates part at `depth`.
    fn fork(
        &mut self,
        node: NodeId,
        depth: usize,
        updates: &[Update],
        noting: &mut Noting<'_>,
    ) -> (NodeId, usize) {
        let key = *self.key(node);
        let towards = nibble(&key, depth);
        let branch = self.add_branch(&key, depth, node);
        self.branches[branch as usize].insert(towards, node);
        let height = self.update_branch(branch, updates, Some(towards), noting);
        (NodeId(branch), height)
    }

    /// A branch without children at `depth` of a key, above `below`.
    fn add_branch(&mut self, key: &B256, depth: usize, below: NodeId) -> u32 {
        debug_assert_eq!(key, self.key(below));
        let leaf = match below.0 & LEAF {
            0 => self.branches[below.0 as usize].leaf,
            _ => below.0 & !LEAF,
        };
        self.branches.push(Branch {
            leaf,
            children: Vec::new(),
            mask: 0,
            depth: depth as u8,
        });
        (self.branches.len() - 1) as u32
    }

    /// Puts updates under a branch; gives its height. The child at `moved` came from another slot and is hashed
    /// again whether it changes or not.
    fn update_branch(
        &mut self,
        branch: u32,
        updates: &[Update],
        mut moved: Option<usize>,
        noting: &mut Noting<'_>,
    ) -> usize {
        let depth = usize::from(self.branches[branch as usize].depth);
        let mut height = 0;
        for group in updates.chunk_by(|(a, _), (b, _)| nibble(a, depth) == nibble(b, depth)) {
            let at = nibble(&group[0].0, depth);
            let there = self.branches[branch as usize].child(at).map(|c| c.node);
            let (node, below) = match there {
                Some(node) => self.update(node, group, noting),
                None => self.build_at(depth + 1, group, noting),
            };
            match self.branches[branch as usize].child(at) {
                Some(child) => child.node = node,
                None => self.branches[branch as usize].insert(at, node),
            }
            moved = moved.filter(|moved| *moved != at);
            noting.note(below, dirty(node, branch, at, depth));
            height = height.max(below + 1);
        }
        if let Some(at) = moved
            && let Some(child) = self.branches[branch as usize].child(at)
        {
            noting.note(0, dirty(child.node, branch, at, depth));
            height = height.max(1);
        }
        height
    }

    fn build(&mut self, updates: &[Update], noting: &mut Noting<'_>) -> (NodeId, usize) {
        self.build_at(ABOVE, updates, noting)
    }

    /// A node over new leaves.
    fn build_at(
        &mut self,
        slot: usize,
        updates: &[Update],
        noting: &mut Noting<'_>,
    ) -> (NodeId, usize) {
        let (first, rest) = updates.split_first().expect("a group has an update");
        let (key, value) = *first;
        self.leaves.push(Leaf { key, value });
        let leaf = NodeId((self.leaves.len() - 1) as u32 | LEAF);
        let Some((last, _)) = rest.last() else {
            return (leaf, 0);
        };
        let depth = common_nibbles(&key, last);
        debug_assert!(depth >= slot);
        self.fork(leaf, depth, rest, noting)
    }

    /// Appends the RLP of a node that is to be hashed.
    pub(super) fn encode(&self, dirty: &Dirty, out: &mut Vec<u8>) {
        let NodeId(node) = dirty.node;
        if node & LEAF != 0 {
            let leaf = &self.leaves[(node & !LEAF) as usize];
            return rlp::leaf(&leaf.key, dirty.slot.into(), &leaf.value, out);
        }
        let branch = &self.branches[node as usize];
        rlp::branch(branch.mask, branch.children.iter().map(|c| &c.hash), out);
    }

    /// Appends the extension before a branch with this hash; whether there is one.
    pub(super) fn encode_extension(&self, dirty: &Dirty, hash: &B256, out: &mut Vec<u8>) -> bool {
        let NodeId(node) = dirty.node;
        if node & LEAF != 0 || self.branches[node as usize].depth == dirty.slot {
            return false;
        }
        let to = self.branches[node as usize].depth;
        rlp::extension(
            self.key(dirty.node),
            dirty.slot.into(),
            to.into(),
            hash,
            out,
        );
        true
    }

    /// Takes the reference of a node that was hashed.
    pub(super) fn take(&mut self, dirty: &Dirty, hash: B256) {
        let child = match dirty.parent {
            Some(parent) => self.branches[parent as usize].child(dirty.nibble.into()),
            None => self.top.as_mut(),
        };
        child.expect("the slot of a node that was put").hash = hash;
    }

    /// Leaves, branches, bytes of memory.
    pub(super) fn size(&self) -> (u64, u64, u64) {
        let children = self.branches.iter().map(|b| b.children.capacity());
        let bytes = self.leaves.capacity() * size_of::<Leaf>()
            + self.branches.capacity() * size_of::<Branch>()
            + children.sum::<usize>() * size_of::<Child>();
        let (leaves, branches) = (self.leaves.len(), self.branches.len());
        (leaves as u64, branches as u64, bytes as u64)
    }
}

const fn dirty(node: NodeId, parent: u32, nibble: usize, depth: usize) -> Dirty {
    Dirty {
        node,
        parent: Some(parent),
        nibble: nibble as u8,
        slot: depth as u8 + 1,
    }
}
