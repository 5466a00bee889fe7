//! The mark of a store whose state is being built.

use super::super::tier::PermanentTier;
use crate::leaf_store::{Batch, LeafRead, LeafStore, StoreError, Table};
use thinstate_formats::BlockNumber;

const KEY: &[u8] = b"bulk";
const VERSION: u8 = 1;
/// The tables that are filled.
const FILLED: [Table; 3] = [Table::Accounts, Table::Storage, Table::Code];

/// Says that a state is being built, and is not whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    /// The block that it is to be of.
    pub(crate) block: BlockNumber,
}

impl Mark {
    pub(crate) fn read<R: LeafRead>(store: &R) -> Result<Option<Self>, StoreError> {
        let Some(bytes) = store.get(Table::Meta, KEY)? else {
            return Ok(None);
        };
        let block = match bytes.split_first() {
            Some((&VERSION, block)) => block.try_into().ok().map(u64::from_le_bytes),
            _ => None,
        };
        let block = block.ok_or_else(|| StoreError::BadEntry {
            table: Table::Meta,
            key: alloy_primitives::hex::encode(KEY),
            expected: "version 1 and a block",
            got: alloy_primitives::hex::encode_prefixed(&bytes),
        })?;
        Ok(Some(Self {
            block: BlockNumber(block),
        }))
    }

    pub(super) fn write(self, batch: &mut Batch) {
        let mut value = vec![VERSION];
        value.extend_from_slice(&self.block.0.to_le_bytes());
        batch.put(Table::Meta, KEY, value);
    }

    pub(super) fn remove(batch: &mut Batch) {
        batch.delete(Table::Meta, KEY);
    }
}

/// Takes what an unfinished build has left, and the mark, in one batch.
pub(super) fn discard<S: LeafStore>(store: &S) -> Result<(), StoreError> {
    let mut batch = Batch::default();
    for table in FILLED {
        // Above every key: none is longer than a stub's in a storage trie, of 65 bytes.
        batch.delete_range(table, [], [u8::MAX; 66]);
    }
    Mark::remove(&mut batch);
    store.commit(batch)
}

impl<S: LeafStore> PermanentTier<S> {
    /// Empties a store in which the building of a state was interrupted, so that it can be opened and built
    /// anew. Gives whether there was anything to discard: another store is left as it is.
    pub fn discard_unfinished(store: &S) -> Result<bool, StoreError> {
        if Mark::read(&store.snapshot())?.is_none() {
            return Ok(false);
        }
        discard(store).map(|()| true)
    }
}
