//! Bringing what a group of changes will touch into the cache.
//!
//! A walk down one path waits for memory at each node. Here the walks of all changes go down
//! together, one node each in turn: their loads do not depend on each other, and the CPU waits for
//! ten or so at once. Nothing depends on this but time: a walk that a later insertion turns aside
//! has read something for nothing.

use super::{
    Shard,
    arena::{Arena, Link, Target},
};
use alloy_primitives::B256;
use core::hint::black_box;
use thinstate_formats::counted::bit;

/// Walks that go down together.
#[derive(Default)]
pub(super) struct ReadAhead<'a> {
    walks: Vec<Walk<'a>>,
}

struct Walk<'a> {
    arena: &'a Arena,
    location: &'a B256,
    at: Link,
}

impl<'a> ReadAhead<'a> {
    /// Adds walks to locations in a shard.
    pub(super) fn add(&mut self, shard: &'a Shard, locations: impl Iterator<Item = &'a B256>) {
        let Some(root) = &shard.root else { return };
        self.walks.extend(locations.map(|location| Walk {
            arena: &shard.arena,
            location,
            at: root.link,
        }));
    }

    /// Walks them all to their buckets, and reads those.
    pub(super) fn run(mut self) {
        while !self.walks.is_empty() {
            self.walks.retain_mut(Walk::step);
        }
    }
}

impl Walk<'_> {
    /// One node down; false at the end.
    fn step(&mut self) -> bool {
        match self.at.target() {
            Target::Inner(slot) => {
                let inner = self.arena.inner(slot);
                let side = bit(self.location, u16::from(inner.bit));
                self.at = inner.sides[usize::from(side)].link;
                true
            }
            Target::Bucket { len, slot } => {
                let entries = self.arena.bucket(len, slot);
                let read = entries.iter().fold(0, |read, e| read ^ e.location[0]);
                black_box(read);
                false
            }
        }
    }
}
