//! Where the nodes of one shard lie: slots of inner nodes, slots of buckets of each size, and the
//! free ones among them.

use alloy_primitives::B256;

/// Most leaves in a bucket.
pub(super) const BUCKET_LEAVES_MAX: usize = 8;
const SLOT_BITS: u32 = 28;
const SLOT_MASK: u32 = (1 << SLOT_BITS) - 1;
const BUCKET: u32 = 1 << 31;

/// A leaf: where it is, and its hash. Its value is the caller's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) location: B256,
    pub(super) hash: B256,
}

/// A node's place in its arena: bit 31 set, a bucket (3 bits of length - 1, 28 bits of slot);
/// clear, an inner node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Link(u32);

/// What a link leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    Inner(u32),
    Bucket { len: usize, slot: u32 },
}

impl Link {
    fn inner(slot: u32) -> Self {
        assert!(slot < BUCKET, "a shard has fewer than 2^31 inner nodes");
        Self(slot)
    }

    fn bucket(len: usize, slot: u32) -> Self {
        assert!(slot <= SLOT_MASK, "a shard has at most 2^28 buckets");
        Self(BUCKET | ((len as u32 - 1) << SLOT_BITS) | slot)
    }

    pub(super) const fn target(self) -> Target {
        if self.0 & BUCKET == 0 {
            return Target::Inner(self.0);
        }
        Target::Bucket {
            len: ((self.0 & !BUCKET) >> SLOT_BITS) as usize + 1,
            slot: self.0 & SLOT_MASK,
        }
    }
}

/// A subtree as its parent keeps it, its hash included: a parent is hashed without a look at its
/// children.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Side {
    pub(super) hash: B256,
    pub(super) count: u32,
    pub(super) link: Link,
}

/// A node over more leaves than a bucket holds.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Inner {
    pub(super) sides: [Side; 2],
    /// The first bit in which the leaves of one side differ from those of the other.
    pub(super) bit: u8,
}

const _: () = assert!(size_of::<Inner>() == 84 && size_of::<Entry>() == 64);

/// Slots of `stride` items each.
#[derive(Clone, Debug, Default)]
struct Slots<T> {
    items: Vec<T>,
    free: Vec<u32>,
}

impl<T: Copy> Slots<T> {
    /// Puts items into a free slot, or into a new one.
    fn take(&mut self, items: &[T]) -> u32 {
        if let Some(slot) = self.free.pop() {
            let start = slot as usize * items.len();
            self.items[start..start + items.len()].copy_from_slice(items);
            return slot;
        }
        // An eighth at a time, not as much again: the slack is memory for nothing.
        if self.items.capacity() - self.items.len() < items.len() {
            let more = self.items.len() / 8 / items.len() + 4;
            self.items.reserve_exact(more * items.len());
        }
        let slot = self.items.len() / items.len();
        self.items.extend_from_slice(items);
        u32::try_from(slot).expect("slots are numbered in 28 or 31 bits")
    }

    const fn bytes(&self) -> usize {
        self.items.capacity() * size_of::<T>() + self.free.capacity() * size_of::<u32>()
    }
}

/// The nodes of one shard.
#[derive(Clone, Debug, Default)]
pub(super) struct Arena {
    inners: Slots<Inner>,
    /// By length, from 1.
    buckets: [Slots<Entry>; BUCKET_LEAVES_MAX],
}

impl Arena {
    pub(super) fn inner(&self, slot: u32) -> &Inner {
        &self.inners.items[slot as usize]
    }

    pub(super) fn inner_mut(&mut self, slot: u32) -> &mut Inner {
        &mut self.inners.items[slot as usize]
    }

    pub(super) fn bucket(&self, len: usize, slot: u32) -> &[Entry] {
        let start = slot as usize * len;
        &self.buckets[len - 1].items[start..start + len]
    }

    pub(super) fn take_inner(&mut self, inner: Inner) -> (Link, u32) {
        let slot = self.inners.take(&[inner]);
        (Link::inner(slot), slot)
    }

    /// Puts 1 to [`BUCKET_LEAVES_MAX`] entries into a bucket.
    pub(super) fn take_bucket(&mut self, entries: &[Entry]) -> Link {
        let slot = self.buckets[entries.len() - 1].take(entries);
        Link::bucket(entries.len(), slot)
    }

    /// Frees one node, not what is under it.
    pub(super) fn free(&mut self, link: Link) {
        match link.target() {
            Target::Inner(slot) => self.inners.free.push(slot),
            Target::Bucket { len, slot } => self.buckets[len - 1].free.push(slot),
        }
    }

    /// Some location under a node.
    pub(super) fn sample(&self, mut link: Link) -> B256 {
        loop {
            match link.target() {
                Target::Inner(slot) => link = self.inner(slot).sides[0].link,
                Target::Bucket { len, slot } => return self.bucket(len, slot)[0].location,
            }
        }
    }

    pub(super) fn bytes(&self) -> usize {
        let buckets: usize = self.buckets.iter().map(Slots::bytes).sum();
        self.inners.bytes() + buckets
    }
}
