//! What an adapter has to do.

use crate::layout::Layout;
use core::time::Duration;
use rayon::{ThreadPool, prelude::*};
use std::path::PathBuf;

/// Whatever a store fails with.
pub type BoxError = Box<dyn core::error::Error + Send + Sync>;

/// Keys that one thread reads at a time.
const CHUNK: usize = 16;

/// A key-value store, with a root over what it holds or without one.
///
/// `read` may be called while `commit` is at work; commits exclude one another. What overlaps is left to
/// the store.
pub trait KeyValueStore: Send + Sync + Sized + 'static {
    /// How accounts and slots become its keys and values.
    type Layout: Layout;

    /// What results and tables say of it.
    const FACTS: Facts;

    /// Whether it is best filled in the order of its keys.
    const FILL_IN_ORDER: bool = true;

    /// Opens the store, which may be new and empty.
    fn open(options: &StoreOptions) -> Result<Self, BoxError>;

    /// The head of the last commit that had one.
    fn head(&self) -> Result<Option<Vec<u8>>, BoxError>;

    /// The values of these keys, in their order. `pool` is for stores whose reads block a thread.
    fn read(&self, keys: &[Key<Self>], pool: &ThreadPool)
    -> Result<Vec<Option<Vec<u8>>>, BoxError>;

    /// Commits changes, ascending by key and no key twice, together with the head where there is one, and
    /// returns when the store says that they are durable.
    fn commit(
        &self,
        changes: Vec<Change<Key<Self>>>,
        head: Option<&[u8]>,
    ) -> Result<Committed, BoxError>;

    /// Merges what updates have scattered.
    fn settle(&self) -> Result<(), BoxError> {
        Ok(())
    }

    /// Writes what is held in memory.
    fn flush(&self) -> Result<(), BoxError> {
        Ok(())
    }
}

/// The key of a store.
pub type Key<S> = <<S as KeyValueStore>::Layout as Layout>::Key;

/// What results and tables say of a store.
#[derive(Clone, Copy, Debug)]
pub struct Facts {
    /// Its name.
    pub name: &'static str,
    /// What it is, in a sentence.
    pub summary: &'static str,
    /// What the root is over, and of what hashes.
    pub root: &'static str,
    /// What is durable when a commit returns.
    pub durability: &'static str,
    /// Whether the root is Ethereum's state root.
    pub is_ethereum: bool,
}

/// Where a store lies, and what it may take.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// The folder, which is there.
    pub dir: PathBuf,
    /// Memory for its caches.
    pub cache_bytes: usize,
    /// Threads that hash, where the store lets one say so.
    pub threads: usize,
    /// About how many entries it will hold, for stores that must be told when they are made.
    pub entries: u64,
}

/// A key that changes.
#[derive(Clone, Debug)]
pub struct Change<K> {
    /// The key.
    pub key: K,
    /// Its value from now on; `None` where it goes.
    pub value: Option<Vec<u8>>,
}

/// What a commit did.
#[derive(Clone, Copy, Debug, Default)]
pub struct Committed {
    /// The root, where there is one.
    pub root: Option<alloy_primitives::B256>,
    /// Time until the root was known.
    pub hashed_in: Duration,
}

/// Reads each key on the threads of a pool, some at a time.
pub fn each_on<K: Sync, V: Send, E: Into<BoxError>>(
    pool: &ThreadPool,
    keys: &[K],
    read: impl Fn(&K) -> Result<Option<V>, E> + Sync,
) -> Result<Vec<Option<V>>, BoxError> {
    pool.install(|| {
        let keys = keys.par_iter().with_min_len(CHUNK);
        keys.map(|key| read(key).map_err(Into::into)).collect()
    })
}
