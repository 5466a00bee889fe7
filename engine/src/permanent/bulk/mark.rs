//! The mark of a store whose state is being built: of what, and how far that is.

use super::{super::tier::PermanentTier, BulkError, BulkProgress};
use crate::leaf_store::{Batch, LeafRead, LeafStore, StoreError, Table};
use alloy_primitives::B256;
use thinstate_formats::BlockNumber;

const KEY: &[u8] = b"bulk";
const VERSION: u8 = 2;
/// Of [`VERSION`].
const LEN: usize = 1 + 8 + 32 + 8 + 8 + 32;
/// Its first version had a block, and nothing to go on from.
const VERSION_OF_BLOCK: u8 = 1;
/// The tables that are filled.
const FILLED: [Table; 3] = [Table::Accounts, Table::Storage, Table::Code];
/// Above every key: none is longer than a stub's in a storage trie, of 65 bytes.
const END: [u8; 66] = [u8::MAX; 66];

/// Says that a state is being built, and is not whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    /// The block that it is to be of.
    pub(crate) block: BlockNumber,
    /// The source that it is built from.
    pub(super) source: B256,
    /// Accounts and slots that are in the store.
    pub(super) done: BulkProgress,
    /// The last of these accounts, where there is one.
    pub(super) last: Option<B256>,
}

impl Mark {
    pub(super) const fn new(block: BlockNumber, source: B256) -> Self {
        Self {
            block,
            source,
            done: BulkProgress {
                accounts: 0,
                slots: 0,
            },
            last: None,
        }
    }

    pub(crate) fn read<R: LeafRead>(store: &R) -> Result<Option<Self>, StoreError> {
        let Some(bytes) = store.get(Table::Meta, KEY)? else {
            return Ok(None);
        };
        let mark = Self::decode(&bytes).ok_or_else(|| StoreError::BadEntry {
            table: Table::Meta,
            key: alloy_primitives::hex::encode(KEY),
            expected: "version 1 and a block, or version 2 and how far a build is",
            got: alloy_primitives::hex::encode_prefixed(&bytes),
        })?;
        Ok(Some(mark))
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let number = |bytes: &[u8]| bytes.try_into().ok().map(u64::from_le_bytes);
        match bytes.split_first()? {
            (&VERSION_OF_BLOCK, block) => Some(Self::new(BlockNumber(number(block)?), B256::ZERO)),
            (&VERSION, rest) if bytes.len() == LEN => {
                let accounts = number(&rest[40..48])?;
                Some(Self {
                    block: BlockNumber(number(&rest[..8])?),
                    source: B256::from_slice(&rest[8..40]),
                    done: BulkProgress {
                        accounts,
                        slots: number(&rest[48..56])?,
                    },
                    last: (accounts > 0).then(|| B256::from_slice(&rest[56..])),
                })
            }
            _ => None,
        }
    }

    pub(super) fn write(&self, batch: &mut Batch) {
        let mut value = Vec::with_capacity(LEN);
        value.push(VERSION);
        value.extend_from_slice(&self.block.0.to_le_bytes());
        value.extend_from_slice(self.source.as_slice());
        value.extend_from_slice(&self.done.accounts.to_le_bytes());
        value.extend_from_slice(&self.done.slots.to_le_bytes());
        value.extend_from_slice(self.last.unwrap_or_default().as_slice());
        batch.put(Table::Meta, KEY, value);
    }

    pub(super) fn remove(batch: &mut Batch) {
        batch.delete(Table::Meta, KEY);
    }

    /// Checks that it is that of the state of this block, from this source.
    pub(super) fn check(&self, block: BlockNumber, source: B256) -> Result<(), BulkError> {
        match (self.block, self.source) == (block, source) {
            true => Ok(()),
            false => Err(BulkError::Other {
                expected: block,
                expected_source: source,
                got: self.block,
                got_source: self.source,
            }),
        }
    }

    /// Makes it durable: how far a build is.
    pub(super) fn save<S: LeafStore>(&self, store: &S) -> Result<(), StoreError> {
        let mut batch = Batch::default();
        self.write(&mut batch);
        store.commit(batch)
    }

    /// Takes out what tables have behind it: of a step that ended before it was said to have.
    pub(super) fn cut_back<S: LeafStore>(&self, store: &S) -> Result<(), StoreError> {
        let batch = bulk_cut_back(store, self.last)?;
        match batch.is_empty() {
            true => Ok(()),
            false => store.commit(batch),
        }
    }
}

/// What takes out accounts and slots behind those of the account with this hashed address, of all where there is none:
/// nothing where nothing is there. For whoever fills a store in steps, and goes on behind the last that was noted. An error is the
/// store's: it could not be read.
pub fn bulk_cut_back<S: LeafStore>(store: &S, last: Option<B256>) -> Result<Batch, StoreError> {
    // Behind the account and all of its slots.
    let from = last.map_or_else(Vec::new, |last| {
        let mut from = last.to_vec();
        from.resize(END.len(), u8::MAX);
        from
    });
    let mut batch = Batch::default();
    for table in [Table::Accounts, Table::Storage] {
        let behind = store.snapshot().last_at_or_before(table, &END, &from)?;
        if behind.is_some() {
            batch.delete_range(table, from.clone(), END);
        }
    }
    Ok(batch)
}

/// Takes what an unfinished build has left, and the mark, in one batch.
pub(super) fn discard<S: LeafStore>(store: &S) -> Result<(), StoreError> {
    let mut batch = Batch::default();
    for table in FILLED {
        batch.delete_range(table, [], END);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_mark_is_misread() {
        let mut mark = Mark::new(BlockNumber(7), B256::repeat_byte(1));
        for _ in 0..2 {
            let mut batch = Batch::default();
            mark.write(&mut batch);
            let store = crate::leaf_store::MemoryStore::new();
            store.commit(batch).expect("commits");
            assert_eq!(Mark::read(&store.snapshot()).expect("reads"), Some(mark));
            mark.done = BulkProgress {
                accounts: 3,
                slots: 9,
            };
            mark.last = Some(B256::repeat_byte(0xff));
        }
        let first_version = [&[VERSION_OF_BLOCK][..], &7_u64.to_le_bytes()].concat();
        let mark = Mark::decode(&first_version);
        assert_eq!(mark, Some(Mark::new(BlockNumber(7), B256::ZERO)));
        for bytes in [&[][..], &[3; LEN], &[VERSION; LEN - 1], &[1, 2, 3]] {
            assert_eq!(Mark::decode(bytes), None, "{bytes:?}");
        }
    }
}
