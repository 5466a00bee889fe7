//! Committing a batch: one write to the log, one sync, and the changes in memory.

use super::super::{Batch, StoreError, Table};
use super::shared::{Core, lock};
use super::tree::State;
use std::sync::Arc;

impl Core {
    pub(super) fn commit(&self, batch: &Batch) -> Result<(), StoreError> {
        self.refuse_poisoned()?;
        for op in batch.ops() {
            self.check_key(op.table, &op.key)?;
        }
        self.wait_for_room();
        if !batch.is_empty() {
            self.append(batch)?;
        }
        self.logical.committed(batch);
        if self.pending_bytes() > self.options.pending_bytes as u64 {
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
        let bytes_max = 2 * self.options.pending_bytes as u64;
        if self.pending_bytes() > bytes_max {
            self.signal.request();
            self.signal
                .wait_while(|| self.poison.get().is_none() && self.pending_bytes() > bytes_max);
        }
    }

    fn append(&self, batch: &Batch) -> Result<(), StoreError> {
        let mut writer = lock(&self.writer);
        self.refuse_poisoned()?;
        let encoded = writer.encode(batch)?;
        let log = Arc::clone(&writer.file);
        let appended = writer
            .append(encoded, self.options.sync, &self.work)
            .map_err(|error| self.fail(error))?;
        let mut state = State::clone(&self.state());
        let record = state.active.push(appended.ops, log, appended.far_at);
        state.apply(record);
        self.publish(state);
        Ok(())
    }
}
