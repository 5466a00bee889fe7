//! Firewood with Ethereum's hashing: its trie is Ethereum's state trie, and so is its root.

use crate::{
    layout::{EMPTY_ROOT, Path, PathKey},
    store::{BoxError, Change, Committed, Facts, KeyValueStore, StoreOptions, each_on},
};
use alloy_primitives::B256;
use core::num::NonZero;
use firewood::{
    api::{BatchOp, Db as _, DbView as _, Proposal as _},
    db::{Db, DbConfig},
    manager::RevisionManagerConfig,
};
use firewood_storage::NodeHashAlgorithm;
use rayon::ThreadPool;
use std::{
    fs, io,
    path::PathBuf,
    sync::{Mutex, PoisonError},
    time::Instant,
};

/// Least bytes of the node cache.
const CACHE_MIN: NonZero<usize> = NonZero::new(1 << 20).expect("it is not zero");

/// The store.
///
/// Its head cannot be an entry, which would change the root. It lies in a file of its own, with the root
/// that it belongs to, written when the store is flushed or closed; after a crash there is none.
pub struct FirewoodStore {
    /// `None` once it is closed.
    db: Option<Db>,
    head_file: PathBuf,
    head: Mutex<Option<Vec<u8>>>,
}

impl FirewoodStore {
    fn db(&self) -> &Db {
        self.db.as_ref().expect("it is closed when it is dropped")
    }

    fn root(&self) -> B256 {
        let root = self.db().root_hash();
        root.map_or(EMPTY_ROOT, |root| B256::from_slice(root.as_ref()))
    }

    /// Writes head and root, whole or not at all.
    fn write_head(&self) -> io::Result<()> {
        let head = self.head.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(head) = &*head else {
            return Ok(());
        };
        let aside = self.head_file.with_extension("new");
        fs::write(&aside, [self.root().as_slice(), head].concat())?;
        fs::File::open(&aside)?.sync_all()?;
        fs::rename(&aside, &self.head_file)
    }
}

impl KeyValueStore for FirewoodStore {
    type Layout = Path;

    const FACTS: Facts = Facts {
        name: "firewood",
        summary: "Firewood 0.3 with Ethereum's hashing: the state trie itself on disk",
        root: "Ethereum's state root, Keccak-256",
        durability: "none: written by a thread that may lag one block, never synced",
        is_ethereum: true,
    };

    fn open(options: &StoreOptions) -> Result<Self, BoxError> {
        let cache = NonZero::new(options.cache_bytes).unwrap_or(CACHE_MIN);
        let manager = RevisionManagerConfig::builder()
            .node_cache_memory_limit(cache.max(CACHE_MIN))
            .build();
        let config = DbConfig::builder()
            .node_hash_algorithm(NodeHashAlgorithm::Ethereum)
            .manager(manager)
            .build();
        let store = Self {
            db: Some(Db::new(options.dir.join("state"), config)?),
            head_file: options.dir.join("head"),
            head: Mutex::new(None),
        };
        let head = match fs::read(&store.head_file) {
            Ok(bytes) => bytes.strip_prefix(store.root().as_slice()).map(Vec::from),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error.into()),
        };
        if head.is_none() && store.root() != EMPTY_ROOT {
            let root = store.root();
            return Err(format!("no head is known for the root {root}: was it closed?").into());
        }
        *store.head.lock().unwrap_or_else(PoisonError::into_inner) = head;
        Ok(store)
    }

    fn head(&self) -> Result<Option<Vec<u8>>, BoxError> {
        let head = self.head.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(head.clone())
    }

    fn read(&self, keys: &[PathKey], pool: &ThreadPool) -> Result<Vec<Option<Vec<u8>>>, BoxError> {
        let root = self.root();
        if root == EMPTY_ROOT {
            return Ok(vec![None; keys.len()]);
        }
        let revision = self.db().revision(root.0.into())?;
        each_on(pool, keys, |key| {
            let value = revision.val(key)?;
            Ok::<_, firewood::api::Error>(value.map(Vec::from))
        })
    }

    fn commit(
        &self,
        changes: Vec<Change<PathKey>>,
        head: Option<&[u8]>,
    ) -> Result<Committed, BoxError> {
        let started = Instant::now();
        let batch: Vec<_> = changes
            .into_iter()
            .map(|Change { key, value }| match value {
                Some(value) => BatchOp::Put { key, value },
                None => BatchOp::Delete { key },
            })
            .collect();
        let proposal = self.db().propose(batch)?;
        let root = proposal.root_hash();
        let root = root.map_or(EMPTY_ROOT, |root| B256::from_slice(root.as_ref()));
        let hashed_in = started.elapsed();
        proposal.commit()?;
        if let Some(head) = head {
            let mut known = self.head.lock().unwrap_or_else(PoisonError::into_inner);
            *known = Some(head.to_vec());
        }
        Ok(Committed {
            root: Some(root),
            hashed_in,
        })
    }

    fn flush(&self) -> Result<(), BoxError> {
        Ok(self.write_head()?)
    }
}

impl Drop for FirewoodStore {
    fn drop(&mut self) {
        let written = self.write_head();
        let closed = self.db.take().map(Db::close);
        // There is nobody to return it to, and a store that is not closed says so when it is opened.
        if let Err(error) = written {
            eprintln!(
                "firewood: cannot write {}: {error}",
                self.head_file.display()
            );
        }
        if let Some(Err(error)) = closed {
            eprintln!("firewood: cannot close the store: {error}");
        }
    }
}
