//! The counted tree of a live period, kept in memory under batches of changes.
//!
//! Same shape and same root as [`thinstate_formats::counted`] builds from the sorted leaves, so the
//! tree that each block commits to is the one that the seal freezes; how it came about does not show.
//! Undoing a batch is another batch, of the leaves as they were.
//!
//! ```text
//! top      2^8 shards by the first byte of the location, 255 nodes over their roots
//! shard    inner nodes of 84 bytes: hash, count and link of both sides, the bit that parts them
//! bucket   a subtree of 1 to 8 leaves: location and leaf hash of each (64 bytes), sorted;
//!          its inner nodes are built again when they are needed
//! ```
//!
//! A subtree of at most [`arena::BUCKET_LEAVES_MAX`] leaves is a bucket, a larger one an inner
//! node, always: what is there depends on the leaves alone, but for slots that removals left free. A
//! parent keeps the hashes of its two sides, so that hashing a path reads the path and nothing
//! beside it. Nodes do not keep the bits that they skip: where some are skipped, they are looked up
//! in a leaf below, which for hashed locations is rare above buckets.
//!
//! Costs:
//! * memory: 64 bytes per leaf, 84 for each inner node above buckets (which are 70 % full on average)
//!   and an eighth of slack at most: 84 to 88 bytes per leaf ([`LiveTree::memory_bytes`]). Values
//!   are not kept, the caller has them;
//! * an update of `k` leaves in a tree of `n`: `k` leaf hashes; at most 7 hashes for each bucket with
//!   a change and one for each inner node above one, together about `k * (log2(n / k) + 3)`.

mod arena;
mod edit;
mod hash;
mod prove;
mod read_ahead;
mod top;

#[cfg(test)]
mod tests;

use alloy_primitives::B256;
use arena::{Arena, Side};
use core::ops::Range;
use edit::{Change, Editor};
use hash::Dirty;
use rayon::prelude::*;
use read_ahead::ReadAhead;
use thinstate_formats::{
    NodeHasher,
    counted::{Leaf, Node, leaf_hashes},
};
use top::Top;

/// Bits of a location that choose its shard.
const SHARD_BITS: u32 = 8;
const SHARDS: usize = 1 << SHARD_BITS;
/// Changes that one task takes on: enough to fill the lanes at each level, few enough for their
/// nodes to stay in the second-level cache.
const CHANGES_TOGETHER: usize = 1_024;

/// What an update cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LiveTreeWork {
    /// Leaves hashed.
    pub(crate) leaf_hashes: u64,
    /// Inner nodes hashed.
    pub(crate) inner_hashes: u64,
}

impl LiveTreeWork {
    const fn plus(self, other: Self) -> Self {
        Self {
            leaf_hashes: self.leaf_hashes + other.leaf_hashes,
            inner_hashes: self.inner_hashes + other.inner_hashes,
        }
    }
}

/// The leaves that begin with one byte.
#[derive(Clone, Debug, Default)]
struct Shard {
    arena: Arena,
    root: Option<Side>,
}

impl Shard {
    fn node(&self) -> Node {
        self.root.map_or(Node::EMPTY, Node::from)
    }
}

impl From<Side> for Node {
    fn from(side: Side) -> Self {
        Self {
            hash: side.hash,
            count: u64::from(side.count),
        }
    }
}

/// A counted tree in memory.
#[derive(Clone, Debug)]
pub(crate) struct LiveTree {
    shards: Vec<Shard>,
    top: Top,
}

impl Default for LiveTree {
    fn default() -> Self {
        Self {
            shards: vec![Shard::default(); SHARDS],
            top: Top::new(SHARD_BITS),
        }
    }
}

/// A leaf's location, and its new value or its removal.
pub(crate) type LeafChange = (B256, Option<B256>);

impl LiveTree {
    /// The root: hash and number of leaves.
    pub(crate) fn root(&self) -> Node {
        self.top.root()
    }

    /// Number of leaves.
    pub(crate) fn len(&self) -> u64 {
        self.root().count
    }

    /// Memory taken, free slots included.
    pub(crate) fn memory_bytes(&self) -> usize {
        let arenas: usize = self.shards.iter().map(|shard| shard.arena.bytes()).sum();
        arenas + SHARDS * (size_of::<Shard>() + 2 * size_of::<Node>())
    }

