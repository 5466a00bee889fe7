//! Committing a batch: one write to the log, one sync, and the changes in memory meanwhile.

use super::super::{Batch, StoreError, Table};
use super::arena::Arena;
use super::shared::{Core, Unwinding, lock};
use super::tree::State;
use core::sync::atomic::Ordering::Relaxed;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::thread;

/// A checkpoint begins when the log is longer than so many times the memory of the changes that may
/// wait: it has the large values too, and an opening reads all of it.
const LOG_SHARE: u64 = 4;

/// The changes of so many operations are applied to memory while the device takes their record.
const OPS_LARGE: usize = 1_000;

impl Core {
    pub(super) fn commit(&self, batch: &Batch) -> Result<(), StoreError> {
        self.refuse_poisoned()?;
        for op in batch.ops() {
            self.check_key(op.table, &op.key)?;
        }
        self.wait_for_room();
        let log_bytes = if batch.is_empty() {
            0
        } else {
            self.append(batch)?
        };
        self.logical.committed(batch);
        let pending_max = self.pending_max.load(Relaxed);
        if self.pending_bytes() > pending_max || log_bytes > LOG_SHARE * pending_max {
            self.signal.request();
        }
        Ok(())
    }

    /// Refuses a key that a page cannot hold.
    pub(super) fn check_key(&self, table: Table, key: &[u8]) -> Result<(), StoreError> {
        if key.len() <= self.key_bytes_max() {
            return Ok(());
        }
        Err(StoreError::BadEntry {
            table,
            key: alloy_primitives::hex::encode(key),
            expected: "a key of less than a quarter of a page",
            got: format!("{} bytes", key.len()),
        })
    }

    /// Bytes of changes that no checkpoint has begun to merge.
    pub(super) fn pending_bytes(&self) -> u64 {
        self.state().active.bytes()
    }

    /// Waits while checkpoints are too far behind.
    fn wait_for_room(&self) {
        let is_full = || {
            let bytes: u64 = self.state().arenas().map(Arena::bytes).sum();
            bytes > 2 * self.pending_max.load(Relaxed)
        };
        if is_full() {
            self.signal.request();
            self.signal
                .wait_while(|| self.poison.get().is_none() && is_full());
        }
    }

    /// Bytes of the log since the last checkpoint began.
    fn append(&self, batch: &Batch) -> Result<u64, StoreError> {
        let mut writer = lock(&self.writer);
        let writer = &mut *writer;
        self.refuse_poisoned()?;
        let encoded = writer.encode(batch)?;
        let _unwinding = Unwinding(self, "commit");
        let log = Arc::clone(&writer.file);
        let appended = writer
            .append(encoded, &self.work)
            .map_err(|error| self.fail(error))?;
        let mut state = State::clone(&self.state());
        let record = state.active.push(appended.ops, log, appended.far_at);
        let sync = self.options.sync;
        let mut sync = || {
            if sync {
                writer.sync(&self.work)
            } else {
                Ok(())
            }
        };
        let synced = if batch.len() < OPS_LARGE {
            state.apply(record);
            sync()
        } else {
            beside(&mut sync, || state.apply(record))
        };
        // What failed here is in no state, and none comes after it.
        synced.map_err(|error| self.fail(error))?;
        self.publish(state);
        Ok(writer.bytes())
    }
}

/// Does `here` while another thread does `there`, where there is one to be had.
fn beside<T: Send>(there: &mut (impl FnMut() -> T + Send), here: impl FnOnce()) -> T {
    thread::scope(|scope| {
        let spawned = thread::Builder::new()
            .name("page-store-sync".to_owned())
            .spawn_scoped(scope, &mut *there);
        here();
        let joined = spawned.ok().map(|it| it.join());
        joined.map(|done| done.unwrap_or_else(|panic| resume_unwind(panic)))
    })
    .unwrap_or_else(there)
}
