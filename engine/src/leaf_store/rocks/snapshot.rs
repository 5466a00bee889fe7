//! Reads from one state of the database.
//!
//! Of the 8.0 µs that a scan of 16 entries takes with an iterator of its own, building and dropping
//! that iterator is 1.9. A snapshot therefore keeps the iterators of finished scans and positions
//! them anew.
//! Kept iterators have no bounds, which costs nothing but in one case: behind the range may lie
//! thousands of deletions (a wiped account) that the iterator would walk through to find the
//! entry that ends the scan. It gives up after [`DELETIONS_WALKED`] of them, and the scan goes on
//! with an iterator of its own that stops at the bound.
//!
//! Iterators hold on to files that compactions have replaced: let go of a snapshot when its block
//! is done.

use super::super::counters::Tally;
use super::super::{Entry, LeafRead, StoreError, Table, Visitor};
use super::failure::typed;
use super::{RocksStore, cold};
use rocksdb::{DB, DBRawIteratorWithThreadMode, Error, ErrorKind, ReadOptions, Snapshot};
use std::sync::{Mutex, MutexGuard, PoisonError};

type Cursor<'a> = DBRawIteratorWithThreadMode<'a, DB>;

/// Deleted entries that a kept iterator skips in one step before it gives up.
const DELETIONS_WALKED: u64 = 64;
/// Iterators kept for each table: as many as threads that scan at once, mostly.
const CURSORS_KEPT: usize = 32;
/// Read ahead in scans of large parts of a table.
const SWEEP_READAHEAD_BYTES: usize = 2 << 20;
/// A range whose ends differ by this much in their first byte, a 16th of the keys, is a sweep.
const SWEEP_FIRST_BYTES: u8 = 16;

/// One state of a [`RocksStore`].
pub struct RocksSnapshot<'a> {
    // Dropped in this order: what reads through the snapshot goes before it.
    kept: [Mutex<Vec<Cursor<'a>>>; Table::ALL.len()],
    point: ReadOptions,
    snapshot: Snapshot<'a>,
    store: &'a RocksStore,
}

/// The part of a table that an iterator of its own covers.
#[derive(Clone, Copy, Default)]
struct Bounds<'k> {
    lower: Option<&'k [u8]>,
    upper: Option<&'k [u8]>,
    sweep: bool,
}

impl<'a> RocksSnapshot<'a> {
    pub(super) fn new(store: &'a RocksStore) -> Self {
        let snapshot = store.db.snapshot();
        let mut point = ReadOptions::default();
        point.set_snapshot(&snapshot);
        Self {
            kept: Default::default(),
            point,
            snapshot,
            store,
        }
    }

    fn kept(&self, table: Table) -> MutexGuard<'_, Vec<Cursor<'a>>> {
        // Only pushes and pops happen under the lock: a panic elsewhere cannot tear the list.
        self.kept[table as usize]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn cursor(&self, table: Table) -> Cursor<'a> {
        let kept = self.kept(table).pop();
        kept.unwrap_or_else(|| {
            let mut options = self.scan_options();
            options.set_max_skippable_internal_keys(DELETIONS_WALKED);
            self.open_cursor(table, options)
        })
    }

    fn bounded_cursor(&self, table: Table, bounds: Bounds<'_>) -> Cursor<'a> {
        let mut options = self.scan_options();
        if let Some(lower) = bounds.lower {
            options.set_iterate_lower_bound(lower);
        }
        if let Some(upper) = bounds.upper {
            options.set_iterate_upper_bound(upper);
        }
        if bounds.sweep {
            options.fill_cache(false);
            options.set_readahead_size(SWEEP_READAHEAD_BYTES);
        }
        self.open_cursor(table, options)
    }

    fn scan_options(&self) -> ReadOptions {
        let mut options = ReadOptions::default();
        options.set_snapshot(&self.snapshot);
        options.set_total_order_seek(true);
        options
    }

    fn open_cursor(&self, table: Table, options: ReadOptions) -> Cursor<'a> {
        let store = self.store;
        store.db.raw_iterator_cf_opt(store.family(table), options)
    }

    fn keep(&self, table: Table, cursor: Cursor<'a>) {
        let mut kept = self.kept(table);
        if kept.len() < CURSORS_KEPT {
            kept.push(cursor);
        }
    }

    /// Scans with a kept iterator; where it gives up, with one of its own from there.
    fn scan_bucket(
        &self,
        table: Table,
        from: &[u8],
        to: Option<&[u8]>,
        visit: &mut Visitor<'_>,
    ) -> Result<Tally, Error> {
        let mut cursor = self.cursor(table);
        let mut tally = Tally::default();
        cursor.seek(from);
        match walk(&mut cursor, to, &mut tally, visit) {
            Ok(()) => {
                self.keep(table, cursor);
                Ok(tally)
            }
            Err(error) if gave_up(&error) => {
                let bounds = Bounds {
                    upper: to,
                    ..Bounds::default()
                };
                let mut cursor = self.bounded_cursor(table, bounds);
                cursor.seek(from);
                // The state is the same, so what was visited comes first again.
                for _ in 0..tally.entries {
                    cursor.next();
                }
                walk(&mut cursor, to, &mut tally, visit).map(|()| tally)
            }
            Err(error) => Err(error),
        }
    }

