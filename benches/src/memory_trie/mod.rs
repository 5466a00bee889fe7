//! A Merkle-Patricia trie wholly in memory, with a log: the least that a store with Ethereum's own root and
//! durable commits does, and the bar for the permanent tier.
//!
//! Nothing is read from the disk, and nothing is hashed that did not change: each node's reference stands in
//! its parent, so an update hashes its leaf and the branches above it, once for all updates of a block, eight
//! at a time where the CPU can. One write and one `fdatasync` for each block, while it is hashed; the state can
//! be rebuilt from the log alone.
//!
//! ```text
//! root                                    branch of 16, hashed last
//!   0 .. f                                16 branches of 16
//!     256 subtrees                        each with leaves and branches in arrays of its own
//!       leaf    | key 32 | value 32 |
//!       branch  | first leaf 4 | children 24 | mask 2 | depth 1 | and 36 for each child: hash 32, number 4
//! ```
//!
//! A block is sorted and cut into runs of subtrees, one run to a task: its updates are put into the subtrees,
//! then all nodes on their way are hashed level by level, together for the whole run. The cuts bound what a task
//! touches, so that what it hashes is still in the near caches.
//!
//! It takes about 190 bytes of memory for each leaf (10 M keys, 32-byte values), and writes 64 to 68 for each update.
//!
//! What it leaves out, and a store would not: deletion, undo, views of earlier states, reading values back, and
//! states with no key under some prefix of two nibbles (a few thousand random keys have one under each).
//! Values are hashed as strings of 32 bytes: no node is short enough to be inlined.

mod rlp;
mod subtree;
mod tasks;

#[cfg(test)]
mod tests;

use crate::{Update, append_log::LogFile};
use alloy_primitives::B256;
use rayon::{ThreadPool, slice::ParallelSliceMut};
use std::{io, path::Path};
use subtree::Subtree;
use thinstate_formats::BatchHasher;

/// Subtrees: one for each first byte of a key.
const SUBTREES: usize = 256;

/// The trie and its log.
#[derive(Debug)]
pub struct MemoryTrie {
    log: LogFile,
    hasher: BatchHasher,
    pool: ThreadPool,
    subtrees: Vec<Subtree>,
}

/// What a block did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TrieApplied {
    /// The root after it.
    pub root: B256,
    /// Permutations of keccak-f that it took.
    pub permutations: u64,
    /// Bytes appended to the log.
    pub written_bytes: u64,
}

impl MemoryTrie {
    /// An empty trie with a new log in `dir`, on so many threads.
    pub fn create(dir: &Path, threads: usize, hasher: BatchHasher) -> io::Result<Self> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        Ok(Self {
            log: LogFile::create(&dir.join("trie.log"))?,
            hasher,
            pool: pool.map_err(io::Error::other)?,
            subtrees: (0..SUBTREES).map(|_| Subtree::default()).collect(),
        })
    }

    /// Applies a block of updates, each key once: durable when this returns.
    ///
    /// # Panics
    ///
    /// Where no key begins with some byte: after the first block all must be there.
    pub fn apply(&mut self, updates: &mut [Update]) -> io::Result<TrieApplied> {
        let Self {
            log,
            hasher,
            pool,
            subtrees,
        } = self;
        pool.install(|| updates.par_sort_unstable_by_key(|(key, _)| *key));
        let updates = &*updates;
        // The log's thread mostly waits for the device.
        std::thread::scope(|scope| {
            let logged = scope.spawn(move || {
                let written_bytes = log.append(updates)?;
                log.sync().map(|()| written_bytes)
            });
            let (root, permutations) = pool.install(|| tasks::update(hasher, subtrees, updates));
            let logged = logged.join().expect("the log's thread does not panic");
            logged.map(|written_bytes| TrieApplied {
                root,
                permutations,
                written_bytes,
            })
        })
    }

    /// Leaves, branches, and the bytes of memory that they take.
    pub fn size(&self) -> (u64, u64, u64) {
        self.subtrees
            .iter()
            .map(Subtree::size)
            .fold((0, 0, 0), |a, b| (a.0 + b.0, a.1 + b.1, a.2 + b.2))
    }
}
