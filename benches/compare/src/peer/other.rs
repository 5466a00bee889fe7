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

/// Keys that are committed together when the store is filled.
const FILL_BLOCK: usize = if cfg!(test) { 5 } else { 1 << 17 };

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
        let mut updates = self.keyed(&self.block);
        if S::Layout::HASHES_KEYS {
            updates.sort_unstable_by_key(|(key, _)| *key);
        }
        self.changes_of(&updates)
    }

    /// What these updates write, under the store's keys.
    fn keyed(&self, updates: &[Update]) -> Vec<(Key<S>, B256)> {
        let keys: Vec<B256> = updates.iter().map(|update| update.key).collect();
        let keys = S::Layout::keys(&keys, &self.hasher);
        let values = updates.iter().map(|update| update.value);
        keys.into_iter().zip(values).collect()
    }

    /// The changes of a block that writes this, sorted by key.
    fn changes_of(&self, updates: &[(Key<S>, B256)]) -> Vec<Change<Key<S>>> {
        let change = |(key, value): &(Key<S>, B256)| Change {
            key: *key,
            value: (!value.is_zero()).then(|| S::Layout::encode(*value)),
        };
        let mut changes: Vec<_> = updates.iter().map(change).collect();
        if self.head.block.is_none()
            && let Some((key, value)) = S::Layout::beside()
        {
            let at = changes.partition_point(|change| change.key < key);
            let value = Some(value);
            changes.insert(at, Change { key, value });
        }
        changes
    }

    fn commit_changes(&mut self, changes: Vec<Change<Key<S>>>) -> Result<Committed, BoxError> {
        let number = self.head.block.map_or(0, |block| block.0 + 1);
        let head = Head {
            block: Some(BlockNumber(number)),
            ..Head::default()
        };
        let committed = self.store.commit(changes, Some(&head.encode()))?;
        self.head = head;
        Ok(committed)
    }
}

impl<S: KeyValueStore<Layout: Plain>> Peer for Other<S> {
    /// In blocks that ascend by the store's keys, unless it [is better filled](KeyValueStore::FILL_IN_ORDER) otherwise:
    /// what lies together is written once then, and not with every block. All are sorted in memory first, 64 bytes
    /// for each (104 with [`Path`](crate::layout::Path)), and up to twice that while they come.
    fn fill(&mut self, parts: &mut dyn Iterator<Item = Vec<Update>>) -> Result<(), BoxError> {
        if !S::FILL_IN_ORDER {
            return self.load(parts);
        }
        let mut updates = Vec::new();
        for part in parts {
            updates.extend(self.keyed(&part));
        }
        updates.sort_unstable_by_key(|(key, _)| *key);
        for block in updates.chunks(FILL_BLOCK) {
            self.commit_changes(self.changes_of(block))?;
        }
        Ok(())
    }

    /// A block for each part.
    fn load(&mut self, parts: &mut dyn Iterator<Item = Vec<Update>>) -> Result<(), BoxError> {
        for part in parts {
            self.prepare(&part);
            self.commit()?;
        }
        Ok(())
    }

    fn prepare(&mut self, block: &[Update]) {
        self.block = block.to_vec();
        self.ready = match S::Layout::HASHES_KEYS {
            true => None,
            false => Some(self.changes()),
        };
    }

    fn commit(&mut self) -> Result<Committed, BoxError> {
        let changes = self.ready.take().unwrap_or_else(|| self.changes());
        self.commit_changes(changes)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        layout::{Path, PathKey},
        store::Facts,
    };
    use std::sync::Mutex;

    type Block = (Vec<PathKey>, Vec<u8>);

    /// A store that keeps the keys and the head of each commit.
    struct Noting(Mutex<Vec<Block>>);

    impl KeyValueStore for Noting {
        type Layout = Path;

        const FACTS: Facts = Facts {
            name: "noting",
            summary: "",
            root: "",
            durability: "",
            is_ethereum: true,
        };

        fn open(_: &StoreOptions) -> Result<Self, BoxError> {
            Ok(Self(Mutex::default()))
        }

        fn head(&self) -> Result<Option<Vec<u8>>, BoxError> {
            Ok(None)
        }

        fn read(&self, keys: &[PathKey], _: &ThreadPool) -> Result<Vec<Option<Vec<u8>>>, BoxError> {
            Ok(vec![None; keys.len()])
        }

        fn commit(
            &self,
            changes: Vec<Change<PathKey>>,
            head: Option<&[u8]>,
        ) -> Result<Committed, BoxError> {
            let keys = changes.iter().map(|change| change.key).collect();
            let head = head.expect("there is a block").to_vec();
            self.0.lock().expect("no panic").push((keys, head));
            Ok(Committed::default())
        }
    }

    #[test]
    fn no_key_is_filled_out_of_order_twice_or_not_at_all() {
        let options = StoreOptions {
            dir: Default::default(),
            cache_bytes: 0,
            threads: 1,
            entries: 0,
        };
        let mut peer = Other::<Noting>::open(&options).expect("opens");
        let update = |n: u64| Update {
            key: B256::with_last_byte(n as u8),
            value: B256::repeat_byte(1),
        };
        let mut parts = (0..4).map(|part| (part * 3..part * 3 + 3).map(update).collect());
        peer.fill(&mut parts).expect("fills");

        let numbers: Vec<_> = (0..12).map(|n| update(n).key).collect();
        let mut expected = Path::keys(&numbers, &BatchHasher::new());
        expected.extend(Path::beside().map(|(key, _)| key));
        expected.sort_unstable();
        let blocks = peer.store.0.into_inner().expect("no panic");
        let sizes: Vec<_> = blocks.iter().map(|(keys, _)| keys.len()).collect();
        // The account of the contract comes with the first five.
        assert_eq!(sizes, [6, 5, 2]);
        let keys: Vec<_> = blocks.iter().flat_map(|(keys, _)| keys.clone()).collect();
        assert_eq!(keys, expected);
        for (number, (_, head)) in (0..).zip(&blocks) {
            let head = Head::decode(head).expect("a head");
            assert_eq!(head.block, Some(BlockNumber(number)));
        }
    }
}
