//! Filling a table from sorted entries, past log and changes in memory.
//!
//! Entries become pages that are nine tenths full, in free places. A checkpoint then names them
//! all at once; before that nothing refers to them.

use super::super::bulk::{BulkWriter, LastKey};
use super::super::counters::Tally;
use super::super::{LeafStore as _, StoreError, Table};
use super::PageStore;
use super::bytes::shared_len;
use super::checkpoint::Job;
use super::fill::Filler;
use super::shared::{Core, lock};
use core::fmt;

/// Pages of one table, on their way into a [`PageStore`].
pub struct PageBulk<'a> {
    core: &'a Core,
    filler: Filler<'a>,
    table: Table,
    tally: Tally,
    last: LastKey,
}

impl<'a> PageBulk<'a> {
    pub(super) fn new(store: &'a PageStore, table: Table) -> Result<Self, StoreError> {
        let core = &*store.core;
        core.refuse_poisoned()?;
        let last = LastKey::of(&store.snapshot(), table)?;
        let generation = lock(&core.durable).superblock.generation + 1;
        Ok(Self {
            core,
            filler: Filler::new(core, table, generation),
            table,
            tally: Tally::default(),
            last,
        })
    }
}

impl BulkWriter for PageBulk<'_> {
    fn put(&mut self, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        self.core.check_key(self.table, key)?;
        if self.tally.entries == 0
            && let Some(last) = self.last.get()
        {
            // The first page begins behind all that the table has.
            let shared = shared_len(last, key);
            self.filler.begin(key.get(..=shared).unwrap_or(key));
        }
        self.last.advance(self.table, key)?;
        let stored = self.filler.store(value)?;
        let target_bytes = self.core.page_bytes * 9 / 10;
        self.filler.push(key, stored, target_bytes)?;
        self.tally.add(key, value);
        Ok(())
    }

    fn finish(mut self) -> Result<u64, StoreError> {
        if self.tally.entries == 0 {
            return Ok(0);
        }
        self.filler.close()?;
        self.filler.writer.finish()?;
        let chunks = core::mem::take(&mut self.filler.growing).finish(&[]);
        self.core.checkpoint(Job {
            load: Some((self.table, chunks)),
            ..Job::default()
        })?;
        self.core.logical.loaded(self.tally);
        Ok(self.tally.entries)
    }
}

impl Drop for PageBulk<'_> {
    fn drop(&mut self) {
        // Nothing is left to give back once all pages are part of the table.
        self.filler.writer.abandon();
    }
}

impl fmt::Debug for PageBulk<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PageBulk")
            .field("table", &self.table)
            .field("tally", &self.tally)
            .finish_non_exhaustive()
    }
}
