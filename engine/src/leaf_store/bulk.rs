//! Filling a table from sorted entries, behind all that it has.

use super::{LeafRead, StoreError, Table};

/// Entries on their way into a table; see [`LeafStore::bulk_writer`](super::LeafStore::bulk_writer).
///
/// The table stays as it was until [`Self::finish`]. Dropping it leaves no trace.
pub trait BulkWriter: Send {
    /// Adds an entry, whose key is above the one before, and above all that the table has.
    fn put(&mut self, key: &[u8], value: &[u8]) -> Result<(), StoreError>;

    /// Puts all entries into the table, durably, or none of them; gives their number.
    fn finish(self) -> Result<u64, StoreError>;
}

/// The last key that was put.
#[derive(Debug, Default)]
pub(super) struct LastKey(Option<Vec<u8>>);

impl LastKey {
    /// That of the table.
    pub(super) fn of(read: &impl LeafRead, table: Table) -> Result<Self, StoreError> {
        // Above every key: none is longer than a stub's in a storage trie, of 65 bytes.
        let last = read.last_at_or_before(table, &[u8::MAX; 66], &[])?;
        Ok(Self(last.map(|(key, _)| key)))
    }

    /// The key; `None` before the first.
    pub(super) fn get(&self) -> Option<&[u8]> {
        self.0.as_deref()
    }

    /// Refuses a key that is not above the one before.
    pub(super) fn advance(&mut self, table: Table, key: &[u8]) -> Result<(), StoreError> {
        match &mut self.0 {
            None => self.0 = Some(key.to_vec()),
            Some(last) if last.as_slice() >= key => {
                return Err(StoreError::BadEntry {
                    table,
                    key: hex(key),
                    expected: "a key above the one before",
                    got: format!("0x{} before it", hex(last)),
                });
            }
            Some(last) => {
                last.clear();
                last.extend_from_slice(key);
            }
        }
        Ok(())
    }
}

fn hex(bytes: &[u8]) -> String {
    alloy_primitives::hex::encode(bytes)
}