    fn sweep(
        &self,
        table: Table,
        from: &[u8],
        to: Option<&[u8]>,
        visit: &mut Visitor<'_>,
    ) -> Result<Tally, Error> {
        let bounds = Bounds {
            lower: None,
            upper: to,
            sweep: true,
        };
        let mut cursor = self.bounded_cursor(table, bounds);
        let mut tally = Tally::default();
        cursor.seek(from);
        walk(&mut cursor, to, &mut tally, visit).map(|()| tally)
    }

    fn floor(&self, table: Table, key: &[u8], floor: &[u8]) -> Result<Option<Entry>, Error> {
        let mut cursor = self.cursor(table);
        match floor_of(&mut cursor, key, floor) {
            Ok(found) => {
                self.keep(table, cursor);
                Ok(found)
            }
            Err(error) if gave_up(&error) => {
                let bounds = Bounds {
                    lower: Some(floor),
                    ..Bounds::default()
                };
                floor_of(&mut self.bounded_cursor(table, bounds), key, floor)
            }
            Err(error) => Err(error),
        }
    }

    /// Reads, and counts what that takes from files if anything is counted.
    fn counted<T>(&self, read: impl FnOnce() -> T) -> T {
        match self.store.options.statistics {
            true => cold::counted(read),
            false => read(),
        }
    }

    fn failed(&self, operation: &'static str, error: &Error) -> StoreError {
        typed(operation, &self.store.path, error)
    }
}

/// Visits entries from where the cursor stands.
fn walk(
    cursor: &mut Cursor<'_>,
    to: Option<&[u8]>,
    tally: &mut Tally,
    visit: &mut Visitor<'_>,
) -> Result<(), Error> {
    while let Some((key, value)) = cursor.item() {
        if to.is_some_and(|to| key >= to) {
            return Ok(());
        }
        tally.add(key, value);
        if visit(key, value).is_break() {
            return Ok(());
        }
        cursor.next();
    }
    cursor.status()
}

fn floor_of(cursor: &mut Cursor<'_>, key: &[u8], floor: &[u8]) -> Result<Option<Entry>, Error> {
    cursor.seek_for_prev(key);
    match cursor.item() {
        Some((found, value)) if found >= floor => Ok(Some((found.to_vec(), value.to_vec()))),
        Some(_) => Ok(None),
        None => cursor.status().map(|()| None),
    }
}

fn gave_up(error: &Error) -> bool {
    error.kind() == ErrorKind::Incomplete
}

/// Whether the range is a large part of all keys: worth reading ahead, not worth caching.
fn is_sweep(from: &[u8], to: Option<&[u8]>) -> bool {
    let first = from.first().copied().unwrap_or(0);
    match to.and_then(|to| to.first()) {
        Some(end) => end.saturating_sub(first) >= SWEEP_FIRST_BYTES,
        None => u8::MAX - first >= SWEEP_FIRST_BYTES,
    }
}

impl LeafRead for RocksSnapshot<'_> {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let store = self.store;
        let get = || {
            store
                .db
                .get_pinned_cf_opt(store.family(table), key, &self.point)
        };
        let value = self
            .counted(get)
            .map_err(|error| self.failed("get", &error))?
            .map(|pinned| pinned.to_vec());
        store.logical.got(value.as_ref().map(Vec::len));
        Ok(value)
    }

    fn scan(
        &self,
        table: Table,
        from: &[u8],
        to: Option<&[u8]>,
        visit: &mut Visitor<'_>,
    ) -> Result<(), StoreError> {
        let scanned = if to.is_some_and(|to| to <= from) {
            Ok(Tally::default())
        } else if is_sweep(from, to) {
            self.counted(|| self.sweep(table, from, to, visit))
        } else {
            self.counted(|| self.scan_bucket(table, from, to, visit))
        };
        self.store
            .logical
            .scanned(scanned.map_err(|error| self.failed("scan", &error))?);
        Ok(())
    }

    fn last_at_or_before(
        &self,
        table: Table,
        key: &[u8],
        floor: &[u8],
    ) -> Result<Option<Entry>, StoreError> {
        let found = if key < floor {
            None
        } else {
            self.counted(|| self.floor(table, key, floor))
                .map_err(|error| self.failed("floor", &error))?
        };
        let mut tally = Tally::default();
        if let Some((key, value)) = &found {
            tally.add(key, value);
        }
        self.store.logical.scanned(tally);
        Ok(found)
    }
}
