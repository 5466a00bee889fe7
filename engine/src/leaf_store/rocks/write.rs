//! A batch on its way into RocksDB, and what to do where it has to wait.
//!
//! RocksDB stops a write while memtables or level 0 are full, until a flush or a compaction has made
//! room. Where that work fails for want of space it tries again every five seconds, and the write
//! waits in the meantime, without end and without a word (`DBImpl::DelayWrite`, as of 11.8). So
//! writes are asked not to wait; where one would have to, the background's error is looked at in
//! between, and ends it.

use super::RocksStore;
use crate::leaf_store::{Action, Batch, Op, Table};
use core::time::Duration;
use rocksdb::{Error, ErrorKind, WaitForCompactOptions, WriteBatch, properties};
use std::thread;

/// How long a stopped write waits until it looks again: little against the flush that it waits for.
const LOOK_AFTER: Duration = Duration::from_millis(1);

impl RocksStore {
    /// Writes `batch` whole or not at all, and waits as long as RocksDB is busy making room.
    pub(super) fn write(&self, batch: &Batch) -> Result<(), Error> {
        loop {
            let written = self.db.write_opt(self.rocks_batch(batch), &self.unwaiting);
            match written {
                Err(error) if error.kind() == ErrorKind::Incomplete => {}
                _ => return written,
            }
            self.background()?;
            if !self.is_stopped()? {
                // Only slowed down, for a time that RocksDB knows when it begins.
                return self.db.write_opt(self.rocks_batch(batch), &self.waiting);
            }
            // Every try takes a batch of its own, and the work waited for needs the CPU.
            while self.is_stopped()? {
                thread::sleep(LOOK_AFTER);
                self.background()?;
            }
        }
    }

    /// What flushes and compactions have failed with, if they have.
    fn background(&self) -> Result<(), Error> {
        let mut options = WaitForCompactOptions::default();
        // Microseconds; without them it would return only once there is no such work left.
        options.set_timeout(1);
        match self.db.wait_for_compact(&options) {
            Err(error) if error.kind() == ErrorKind::TimedOut => Ok(()),
            failed_or_idle => failed_or_idle,
        }
    }

    fn is_stopped(&self) -> Result<bool, Error> {
        let stopped = self.db.property_int_value(properties::IS_WRITE_STOPPED)?;
        Ok(stopped.is_some_and(|stopped| stopped != 0))
    }

    fn rocks_batch(&self, batch: &Batch) -> WriteBatch {
        let families = Table::ALL.map(|table| self.family(table));
        // A record has about 12 bytes beside key and value.
        let bytes = batch.logical_bytes() as usize + 12 * batch.len();
        let mut writes = WriteBatch::with_capacity_bytes(bytes);
        let mut ops: Vec<_> = batch.ops().iter().collect();
        // Memtables take sorted keys faster: 20 ms of CPU for 10,000 random ones, sorting
        // included, against 30. Ops on one key keep their order; ranges, of which there are few,
        // would not keep theirs against the keys inside them.
        let is_range = |op: &&Op| matches!(op.action, Action::DeleteTo(_));
        if !ops.iter().any(is_range) {
            ops.sort_by(|a, b| (a.table, &a.key).cmp(&(b.table, &b.key)));
        }
        for op in ops {
            let family = families[op.table as usize];
            match &op.action {
                Action::Put(value) => writes.put_cf(family, &op.key, value),
                Action::Delete => writes.delete_cf(family, &op.key),
                Action::DeleteTo(to) => writes.delete_range_cf(family, &op.key, to),
            }
        }
        writes
    }
}
