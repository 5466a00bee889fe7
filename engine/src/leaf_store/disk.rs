//! One of the stores that lie on a disk, chosen when the program runs.
//!
//! Which of them a folder holds is known from its files ([`StoreKind::of`]), so that it has to be said
//! only where a store is made. The calls cost a branch more than those of the store itself.

use super::{
    Batch, BulkWriter, Entry, IoCounters, KeyRange, LeafRead, LeafStore, PageBulk, PageOptions,
    PageSnapshot, PageStore, ReadAhead, RocksBulk, RocksOptions, RocksSnapshot, RocksStore,
    StoreError, Table, TableStats, Visitor,
};
use core::{fmt, str::FromStr};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Which leaf store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StoreKind {
    /// [`RocksStore`].
    RocksDb,
    /// [`PageStore`].
    #[default]
    Page,
}

impl StoreKind {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::RocksDb, Self::Page];

    /// The name, as flags and files have it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::RocksDb => "rocksdb",
            Self::Page => "page",
        }
    }

    /// The file without which a folder holds no store of this kind.
    pub const fn known_by(self) -> &'static str {
        match self {
            Self::RocksDb => "CURRENT",
            Self::Page => "pages",
        }
    }

    /// The store that lies in the folder `dir`; `None` where there is none. Writes nothing.
    pub fn of(dir: &Path) -> Option<Self> {
        let is_held = |kind: &Self| dir.join(kind.known_by()).exists();
        Self::ALL.into_iter().find(is_held)
    }
}

impl fmt::Display for StoreKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// There is no leaf store of this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected rocksdb or page, got {got}")]
pub struct UnknownStore {
    /// The name.
    pub got: String,
}

impl FromStr for StoreKind {
    type Err = UnknownStore;

    fn from_str(name: &str) -> Result<Self, UnknownStore> {
        let kind = Self::ALL.into_iter().find(|kind| kind.name() == name);
        kind.ok_or_else(|| UnknownStore {
            got: name.to_owned(),
        })
    }
}

/// What both stores can be told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DiskOptions {
    /// The store; if it is not given, the one that the folder holds, or the page store in an empty folder.
    pub kind: Option<StoreKind>,
    /// Memory for what was read and what waits to be written; the store's own default if it is not given.
    pub cache_bytes: Option<usize>,
    /// Bypass the page cache.
    pub direct_io: bool,
}

impl DiskOptions {
    /// The defaults of a store of this kind.
    pub fn of(kind: StoreKind) -> Self {
        Self {
            kind: Some(kind),
            ..Self::default()
        }
    }

    /// Names and values of all options of the store, to be recorded beside what was measured with them.
    pub fn describe(&self) -> Vec<(&'static str, String)> {
        let kind = self.kind.unwrap_or_default();
        let mut options = vec![("store", kind.to_string())];
        options.extend(match kind {
            StoreKind::RocksDb => self.rocks().describe(),
            StoreKind::Page => self.pages().describe(),
        });
        options
    }

    fn rocks(&self) -> RocksOptions {
        let default = RocksOptions::default();
        RocksOptions {
            cache_bytes: self.cache_bytes.unwrap_or(default.cache_bytes),
            direct_io: self.direct_io,
            ..default
        }
    }

    fn pages(&self) -> PageOptions {
        let bytes = self.cache_bytes.unwrap_or(PageOptions::MEMORY_BYTES);
        PageOptions::within(bytes, self.direct_io)
    }
}

/// A [`LeafStore`] on a disk.
pub enum DiskStore {
    /// In files of RocksDB.
    RocksDb(Box<RocksStore>),
    /// In pages.
    Page(Box<PageStore>),
}

impl DiskStore {
    /// Opens the store in the folder `dir`, which is made if it is missing, and recovers what the last
    /// process committed. A folder that holds another kind of store than is asked for is refused.
    pub fn open(dir: impl AsRef<Path>, options: &DiskOptions) -> Result<Self, StoreError> {
        let dir = dir.as_ref();
        let held = StoreKind::of(dir);
        let kind = options.kind.or(held).unwrap_or_default();
        if let Some(held) = held.filter(|held| *held != kind) {
            return Err(StoreError::OtherKind {
                path: dir.to_owned(),
                expected: kind.name(),
                got: held.name(),
            });
        }
        Ok(match kind {
            StoreKind::RocksDb => Self::RocksDb(Box::new(RocksStore::open(dir, options.rocks())?)),
            StoreKind::Page => Self::Page(Box::new(PageStore::open(dir, options.pages())?)),
        })
    }

    /// Which store it is.
    pub const fn kind(&self) -> StoreKind {
        match self {
            Self::RocksDb(_) => StoreKind::RocksDb,
            Self::Page(_) => StoreKind::Page,
        }
    }
}