    /// Applies changes in any order; of several of one leaf the last one counts. Removing a leaf that
    /// is not there, and setting one to what it is, change nothing. With a pool, larger
    /// batches are spread over its threads; the root does not depend on that.
    pub(crate) fn update(
        &mut self,
        hasher: &NodeHasher,
        pool: Option<&rayon::ThreadPool>,
        changes: &[LeafChange],
    ) -> LiveTreeWork {
        let order = ByShard::new(changes);
        let groups = order.groups(&mut self.shards);
        let run = |group: Group<'_>| group.update(hasher, changes, &order);
        let work = match pool {
            Some(pool) if groups.len() > 1 => pool.install(|| {
                let works = groups.into_par_iter().map(run);
                works.reduce(LiveTreeWork::default, LiveTreeWork::plus)
            }),
            _ => {
                let works = groups.into_iter().map(run);
                works.fold(LiveTreeWork::default(), LiveTreeWork::plus)
            }
        };
        let roots: Vec<Node> = self.shards.iter().map(Shard::node).collect();
        let inner_hashes = self.top.update(hasher, &roots);
        work.plus(LiveTreeWork {
            leaf_hashes: 0,
            inner_hashes,
        })
    }
}

/// Numbers of changes by shard; within a shard in the order in which they were given.
struct ByShard {
    numbers: Vec<u32>,
    /// Where each shard's begin, and the end.
    starts: [usize; SHARDS + 1],
}

impl ByShard {
    fn new(changes: &[LeafChange]) -> Self {
        let mut starts = [0; SHARDS + 1];
        for (location, _) in changes {
            starts[usize::from(location[0]) + 1] += 1;
        }
        for shard in 0..SHARDS {
            starts[shard + 1] += starts[shard];
        }
        let mut next = starts;
        let mut numbers = vec![0; changes.len()];
        for ((location, _), number) in changes.iter().zip(0u32..) {
            let slot = &mut next[usize::from(location[0])];
            numbers[*slot] = number;
            *slot += 1;
        }
        Self { numbers, starts }
    }

    const fn range(&self, shard: usize) -> Range<usize> {
        self.starts[shard]..self.starts[shard + 1]
    }

    fn of(&self, shard: usize) -> &[u32] {
        &self.numbers[self.range(shard)]
    }

    /// Cuts the shards into groups of about [`CHANGES_TOGETHER`] changes.
    fn groups<'a>(&self, mut shards: &'a mut [Shard]) -> Vec<Group<'a>> {
        let mut groups = Vec::new();
        let (mut first, mut end) = (0, 0);
        while first < SHARDS {
            while end < SHARDS && self.starts[end] - self.starts[first] < CHANGES_TOGETHER {
                end += 1;
            }
            let (group, rest) = shards.split_at_mut(end - first);
            shards = rest;
            groups.push(Group {
                first,
                shards: group,
            });
            first = end;
        }
        groups
    }
}

/// Neighbouring shards that one task changes.
struct Group<'a> {
    first: usize,
    shards: &'a mut [Shard],
}

impl Group<'_> {
    fn update(self, hasher: &NodeHasher, changes: &[LeafChange], order: &ByShard) -> LiveTreeWork {
        let mut dirty = Dirty::default();
        let sorted: Vec<Vec<&LeafChange>> = (0..self.shards.len())
            .map(|shard| last_of_each(changes, order.of(self.first + shard)))
            .collect();
        let mut ahead = ReadAhead::default();
        for (shard, changes) in self.shards.iter().zip(&sorted) {
            ahead.add(shard, changes.iter().map(|change| &change.0));
        }
        ahead.run();
        let mut leaf_hashes = 0;
        for ((number, shard), changes) in (0..).zip(self.shards.iter_mut()).zip(&sorted) {
            let changes = hash_leaves(hasher, changes, &mut leaf_hashes);
            let mut editor = Editor::new(&mut shard.arena, &mut dirty, number);
            shard.root = editor.run(shard.root, SHARD_BITS as u16, &changes);
        }
        LiveTreeWork {
            leaf_hashes,
            inner_hashes: dirty.hash(hasher, self.shards),
        }
    }
}

/// Some changes by ascending location, the last one of each.
fn last_of_each<'a>(changes: &'a [LeafChange], numbers: &[u32]) -> Vec<&'a LeafChange> {
    let numbered = numbers.iter().map(|number| &changes[*number as usize]);
    let mut sorted: Vec<_> = numbered.collect();
    sorted.sort_by_key(|(location, _)| location);
    let same = sorted.chunk_by(|a, b| a.0 == b.0);
    same.map(|same| same[same.len() - 1]).collect()
}

/// Changes with the hashes of their leaves.
fn hash_leaves(hasher: &NodeHasher, changes: &[&LeafChange], hashed: &mut u64) -> Vec<Change> {
    let set = changes.iter().filter_map(|(location, value)| {
        value.map(|value| Leaf {
            location: *location,
            value,
        })
    });
    let leaves: Vec<Leaf> = set.collect();
    *hashed += leaves.len() as u64;
    let mut hashes = leaf_hashes(hasher, &leaves).into_iter();
    let change = |(location, value): &&LeafChange| Change {
        location: *location,
        hash: value.and_then(|_| hashes.next()),
    };
    changes.iter().map(change).collect()
}
