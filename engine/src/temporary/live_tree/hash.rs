//! Hashing what changed: buckets first, then inner nodes level by level, the deepest first, those
//! of many shards together so that the lanes are full.

use super::{
    Shard,
    arena::{Entry, Link, Target},
    edit::split_entries,
};
use alloy_primitives::B256;
use thinstate_formats::{
    NodeHasher,
    counted::{INNER_MESSAGE_BYTES, Node, first_differing_bit, inner_message},
};

/// Messages that are collected before they are hashed: they stay in the first-level cache.
const MESSAGES_TOGETHER: usize = 128;
/// Buckets of which the nodes are hashed together.
const BUCKETS_TOGETHER: usize = 128;

/// Where a hash is kept: a side of an inner node, or a shard's root.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// The shard's number in its group.
    pub(super) shard: u32,
    pub(super) parent: u32,
    pub(super) side: u8,
}

impl Place {
    /// The parent of a shard's root.
    pub(super) const ROOT: u32 = u32::MAX;

    fn put(self, shards: &mut [Shard], hash: B256) {
        let shard = &mut shards[self.shard as usize];
        if self.parent == Self::ROOT {
            let root = shard.root.as_mut();
            root.expect("a root that waits for its hash is there").hash = hash;
        } else {
            shard.arena.inner_mut(self.parent).sides[usize::from(self.side)].hash = hash;
        }
    }
}

/// Nodes of a group of shards that wait for being hashed.
#[derive(Debug, Default)]
pub(super) struct Dirty {
    buckets: Vec<(Place, Link)>,
    /// Inner nodes by the number of nodes above them.
    levels: Vec<Vec<(Place, u32)>>,
}

impl Dirty {
    pub(super) fn note(&mut self, place: Place, link: Link, depth: usize) {
        match link.target() {
            Target::Bucket { .. } => self.buckets.push((place, link)),
            Target::Inner(slot) => {
                if self.levels.len() <= depth {
                    self.levels.resize_with(depth + 1, Vec::new);
                }
                self.levels[depth].push((place, slot));
            }
        }
    }

    /// Hashes all of them; says how many hashes that took.
    pub(super) fn hash(self, hasher: &NodeHasher, shards: &mut [Shard]) -> u64 {
        let mut inner_hashes = 0;
        let mut plan = BucketPlan::default();
        for buckets in self.buckets.chunks(BUCKETS_TOGETHER) {
            inner_hashes += plan.hash(hasher, shards, buckets);
        }
        let mut messages = Vec::with_capacity(MESSAGES_TOGETHER);
        let mut digests = Vec::with_capacity(MESSAGES_TOGETHER);
        for level in self.levels.iter().rev() {
            inner_hashes += level.len() as u64;
            for nodes in level.chunks(MESSAGES_TOGETHER) {
                messages.clear();
                messages.extend(nodes.iter().map(|(place, slot)| {
                    let arena = &shards[place.shard as usize].arena;
                    let [left, right] = arena.inner(*slot).sides.map(Node::from);
                    inner_message(left, right)
                }));
                digests.clear();
                hasher.hash_blocks(&messages, &mut digests);
                for ((place, _), hash) in nodes.iter().zip(&digests) {
                    place.put(shards, *hash);
                }
            }
        }
        inner_hashes
    }
}

/// Two nodes and the one over them, by their numbers.
#[derive(Clone, Copy, Debug)]
struct Join {
    left: usize,
    right: usize,
    over: usize,
}

/// The trees inside buckets, which are not kept but built when they are needed: nodes of many
/// buckets, and joins by their height.
#[derive(Debug, Default)]
pub(super) struct BucketPlan {
    nodes: Vec<Node>,
    joins: Vec<Vec<Join>>,
    messages: Vec<[u8; INNER_MESSAGE_BYTES]>,
    digests: Vec<B256>,
}

impl BucketPlan {
    fn hash(
        &mut self,
        hasher: &NodeHasher,
        shards: &mut [Shard],
        buckets: &[(Place, Link)],
    ) -> u64 {
        self.clear();
        let mut roots = [0; BUCKETS_TOGETHER];
        for ((place, link), root) in buckets.iter().zip(&mut roots) {
            if let Target::Bucket { len, slot } = link.target() {
                let entries = shards[place.shard as usize].arena.bucket(len, slot);
                *root = self.plan(entries).0;
            }
        }
        let hashes = self.run(hasher);
        for ((place, _), root) in buckets.iter().zip(roots) {
            place.put(shards, self.nodes[root].hash);
        }
        hashes
    }

    /// The node over a few sorted entries.
    pub(super) fn node_over(&mut self, hasher: &NodeHasher, entries: &[Entry]) -> Node {
        if entries.is_empty() {
            return Node::EMPTY;
        }
        self.clear();
        let (root, _) = self.plan(entries);
        self.run(hasher);
        self.nodes[root]
    }

    fn clear(&mut self) {
        self.nodes.clear();
        self.joins.iter_mut().for_each(Vec::clear);
    }

    /// Plans the tree over entries, at least one; returns its root's number and its height.
    fn plan(&mut self, entries: &[Entry]) -> (usize, usize) {
        let (first, last) = (&entries[0], &entries[entries.len() - 1]);
        let Some(bit) = first_differing_bit(&first.location, &last.location) else {
            self.nodes.push(Node {
                hash: first.hash,
                count: 1,
            });
            return (self.nodes.len() - 1, 0);
        };
        let (left, right) = split_entries(entries, bit);
        let (left, left_height) = self.plan(left);
        let (right, right_height) = self.plan(right);
        let height = left_height.max(right_height);
        if self.joins.len() <= height {
            self.joins.resize_with(height + 1, Vec::new);
        }
        let over = self.nodes.len();
        self.nodes.push(Node::EMPTY);
        self.joins[height].push(Join { left, right, over });
        (over, height + 1)
    }

    /// Hashes what is planned, height by height.
    fn run(&mut self, hasher: &NodeHasher) -> u64 {
        let nodes = &mut self.nodes;
        let mut hashes = 0;
        for joins in &self.joins {
            self.messages.clear();
            let message = |join: &Join| inner_message(nodes[join.left], nodes[join.right]);
            self.messages.extend(joins.iter().map(message));
            self.digests.clear();
            hasher.hash_blocks(&self.messages, &mut self.digests);
            for (join, hash) in joins.iter().zip(&self.digests) {
                let count = nodes[join.left].count + nodes[join.right].count;
                nodes[join.over] = Node { hash: *hash, count };
            }
            hashes += joins.len() as u64;
        }
        hashes
    }
}
