//! Compact proofs of current values, and of absence.
//!
//! Cost: one walk down for the index, one for each leaf that the proof rests on, and at most 7
//! hashes in that leaf's bucket.

use super::{
    LiveTree, SHARD_BITS, Shard,
    arena::{Entry, Target},
    edit::split_entries,
    hash::BucketPlan,
};
use alloy_primitives::B256;
use core::convert::Infallible;
use thinstate_formats::{
    LeafIndex, NodeHasher,
    counted::{
        InclusionProof, Leaf, LocationProof, Node, Sibling, Side, bit, first_differing_bit,
        page_siblings,
    },
};

impl LiveTree {
    /// Proves what the tree has at a location: the leaf, or that there is none, by its neighbours.
    /// `value_of` is asked for the values of the one or two leaves that the proof shows.
    pub(crate) fn prove(
        &self,
        hasher: &NodeHasher,
        location: &B256,
        value_of: impl Fn(&B256) -> B256,
    ) -> LocationProof {
        let leaf_at = |index: u64| {
            let (location, proof) = self.prove_index(hasher, index)?;
            let value = value_of(&location);
            Some((Leaf { location, value }, proof))
        };
        match self.index_of(location) {
            Ok(index) => {
                let (leaf, proof) = leaf_at(index).expect("the leaf was found");
                LocationProof::included(leaf, LeafIndex(index), proof)
            }
            Err(index) => {
                LocationProof::excluded(index.checked_sub(1).and_then(leaf_at), leaf_at(index))
                    .expect("the neighbours are leaves of one tree, the first before the second")
            }
        }
    }

    /// A leaf's index, or the one that it would have.
    fn index_of(&self, location: &B256) -> Result<u64, u64> {
        let shard = usize::from(location[0]);
        let before: u64 = self.top.levels()[0][..shard].iter().map(|n| n.count).sum();
        let index = self.shards[shard].index_of(location);
        index.map(|i| before + i).map_err(|i| before + i)
    }

    /// Where the leaf with an index is, and its proof; `None` past the last one.
    fn prove_index(&self, hasher: &NodeHasher, index: u64) -> Option<(B256, InclusionProof)> {
        if index >= self.len() {
            return None;
        }
        let levels = self.top.levels();
        let (mut shard, mut below) = (0, index);
        for level in levels.iter().rev().skip(1) {
            shard *= 2;
            let left = level[shard].count;
            if below >= left {
                below -= left;
                shard += 1;
            }
        }
        let (location, mut siblings) = self.shards[shard].prove_index(hasher, below)?;
        let node = |level: u32, at: u64| Ok::<_, Infallible>(levels[level as usize][at as usize]);
        let Ok(above) = page_siblings(SHARD_BITS, shard as u64, node);
        siblings.extend(above);
        Some((location, InclusionProof { siblings }))
    }
}

impl Shard {
    fn index_of(&self, location: &B256) -> Result<u64, u64> {
        let Some(mut side) = self.root else {
            return Err(0);
        };
        let (mut from, mut before) = (SHARD_BITS as u16, 0);
        loop {
            match side.link.target() {
                Target::Bucket { len, slot } => {
                    let entries = self.arena.bucket(len, slot);
                    let found = entries.binary_search_by_key(location, |e| e.location);
                    let index = |at: usize| before + at as u64;
                    return found.map(index).map_err(index);
                }
                Target::Inner(slot) => {
                    let inner = self.arena.inner(slot);
                    let at_bit = u16::from(inner.bit);
                    if at_bit > from
                        && let Some(aside) =
                            first_differing_bit(location, &self.arena.sample(side.link))
                        && aside < at_bit
                    {
                        let all = u64::from(bit(location, aside)) * u64::from(side.count);
                        return Err(before + all);
                    }
                    let next = usize::from(bit(location, at_bit));
                    before += next as u64 * u64::from(inner.sides[0].count);
                    (side, from) = (inner.sides[next], at_bit + 1);
                }
            }
        }
    }

    /// Where the leaf with an index in the shard is, and its siblings in the shard.
    fn prove_index(&self, hasher: &NodeHasher, mut index: u64) -> Option<(B256, Vec<Sibling>)> {
        let mut link = self.root?.link;
        let mut siblings = Vec::new();
        let entries = loop {
            match link.target() {
                Target::Bucket { len, slot } => break self.arena.bucket(len, slot),
                Target::Inner(slot) => {
                    let [left, right] = self.arena.inner(slot).sides;
                    let left_count = u64::from(left.count);
                    link = if index < left_count {
                        siblings.push(Sibling::new(Side::Right, right.into()));
                        left.link
                    } else {
                        index -= left_count;
                        siblings.push(Sibling::new(Side::Left, left.into()));
                        right.link
                    };
                }
            }
        };
        let location = prove_in_bucket(hasher, entries, index as usize, &mut siblings);
        siblings.reverse();
        Some((location, siblings))
    }
}

/// Appends the siblings of an entry in its bucket, from the bucket's root down.
fn prove_in_bucket(
    hasher: &NodeHasher,
    mut entries: &[Entry],
    mut index: usize,
    siblings: &mut Vec<Sibling>,
) -> B256 {
    let mut plan = BucketPlan::default();
    let mut node_over = |entries: &[Entry]| -> Node { plan.node_over(hasher, entries) };
    while let [first, .., last] = entries
        && let Some(at_bit) = first_differing_bit(&first.location, &last.location)
    {
        let (left, right) = split_entries(entries, at_bit);
        entries = if index < left.len() {
            siblings.push(Sibling::new(Side::Right, node_over(right)));
            left
        } else {
            index -= left.len();
            siblings.push(Sibling::new(Side::Left, node_over(left)));
            right
        };
    }
    entries[0].location
}
