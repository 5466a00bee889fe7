//! NOMT: a binary trie of BLAKE3 in pages of a hash table, beside a B-tree of values.

use crate::{
    layout::Hashed,
    store::{BoxError, Change, Committed, Facts, KeyValueStore, StoreOptions, each_on},
};
use nomt::{KeyReadWrite, Nomt, Options, SessionParams, hasher::Blake3Hasher};
use rayon::ThreadPool;
use std::time::Instant;

/// Key of the head, which is an entry like others. A hash that is all ones is not to be met.
const HEAD: [u8; 32] = [0xff; 32];
/// Entries for one page of the trie: a page is kept apart once there are 20 or more entries below it. Half of
/// that leaves the hash table half empty.
const ENTRIES_PER_BUCKET: u64 = 10;
/// Pages of the hash table, at least: NOMT's own default.
const BUCKETS_MIN: u32 = 64_000;

/// The store.
pub struct NomtStore(Nomt<Blake3Hasher>);

impl KeyValueStore for NomtStore {
    type Layout = Hashed;

    const FACTS: Facts = Facts {
        name: "nomt",
        summary: "NOMT 1.0: a binary Merkle trie of BLAKE3 in 4 KiB pages",
        root: "binary trie, BLAKE3; the head is an entry of it",
        durability: "write-ahead log and manifest, synced with each block",
        is_ethereum: false,
    };

    fn open(options: &StoreOptions) -> Result<Self, BoxError> {
        let buckets = options.entries / ENTRIES_PER_BUCKET;
        let buckets = u32::try_from(buckets).unwrap_or(u32::MAX);
        // Half for pages of the trie, half for leaves of the B-tree, as its defaults divide it.
        let half_mib = options.cache_bytes / (2 << 20);
        let mut nomt = Options::new();
        nomt.path(&options.dir);
        nomt.hashtable_buckets(buckets.max(BUCKETS_MIN));
        nomt.bitbox_seed([0; 16]);
        nomt.page_cache_size(half_mib.max(1));
        nomt.leaf_cache_size(half_mib.max(1));
        nomt.commit_concurrency(options.threads);
        Ok(Self(Nomt::open(nomt)?))
    }

    fn head(&self) -> Result<Option<Vec<u8>>, BoxError> {
        let session = self.0.begin_session(SessionParams::default());
        Ok(session.read(HEAD)?)
    }

    fn read(&self, keys: &[[u8; 32]], pool: &ThreadPool) -> Result<Vec<Option<Vec<u8>>>, BoxError> {
        // While a session is open commits wait for it, and it for them.
        let session = self.0.begin_session(SessionParams::default());
        each_on(pool, keys, |key| session.read(*key))
    }

    fn commit(
        &self,
        changes: Vec<Change<[u8; 32]>>,
        head: Option<&[u8]>,
    ) -> Result<Committed, BoxError> {
        let started = Instant::now();
        let session = self.0.begin_session(SessionParams::default());
        let writes = changes.into_iter();
        let mut writes: Vec<_> = writes
            .map(|Change { key, value }| (key, KeyReadWrite::Write(value)))
            .collect();
        // Its key is behind all others.
        writes.extend(head.map(|head| (HEAD, KeyReadWrite::Write(Some(head.to_vec())))));
        let finished = session.finish(writes)?;
        let root = finished.root().into_inner().into();
        let hashed_in = started.elapsed();
        finished.commit(&self.0)?;
        Ok(Committed {
            root: Some(root),
            hashed_in,
        })
    }
}
