//! Changing the shape of one shard: sorted changes walk down together, buckets take them in, and
//! nodes appear, disappear and join on the way back.

use super::{
    arena::{Arena, BUCKET_LEAVES_MAX, Entry, Inner, Link, Side, Target},
    hash::{Dirty, Place},
};
use alloy_primitives::B256;
use thinstate_formats::counted::{bit, first_differing_bit};

/// A leaf's new hash, or its removal.
#[derive(Clone, Copy, Debug)]
pub(super) struct Change {
    pub(super) location: B256,
    pub(super) hash: Option<B256>,
}

/// A subtree after its changes. Without a hash it waits for being hashed, once its parent is known.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subtree {
    link: Link,
    count: u32,
    hash: Option<B256>,
}

impl From<Side> for Subtree {
    fn from(side: Side) -> Self {
        Self {
            link: side.link,
            count: side.count,
            hash: Some(side.hash),
        }
    }
}

impl Subtree {
    /// As a parent keeps it: its hash is zero while it waits.
    fn side(&self) -> Side {
        Side {
            hash: self.hash.unwrap_or_default(),
            count: self.count,
            link: self.link,
        }
    }
}

/// Applies changes to a shard and notes which nodes are to be hashed.
pub(super) struct Editor<'a> {
    pub(super) arena: &'a mut Arena,
    pub(super) dirty: &'a mut Dirty,
    /// The shard's number in its group.
    pub(super) shard: u32,
    merged: Vec<Entry>,
}

impl<'a> Editor<'a> {
    pub(super) const fn new(arena: &'a mut Arena, dirty: &'a mut Dirty, shard: u32) -> Self {
        Self {
            arena,
            dirty,
            shard,
            merged: Vec::new(),
        }
    }

    /// The shard's root after changes that ascend by location, each location once. `from` is the
    /// first bit in which the shard's leaves may differ.
    pub(super) fn run(
        &mut self,
        root: Option<Side>,
        from: u16,
        changes: &[Change],
    ) -> Option<Side> {
        let subtree = match root {
            Some(side) => self.apply(side, from, 0, changes),
            None => self.build_new(0, changes),
        }?;
        if subtree.hash.is_none() {
            self.dirty.note(self.place(Place::ROOT, 0), subtree.link, 0);
        }
        Some(subtree.side())
    }

    /// Changes under one node. `depth` counts the nodes above it; hashing starts with the deepest.
    fn apply(&mut self, at: Side, from: u16, depth: usize, changes: &[Change]) -> Option<Subtree> {
        if changes.is_empty() {
            return Some(at.into());
        }
        match at.link.target() {
            Target::Bucket { len, slot } => self.apply_to_bucket(at, len, slot, depth, changes),
            Target::Inner(slot) => self.apply_to_inner(at, slot, from, depth, changes),
        }
    }

    fn apply_to_inner(
        &mut self,
        at: Side,
        slot: u32,
        from: u16,
        depth: usize,
        changes: &[Change],
    ) -> Option<Subtree> {
        let Inner { sides, bit } = *self.arena.inner(slot);
        let at_bit = u16::from(bit);
        // Only bits that are skipped here need a look at a leaf; that is rare above buckets.
        if at_bit > from
            && let Some(aside) = self.leaves_prefix(at.link, at_bit, changes)
        {
            return self.apply_beside(at, aside, depth, changes);
        }
        let (left, right) = split_changes(changes, at_bit);
        let left = self.apply(sides[0], at_bit + 1, depth + 1, left);
        let right = self.apply(sides[1], at_bit + 1, depth + 1, right);
        let mut joined = self.join(Some(at.link), at_bit, depth, left, right)?;
        let same = |subtree: Option<Subtree>, side: &Side| {
            subtree.is_some_and(|s| s.hash == Some(side.hash))
        };
        if same(left, &sides[0]) && same(right, &sides[1]) {
            joined.hash = Some(at.hash);
        }
        Some(joined)
    }

    /// The first bit in which a change departs from the bits that a node's leaves share, if any
    /// does. Changes ascend, so the first or the last one departs first.
    fn leaves_prefix(&self, link: Link, bit: u16, changes: &[Change]) -> Option<u16> {
        let sample = self.arena.sample(link);
        let ends = [changes.first()?, changes.last()?];
        let differs = ends.map(|change| first_differing_bit(&change.location, &sample));
        differs.into_iter().flatten().min().filter(|d| *d < bit)
    }

    /// Changes of which some belong beside the node, parted from it by the bit `at_bit`.
    fn apply_beside(
        &mut self,
        at: Side,
        at_bit: u16,
        depth: usize,
        changes: &[Change],
    ) -> Option<Subtree> {
        let (left, right) = split_changes(changes, at_bit);
        let (left, right) = if bit(&self.arena.sample(at.link), at_bit) {
            let beside = self.build_new(depth + 1, left);
            (beside, self.apply(at, at_bit + 1, depth + 1, right))
        } else {
            let under = self.apply(at, at_bit + 1, depth + 1, left);
            (under, self.build_new(depth + 1, right))
        };
        self.join(None, at_bit, depth, left, right)
    }

