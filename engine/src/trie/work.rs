//! What an update costs.

use std::time::Instant;
use thinstate_formats::keccak::HashCount;

/// What an update cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TrieWork {
    /// Buckets read and rebuilt, those read again by a merge included.
    pub buckets: u64,
    /// Of these, buckets formed from branches that collapsed.
    pub buckets_merged: u64,
    /// Entries in them.
    pub bucket_entries: u64,
    /// Of these, leaves that were not hashed, since their hashes were held.
    pub leaves_held: u64,
    /// Branches of the interior hashed again.
    pub branches: u64,
    /// Nodes hashed.
    pub hashes: u64,
    /// Permutations of keccak-f that these hashes need.
    pub permutations: u64,
    /// Time to send changes to buckets, in nanoseconds, summed over threads.
    pub plan_ns: u64,
    /// Time to read buckets and merge changes into them, in nanoseconds, summed over threads.
    pub load_ns: u64,
    /// Time to build and hash nodes, in nanoseconds, summed over threads.
    pub hash_ns: u64,
}

impl TrieWork {
    /// Adds another update's work.
    pub fn add(&mut self, other: &Self) {
        self.buckets += other.buckets;
        self.buckets_merged += other.buckets_merged;
        self.bucket_entries += other.bucket_entries;
        self.leaves_held += other.leaves_held;
        self.branches += other.branches;
        self.hashes += other.hashes;
        self.permutations += other.permutations;
        self.plan_ns += other.plan_ns;
        self.load_ns += other.load_ns;
        self.hash_ns += other.hash_ns;
    }

    pub(super) fn count(&mut self, hashed: HashCount) {
        self.hashes += hashed.messages;
        self.permutations += hashed.permutations;
    }
}

/// Adds the time since `started` to `total`.
pub(super) fn spend(total: &mut u64, started: Instant) {
    *total += u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX);
}
