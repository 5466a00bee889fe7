//! Any store that has an adapter.

use super::{Peer, Update};
use crate::{
    head::Head,
    layout::plain::Plain,
    store::{BoxError, Change, Committed, Key, KeyValueStore, StoreOptions},
};
use alloy_primitives::B256;
use rayon::ThreadPool;
use thinstate_formats::{BatchHasher, BlockNumber};

/// The store with its last block's number.
pub struct Other<S: KeyValueStore> {
    store: S,
    hasher: BatchHasher,
    head: Head,
    block: Vec<Update>,
    /// The block's changes, where making them is no work of the store's.
    ready: Option<Vec<Change<Key<S>>>>,
}

impl<S: KeyValueStore<Layout: Plain>> Other<S> {
    /// Opens it.
    pub fn open(options: &StoreOptions) -> Result<Self, BoxError> {
        let store = S::open(options)?;
        let head = match store.head()? {
            None => Head::default(),
            Some(bytes) => Head::decode(&bytes)
                .ok_or_else(|| format!("expected a head of 24 bytes, got {}", bytes.len()))?,
        };
        Ok(Self {
            store,
            hasher: BatchHasher::new(),
            head,
            block: Vec::new(),
            ready: None,
        })
    }

    /// The block's changes, by key.
    fn changes(&self) -> Vec<Change<Key<S>>> {
        let keys: Vec<B256> = self.block.iter().map(|update| update.key).collect();
        let keys = S::Layout::keys(&keys, &self.hasher);
        let change = |(key, update): (Key<S>, &Update)| Change {
            key,
            value: (!update.value.is_zero()).then(|| S::Layout::encode(update.value)),
        };
        let mut changes: Vec<_> = keys.into_iter().zip(&self.block).map(change).collect();
        if self.head.block.is_none() {
            changes.extend(S::Layout::beside().map(|(key, value)| Change {
                key,
                value: Some(value),
            }));
        }
        if S::Layout::HASHES_KEYS {
            changes.sort_unstable_by_key(|change| change.key);
        }
        changes
    }
}

impl<S: KeyValueStore<Layout: Plain>> Peer for Other<S> {
    fn prepare(&mut self, block: &[Update]) {
        self.block = block.to_vec();
        self.ready = match S::Layout::HASHES_KEYS {
            true => None,
            false => Some(self.changes()),
        };
    }

    fn commit(&mut self) -> Result<Committed, BoxError> {
        let changes = self.ready.take().unwrap_or_else(|| self.changes());
        let number = self.head.block.map_or(0, |block| block.0 + 1);
        let head = Head {
            block: Some(BlockNumber(number)),
            ..Head::default()
        };
        let committed = self.store.commit(changes, Some(&head.encode()))?;
        self.head = head;
        Ok(committed)
    }

    fn read(&self, keys: &[B256], pool: &ThreadPool) -> Result<Vec<Option<B256>>, BoxError> {
        let values = self
            .store
            .read(&S::Layout::keys(keys, &self.hasher), pool)?;
        let decode = |bytes: Vec<u8>| {
            let value = S::Layout::decode(&bytes);
            value.ok_or_else(|| format!("expected a value, got {} bytes", bytes.len()))
        };
        let values = values.into_iter().map(|it| it.map(decode).transpose());
        Ok(values.collect::<Result<_, _>>()?)
    }

    fn settle(&mut self) -> Result<(), BoxError> {
        self.store.settle()
    }

    fn flush(&mut self) -> Result<(), BoxError> {
        self.store.flush()
    }
}
