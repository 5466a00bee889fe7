//! Hashes of the leaves of buckets, held in memory as far as a budget goes.
//!
//! A bucket that changes is read and hashed again. Of its leaves only those that changed have new hashes; those
//! of the others can be held, 33 bytes each, and then an update hashes its leaf and the branches above it alone.
//!
//! They are held under the *hash of the bucket's subtree*, which names its leaves and their values for good:
//! nothing that is held is ever out of date, whatever became of the state in between (failed blocks, undone ones,
//! views of several versions), and a bucket that is not found is hashed as if nothing were held. A block takes
//! out what it finds and puts in what there is after it. Over the budget, those go that were put first.
//!
//! # Invariants
//!
//! * A hash names all leaves of a subtree, also where a stub stands for some of them. So buckets with stubs are
//!   neither put, nor is what is found used for them: without stubs, the leaves read are those that were put.
//! * Nor is it used where the numbers of leaves differ, as a damaged store may have it.
//!
//! A storage trie of one bucket is not held: its hash stands in its account, which is read later.

use alloy_primitives::{B256, map::B256Map};
use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Parts of the whole, each with a lock and a share of the budget.
const SHARDS: usize = 64;
/// Bytes that a bucket takes beside its leaves: its name twice, its places in map and queue, the allocator's.
const BUCKET_BYTES: usize = 128;
/// A depth that no leaf has.
const NOWHERE: u8 = u8::MAX;

/// The hash of a leaf at some depth, or that it is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LeafHash {
    hash: B256,
    /// Depth of the slot that the leaf hangs in: the hash is that of the rest of its path.
    depth: u8,
}

impl LeafHash {
    /// Of a leaf that stands in its parent itself.
    pub(crate) const UNKNOWN: Self = Self {
        hash: B256::ZERO,
        depth: NOWHERE,
    };

    /// The hash of a leaf in a slot at `depth`.
    pub(crate) const fn new(hash: B256, depth: u8) -> Self {
        Self { hash, depth }
    }

    /// The hash, where the leaf hangs in a slot at `depth`.
    pub(crate) fn at(&self, depth: usize) -> Option<B256> {
        (usize::from(self.depth) == depth).then_some(self.hash)
    }
}

/// Those of all entries of a bucket, in order.
pub(crate) type BucketHashes = Box<[LeafHash]>;

/// The hashes that are held.
#[derive(Debug)]
pub(crate) struct LeafHashes {
    shards: Vec<Mutex<Shard>>,
    /// Most bytes of a shard.
    shard_bytes_max: usize,
}

#[derive(Debug, Default)]
struct Shard {
    /// By name, with the number of its put.
    buckets: B256Map<(u64, BucketHashes)>,
    /// Names in the order they were put, with some that have been taken or put again since.
    order: VecDeque<(u64, B256)>,
    puts: u64,
    bytes: usize,
}

const fn bytes_of(leaves: &[LeafHash]) -> usize {
    size_of_val(leaves) + BUCKET_BYTES
}

impl LeafHashes {
    /// Holds at most so many bytes.
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            shard_bytes_max: bytes_max / SHARDS,
        }
    }

    /// Bytes that are held.
    pub(crate) fn bytes(&self) -> u64 {
        self.shards.iter().map(|s| lock(s).bytes as u64).sum()
    }

    /// The hashes of a bucket's leaves, which are no longer held then.
    pub(crate) fn take(&self, bucket: &B256) -> Option<BucketHashes> {
        let mut shard = lock(self.shard(bucket));
        let (_, leaves) = shard.buckets.remove(bucket)?;
        shard.bytes -= bytes_of(&leaves);
        Some(leaves)
    }

    /// Holds the hashes of a bucket's leaves.
    pub(crate) fn put(&self, bucket: B256, leaves: BucketHashes) {
        let mut shard = lock(self.shard(&bucket));
        shard.bytes += bytes_of(&leaves);
        shard.puts += 1;
        let number = shard.puts;
        if let Some((_, same)) = shard.buckets.insert(bucket, (number, leaves)) {
            shard.bytes -= bytes_of(&same);
        }
        shard.order.push_back((number, bucket));
        shard.shrink_to(self.shard_bytes_max);
    }

    fn shard(&self, bucket: &B256) -> &Mutex<Shard> {
        &self.shards[usize::from(bucket[0]) % SHARDS]
    }
}

impl Shard {
    fn shrink_to(&mut self, bytes_max: usize) {
        while self.bytes > bytes_max {
            let Some(oldest) = self.order.pop_front() else {
                return;
            };
            if is_held(&self.buckets, &oldest)
                && let Some((_, leaves)) = self.buckets.remove(&oldest.1)
            {
                self.bytes -= bytes_of(&leaves);
            }
        }
        if self.order.len() > 2 * self.buckets.len() + SHARDS {
            let buckets = &self.buckets;
            self.order.retain(|put| is_held(buckets, put));
        }
    }
}

/// Whether what was put with this number is held still.
fn is_held(buckets: &B256Map<(u64, BucketHashes)>, (number, bucket): &(u64, B256)) -> bool {
    buckets.get(bucket).is_some_and(|(held, _)| held == number)
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    // A panic elsewhere leaves whole buckets, and the count at most too high.
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::keccak256;

    fn bucket(n: usize) -> (B256, BucketHashes) {
        let name = keccak256(n.to_le_bytes());
        let leaf = LeafHash::new(name, 5);
        (name, vec![leaf; n % 20 + 1].into())
    }

    #[test]
    fn no_more_is_held_than_the_budget_and_the_oldest_go_first() {
        let held = LeafHashes::new(64 * 8_000);
        for n in 0..3_000 {
            let (name, leaves) = bucket(n);
            held.put(name, leaves.clone());
            held.put(name, leaves.clone());
            assert!(held.bytes() <= 64 * 8_000);
            // Taken and put again, as an update does.
            if n % 3 == 0 {
                assert_eq!(held.take(&name), Some(leaves.clone()));
                assert_eq!(held.take(&name), None);
                held.put(name, leaves);
            }
        }
        assert!(held.bytes() > 64 * 7_000);
        let (first, _) = bucket(0);
        let (last, leaves) = bucket(2_999);
        assert_eq!(held.take(&first), None);
        assert_eq!(held.take(&last), Some(leaves));
        for n in 0..3_000 {
            held.take(&bucket(n).0);
        }
        assert_eq!(held.bytes(), 0);
    }

    #[test]
    fn no_bucket_that_is_put_again_and_again_makes_the_queue_grow() {
        let held = LeafHashes::new(1 << 20);
        let (name, leaves) = bucket(7);
        for n in 0..10_000 {
            if n % 2 == 0 {
                held.take(&name);
            }
            held.put(name, leaves.clone());
            assert_eq!(held.bytes(), bytes_of(&leaves) as u64);
        }
        let queue = lock(held.shard(&name)).order.len();
        assert!(queue <= SHARDS + 3, "{queue} names of one bucket");
    }

    #[test]
    fn no_hash_is_taken_for_that_of_another_depth() {
        let leaf = LeafHash::new(B256::repeat_byte(1), 5);
        assert_eq!(leaf.at(5), Some(B256::repeat_byte(1)));
        assert_eq!(leaf.at(6), None);
        assert!((0..=64).all(|depth| LeafHash::UNKNOWN.at(depth).is_none()));
        assert_eq!(size_of::<LeafHash>(), 33);
    }
}