    fn apply_to_bucket(
        &mut self,
        at: Side,
        len: usize,
        slot: u32,
        depth: usize,
        changes: &[Change],
    ) -> Option<Subtree> {
        let mut merged = core::mem::take(&mut self.merged);
        let entries = self.arena.bucket(len, slot);
        merge(entries, changes, &mut merged);
        let subtree = if merged == entries {
            Some(at.into())
        } else {
            self.arena.free(at.link);
            self.build(depth, &merged)
        };
        self.merged = merged;
        subtree
    }

    /// A subtree of the leaves that changes insert where there was none.
    fn build_new(&mut self, depth: usize, changes: &[Change]) -> Option<Subtree> {
        let mut merged = core::mem::take(&mut self.merged);
        merge(&[], changes, &mut merged);
        let subtree = self.build(depth, &merged);
        self.merged = merged;
        subtree
    }

    fn build(&mut self, depth: usize, entries: &[Entry]) -> Option<Subtree> {
        let (first, last) = (entries.first()?, entries.last()?);
        if entries.len() <= BUCKET_LEAVES_MAX {
            return Some(Subtree {
                link: self.arena.take_bucket(entries),
                count: entries.len() as u32,
                hash: (entries.len() == 1).then_some(first.hash),
            });
        }
        let at_bit = first_differing_bit(&first.location, &last.location)
            .expect("entries of a tree have different locations");
        let (left, right) = split_entries(entries, at_bit);
        let left = self.build(depth + 1, left);
        let right = self.build(depth + 1, right);
        self.join(None, at_bit, depth, left, right)
    }

    /// Two sides under one node, `at` if there is one already. An empty side leaves the other one
    /// alone; two small ones become a bucket.
    fn join(
        &mut self,
        at: Option<Link>,
        at_bit: u16,
        depth: usize,
        left: Option<Subtree>,
        right: Option<Subtree>,
    ) -> Option<Subtree> {
        let (Some(left), Some(right)) = (left, right) else {
            at.into_iter().for_each(|link| self.arena.free(link));
            return left.or(right);
        };
        let count = left.count.checked_add(right.count);
        let count = count.expect("a shard has fewer than 2^32 leaves");
        if count as usize <= BUCKET_LEAVES_MAX {
            at.into_iter().for_each(|link| self.arena.free(link));
            return Some(self.join_buckets(left.link, right.link));
        }
        let inner = Inner {
            sides: [left.side(), right.side()],
            bit: u8::try_from(at_bit).expect("locations have 256 bits"),
        };
        let (link, slot) = match at.map(|link| (link, link.target())) {
            Some((link, Target::Inner(slot))) => {
                *self.arena.inner_mut(slot) = inner;
                (link, slot)
            }
            _ => self.arena.take_inner(inner),
        };
        for (side, subtree) in [left, right].iter().enumerate() {
            if subtree.hash.is_none() {
                let place = self.place(slot, side);
                self.dirty.note(place, subtree.link, depth + 1);
            }
        }
        Some(Subtree {
            link,
            count,
            hash: None,
        })
    }

    /// One bucket of the leaves of two.
    fn join_buckets(&mut self, left: Link, right: Link) -> Subtree {
        let mut entries = [Entry::default(); BUCKET_LEAVES_MAX];
        let mut count = 0;
        for link in [left, right] {
            let Target::Bucket { len, slot } = link.target() else {
                unreachable!("a subtree of few leaves is a bucket");
            };
            entries[count..count + len].copy_from_slice(self.arena.bucket(len, slot));
            count += len;
            self.arena.free(link);
        }
        Subtree {
            link: self.arena.take_bucket(&entries[..count]),
            count: count as u32,
            hash: None,
        }
    }

    const fn place(&self, parent: u32, side: usize) -> Place {
        Place {
            shard: self.shard,
            parent,
            side: side as u8,
        }
    }
}

fn split_changes(changes: &[Change], at_bit: u16) -> (&[Change], &[Change]) {
    changes.split_at(changes.partition_point(|c| !bit(&c.location, at_bit)))
}

pub(super) fn split_entries(entries: &[Entry], at_bit: u16) -> (&[Entry], &[Entry]) {
    entries.split_at(entries.partition_point(|e| !bit(&e.location, at_bit)))
}

/// Entries with changes applied; both ascend.
fn merge(entries: &[Entry], changes: &[Change], merged: &mut Vec<Entry>) {
    merged.clear();
    let mut entries = entries.iter().peekable();
    for change in changes {
        while let Some(entry) = entries.next_if(|e| e.location < change.location) {
            merged.push(*entry);
        }
        entries.next_if(|e| e.location == change.location);
        merged.extend(change.hash.map(|hash| Entry {
            location: change.location,
            hash,
        }));
    }
    merged.extend(entries);
}
