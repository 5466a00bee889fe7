//! Filling an empty table from sorted entries.

use super::{LeafRead, StoreError, Table};
use core::ops::ControlFlow;

/// Entries on their way into an empty table; see [`LeafStore::bulk_writer`](super::LeafStore::bulk_writer).
///
/// The table stays empty until [`Self::finish`]. Dropping it leaves no trace.
pub trait BulkWriter: Send {
    /// Adds an entry, whose key is above the one before.
    fn put(&mut self, key: &[u8], value: &[u8]) -> Result<(), StoreError>;

    /// Puts all entries into the table, durably, or none of them; gives their number.
    fn finish(self) -> Result<u64, StoreError>;
}

/// The last key that was put.
#[derive(Debug, Default)]
pub(super) struct LastKey(Option<Vec<u8>>);

impl LastKey {
    /// Refuses a key that is not above the one before.
    pub(super) fn advance(&mut self, table: Table, key: &[u8]) -> Result<(), StoreError> {
        let last = self.0.get_or_insert_default();
        if !last.is_empty() && last.as_slice() >= key {
            return Err(StoreError::BadEntry {
                table,
                key: hex(key),
                expected: "a key above the one before",
                got: format!("0x{} before it", hex(last)),
            });
        }
        last.clear();
        last.extend_from_slice(key);
        Ok(())
    }
}

/// Refuses a table that has entries.
pub(super) fn require_empty(read: &impl LeafRead, table: Table) -> Result<(), StoreError> {
    let mut first = None;
    read.scan(table, &[], None, &mut |key, _| {
        first = Some(hex(key));
        ControlFlow::Break(())
    })?;
    match first {
        None => Ok(()),
        Some(key) => Err(StoreError::BadEntry {
            table,
            key,
            expected: "an empty table to load into",
            got: "this entry".to_owned(),
        }),
    }
}

fn hex(bytes: &[u8]) -> String {
    alloy_primitives::hex::encode(bytes)
}
