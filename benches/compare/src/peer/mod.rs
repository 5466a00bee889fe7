//! Stores of 32-byte keys and values, thinstate's own among them, under one trait.
//!
//! ```text
//! workload  ─►  prepare   the block's changes as the store's calls take them      not timed
//!               commit    root, where there is one; durable when it returns       timed
//! ```
//!
//! What a store does with a key before it is stored (hashing it, in Ethereum's tries) is part of `commit`. Each block
//! carries a head of 24 bytes or more beside its changes: what a node must know of its last block.
//!
//! | who | file |
//! |---|---|
//! | every [`KeyValueStore`](crate::KeyValueStore) | `other.rs` |
//! | thinstate's permanent tier, on each of its leaf stores | `permanent.rs`, `leaves.rs` |

mod leaves;
mod other;
mod permanent;

pub use leaves::Leaves;
pub use other::Other;
pub use permanent::Permanent;

#[cfg(feature = "firewood")]
use crate::stores::FirewoodStore;
use crate::{
    layout::plain::Plain,
    store::{BoxError, Committed, Facts, KeyValueStore, StoreOptions},
    stores::{AnyFixed, Commonware, CurrentFixed, NomtStore, RedbStore, RocksPlain},
};
use alloy_primitives::B256;
use rayon::ThreadPool;
use thinstate_engine::leaf_store::{PageOptions, PageStore, RocksStore};

/// A key and its value from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Update {
    /// The key, a hash.
    pub key: B256,
    /// The value; zero where the key goes.
    pub value: B256,
}

/// A store under blocks of updates.
pub trait Peer: Send + Sync {
    /// Brings the first keys into the empty store, each once, in whatever way the store has for many.
    /// All keys may be held in memory meanwhile.
    fn fill(&mut self, parts: &mut dyn Iterator<Item = Vec<Update>>) -> Result<(), BoxError>;

    /// The same for a store whose memory is limited already: in less of it, where there is another way.
    fn load(&mut self, parts: &mut dyn Iterator<Item = Vec<Update>>) -> Result<(), BoxError> {
        self.fill(parts)
    }

    /// Takes the next block: ascending by key, no key twice.
    fn prepare(&mut self, block: &[Update]);

    /// Commits the block that was prepared, and returns when the store says that it is durable.
    fn commit(&mut self) -> Result<Committed, BoxError>;

    /// The values of these keys, in their order; on the threads of the pool, where the store lets one say so.
    fn read(&self, keys: &[B256], pool: &ThreadPool) -> Result<Vec<Option<B256>>, BoxError>;

    /// Merges what filling has scattered.
    fn settle(&mut self) -> Result<(), BoxError>;

    /// Writes what is held in memory and would be written later.
    fn flush(&mut self) -> Result<(), BoxError>;
}

/// A store that can be asked for by name.
#[derive(Clone, Copy, Debug)]
pub struct PeerEntry {
    /// What is known of it.
    pub facts: Facts,
    open: fn(&StoreOptions) -> Result<Box<dyn Peer>, BoxError>,
}

/// All of this build.
pub const ALL: &[PeerEntry] = &[
    own::<PageStore>(),
    PAGES_DIRECT,
    own::<RocksStore>(),
    #[cfg(feature = "firewood")]
    other::<FirewoodStore>(),
    other::<NomtStore>(),
    other::<Commonware<AnyFixed>>(),
    other::<Commonware<CurrentFixed>>(),
    other::<RedbStore>(),
    other::<RocksPlain>(),
];

/// The page store past the operating system's cache.
const PAGES_DIRECT: PeerEntry = PeerEntry {
    facts: Facts {
        name: "thinstate-page-direct",
        summary: "as thinstate-page, with O_DIRECT: half of the memory for pages, none in the system's cache",
        ..PageStore::FACTS
    },
    open: |options| {
        let pages = PageOptions::within(options.cache_bytes, true);
        let leaves = PageStore::open(&options.dir, pages)?;
        Ok(Box::new(Permanent::over(leaves, options)?))
    },
};

const fn own<L: Leaves>() -> PeerEntry {
    PeerEntry {
        facts: L::FACTS,
        open: |options| Ok(Box::new(Permanent::<L>::open(options)?)),
    }
}

const fn other<S: KeyValueStore<Layout: Plain>>() -> PeerEntry {
    PeerEntry {
        facts: S::FACTS,
        open: |options| Ok(Box::new(Other::<S>::open(options)?)),
    }
}

/// The store of this name.
pub fn named(name: &str) -> Option<PeerEntry> {
    ALL.iter().find(|entry| entry.facts.name == name).copied()
}

impl PeerEntry {
    /// Opens it, new or not, in a folder that is there.
    pub fn open(&self, options: &StoreOptions) -> Result<Box<dyn Peer>, BoxError> {
        (self.open)(options)
    }
}
