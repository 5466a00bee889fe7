//! The stores, one file for each, and a table of those that replays run on.

mod commonware;
#[cfg(feature = "firewood")]
mod firewood;
mod nomt;
mod redb;
mod rocks;

#[cfg(feature = "firewood")]
pub use self::firewood::FirewoodStore;
pub use self::{
    commonware::{AnyFixed, AnyVariable, Commonware, CurrentFixed, Database},
    nomt::NomtStore,
    redb::RedbStore,
    rocks::RocksPlain,
};

use crate::{Facts, KeyValueDesign, KeyValueStore};
use thinstate_replay::{
    design::{DesignError, DesignStore, StateDesign},
    replay::Candidate,
};

/// A store that can be asked for by name.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// What is known of it.
    pub facts: Facts,
    open: Open,
}

/// Opens a store that will hold about so many entries.
type Open = fn(&DesignStore, u64) -> Result<Box<dyn StateDesign>, DesignError>;

/// All stores of this build that hold accounts and slots.
pub const ALL: &[Entry] = &[
    entry::<RocksPlain>(),
    entry::<RedbStore>(),
    entry::<NomtStore>(),
    #[cfg(feature = "firewood")]
    entry::<FirewoodStore>(),
    entry::<Commonware<AnyVariable>>(),
];

const fn entry<S: KeyValueStore>() -> Entry {
    Entry {
        facts: S::FACTS,
        open: |store, entries| Ok(Box::new(KeyValueDesign::<S>::open(store, entries)?)),
    }
}

/// The store of this name.
pub fn named(name: &str) -> Option<Entry> {
    ALL.iter().find(|entry| entry.facts.name == name).copied()
}

impl Entry {
    /// Opens it.
    pub fn open(
        &self,
        store: &DesignStore,
        entries: u64,
    ) -> Result<Box<dyn StateDesign>, DesignError> {
        (self.open)(store, entries)
    }

    /// It, as something that is run.
    pub fn candidate(self, entries: u64) -> Candidate<'static> {
        let key = serde_json::json!({ "store": self.facts.name, "entries": entries });
        let open = move |store: &DesignStore| self.open(store, entries);
        Candidate::own(self.facts.name, key, open)
    }
}