impl fmt::Debug for DiskStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DiskStore").field(&self.kind()).finish()
    }
}

/// The same call on whichever it is.
macro_rules! on {
    ($it:expr, $inner:ident => $call:expr) => {
        match $it {
            Self::RocksDb($inner) => $call,
            Self::Page($inner) => $call,
        }
    };
}

impl LeafStore for DiskStore {
    type Snapshot<'a> = DiskSnapshot<'a>;
    type Bulk<'a> = DiskBulk<'a>;

    fn snapshot(&self) -> DiskSnapshot<'_> {
        match self {
            Self::RocksDb(store) => DiskSnapshot::RocksDb(Box::new(store.snapshot())),
            Self::Page(store) => DiskSnapshot::Page(store.snapshot()),
        }
    }

    fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        on!(self, store => store.commit(batch))
    }

    fn bulk_writer(&self, table: Table) -> Result<DiskBulk<'_>, StoreError> {
        Ok(match self {
            Self::RocksDb(store) => DiskBulk::RocksDb(store.bulk_writer(table)?),
            Self::Page(store) => DiskBulk::Page(Box::new(store.bulk_writer(table)?)),
        })
    }

    fn counters(&self) -> IoCounters {
        on!(self, store => store.counters())
    }

    fn table_stats(&self, table: Table) -> Result<TableStats, StoreError> {
        on!(self, store => store.table_stats(table))
    }

    fn flush(&self) -> Result<(), StoreError> {
        on!(self, store => store.flush())
    }

    fn compact(&self) -> Result<(), StoreError> {
        on!(self, store => store.compact())
    }
}

/// One state of a [`DiskStore`].
pub enum DiskSnapshot<'a> {
    /// Of RocksDB.
    RocksDb(Box<RocksSnapshot<'a>>),
    /// Of the page store.
    Page(PageSnapshot<'a>),
}

impl LeafRead for DiskSnapshot<'_> {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        on!(self, snapshot => snapshot.get(table, key))
    }

    fn scan(
        &self,
        table: Table,
        from: &[u8],
        to: Option<&[u8]>,
        visit: &mut Visitor<'_>,
    ) -> Result<(), StoreError> {
        on!(self, snapshot => snapshot.scan(table, from, to, visit))
    }

    fn last_at_or_before(
        &self,
        table: Table,
        key: &[u8],
        floor: &[u8],
    ) -> Result<Option<Entry>, StoreError> {
        on!(self, snapshot => snapshot.last_at_or_before(table, key, floor))
    }

    fn read_ahead(&self, ranges: &mut dyn Iterator<Item = KeyRange>) -> ReadAhead {
        on!(self, snapshot => snapshot.read_ahead(ranges))
    }
}

/// What fills a table of a [`DiskStore`].
pub enum DiskBulk<'a> {
    /// Of RocksDB.
    RocksDb(RocksBulk<'a>),
    /// Of the page store.
    Page(Box<PageBulk<'a>>),
}

impl BulkWriter for DiskBulk<'_> {
    fn put(&mut self, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        on!(self, bulk => bulk.put(key, value))
    }

    fn finish(self) -> Result<u64, StoreError> {
        on!(self, bulk => bulk.finish())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed test should stop")]

    use super::*;

    #[test]
    fn a_folder_is_never_opened_as_another_kind_of_store() {
        for kind in StoreKind::ALL {
            let folder = tempfile::tempdir().unwrap();
            assert_eq!(StoreKind::of(folder.path()), None);
            let asked = |kind| DiskOptions {
                kind,
                ..DiskOptions::default()
            };
            let store = DiskStore::open(folder.path(), &asked(Some(kind))).unwrap();
            let mut batch = Batch::default();
            batch.put(Table::Meta, *b"key", *b"value");
            store.commit(batch).unwrap();
            drop(store);
            assert_eq!(StoreKind::of(folder.path()), Some(kind));
            let store = DiskStore::open(folder.path(), &asked(None)).unwrap();
            assert_eq!(store.kind(), kind);
            let value = store.snapshot().get(Table::Meta, b"key").unwrap();
            assert_eq!(value.as_deref(), Some(&b"value"[..]));
            drop(store);
            let other = StoreKind::ALL.into_iter().find(|other| *other != kind);
            let refused = DiskStore::open(folder.path(), &asked(other));
            assert!(matches!(
                refused,
                Err(StoreError::OtherKind { got, .. }) if got == kind.name()
            ));
        }
    }

    #[test]
    fn no_name_of_a_store_is_lost() {
        for kind in StoreKind::ALL {
            assert_eq!(kind.to_string().parse(), Ok(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
        }
        assert!("rocks".parse::<StoreKind>().is_err());
    }
}
