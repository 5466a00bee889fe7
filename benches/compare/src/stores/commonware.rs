//! commonware-storage's `any`: a log of operations under a Merkle mountain range, with an index in memory.

use crate::{
    layout::Hashed,
    store::{BoxError, Change, Committed, Facts, KeyValueStore, StoreOptions},
};
use alloy_primitives::B256;
use commonware_codec::RangeCfg;
use commonware_cryptography::{Sha256, sha256::Digest};
use commonware_parallel::Rayon;
use commonware_runtime::{
    BLOB_PAGE_SIZE, Runner as _, Strategizer as _,
    buffer::paged::{CacheRef, page_size},
    tokio,
};
use commonware_storage::{
    journal::contiguous::variable::Config as LogConfig,
    merkle::{full::Config as MerkleConfig, mmr::Family},
    qmdb::{
        any::{VariableConfig, unordered::variable::Db},
        floor::Proportional,
    },
    translator::EightCap,
};
use core::num::{NonZeroU16, NonZeroU64, NonZeroUsize};
use rayon::ThreadPool;
use std::{
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread::JoinHandle,
    time::Instant,
};

type Any = Db<Family, tokio::Context, Digest, Vec<u8>, Sha256, EightCap, Rayon>;
/// What encoding of operations needs to know: nothing of keys, the length of values.
type Codec = ((), (RangeCfg<usize>, ()));

/// Bytes of a page of the cache, checksum apart.
const PAGE: NonZeroU16 = page_size(BLOB_PAGE_SIZE);
/// Operations in one file of the log.
const ITEMS_PER_FILE: NonZeroU64 = NonZeroU64::new(1 << 20).expect("it is not zero");
/// Buffers for writing and for replay when it is opened, as in commonware's own benchmarks.
const BUFFER: NonZeroUsize = NonZeroUsize::new(2 << 20).expect("it is not zero");
/// Keys remembered while the index is rebuilt, as there.
const INIT_CACHE: Option<NonZeroUsize> = NonZeroUsize::new(1 << 18);
/// Longest value: of an account with code.
const VALUE_BYTES_MAX: usize = 128;

/// The store.
///
/// It lives on a thread of its own, in its own runtime, and is sent what to do: each change of the database
/// consumes it and gives another. Reads therefore wait for commits, and commits for reads.
pub struct Commonware {
    /// `None` once it is told to end.
    requests: Option<SyncSender<Request>>,
    thread: Option<JoinHandle<()>>,
}

/// A channel that one answer is awaited on.
type Answer<T> = SyncSender<Result<T, BoxError>>;

enum Request {
    Head(Answer<Option<Vec<u8>>>),
    Read(Vec<Digest>, Answer<Vec<Option<Vec<u8>>>>),
    Commit(Vec<Change<[u8; 32]>>, Option<Vec<u8>>, Answer<Committed>),
    /// Prunes what is superseded, and syncs.
    Settle(Answer<()>),
    Flush(Answer<()>),
}

impl Commonware {
    fn ask<T>(&self, request: impl FnOnce(Answer<T>) -> Request) -> Result<T, BoxError> {
        let (answer, answered) = sync_channel(1);
        let requests = self.requests.as_ref().ok_or_else(ended)?;
        requests.send(request(answer)).map_err(|_| ended())?;
        answered.recv().map_err(|_| ended())?
    }
}

fn ended() -> BoxError {
    "the store failed before, and takes no more".into()
}

impl KeyValueStore for Commonware {
    type Layout = Hashed;

    const FACTS: Facts = Facts {
        name: "commonware",
        summary: "commonware-storage 2026.10 `any`: a log of operations, index in memory",
        root: "Merkle mountain range of all operations, SHA-256; it excludes no stale value",
        durability: "log synced with each block",
        is_ethereum: false,
    };

    fn open(options: &StoreOptions) -> Result<Self, BoxError> {
        let (requests, received) = sync_channel(1);
        let (opened, result) = sync_channel(1);
        let options = options.clone();
        let run = move || {
            let runtime = tokio::Config::new()
                .with_storage_directory(options.dir.clone())
                .with_worker_threads(options.threads.max(2));
            let runner = tokio::Runner::new(runtime);
            runner.start(|context| serve(context, options, opened, received));
        };
        let thread = std::thread::Builder::new()
            .name("commonware".to_owned())
            .spawn(run)?;
        result.recv().map_err(|_| ended())??;
        Ok(Self {
            requests: Some(requests),
            thread: Some(thread),
        })
    }

    fn head(&self) -> Result<Option<Vec<u8>>, BoxError> {
        self.ask(Request::Head)
    }

    fn read(&self, keys: &[[u8; 32]], _: &ThreadPool) -> Result<Vec<Option<Vec<u8>>>, BoxError> {
        let keys = keys.iter().map(|key| Digest(*key)).collect();
        self.ask(|answer| Request::Read(keys, answer))
    }

    fn commit(
        &self,
        changes: Vec<Change<[u8; 32]>>,
        head: Option<&[u8]>,
    ) -> Result<Committed, BoxError> {
        let head = head.map(<[u8]>::to_vec);
        self.ask(|answer| Request::Commit(changes, head, answer))
    }

    fn settle(&self) -> Result<(), BoxError> {
        self.ask(Request::Settle)
    }

    fn flush(&self) -> Result<(), BoxError> {
        self.ask(Request::Flush)
    }
}

impl Drop for Commonware {
    fn drop(&mut self) {
        self.requests = None;
        if let Some(thread) = self.thread.take() {
            // Its panic, if there was one, has been printed.
            let _ = thread.join();
        }
    }
}

/// Opens the database and does what it is told until nobody is left who could ask, or something fails.
async fn serve(
    context: tokio::Context,
    options: StoreOptions,
    opened: SyncSender<Result<(), BoxError>>,
    requests: Receiver<Request>,
) {
    let config = config(&context, &options);
    let mut db = match Any::init(context, config, None).await {
        Ok(db) => db,
        Err(error) => {
            let _ = opened.send(Err(error.into()));
            return;
        }
    };
    let _ = opened.send(Ok(()));
    // Nothing else runs on this thread, so it may wait for the next request.
    while let Ok(request) = requests.recv() {
        db = match handle(db, request).await {
            Some(db) => db,
            None => return,
        };
    }
    if let Err(error) = db.sync().await {
        eprintln!("commonware: cannot sync when it is closed: {error}");
    }
}

fn config(
    context: &tokio::Context,
    options: &StoreOptions,
) -> VariableConfig<EightCap, Codec, Rayon> {
    let threads = NonZeroUsize::new(options.threads).unwrap_or(NonZeroUsize::MIN);
    let pages = NonZeroUsize::new(options.cache_bytes / usize::from(PAGE.get()));
    let page_cache = CacheRef::new(PAGE, pages.unwrap_or(NonZeroUsize::MIN));
    VariableConfig {
        merkle_config: MerkleConfig {
            journal_partition: "merkle-journal".to_owned(),
            metadata_partition: "merkle-metadata".to_owned(),
            items_per_blob: ITEMS_PER_FILE,
            write_buffer: BUFFER,
            replay_buffer: BUFFER,
            strategy: context.strategy(threads),
            page_cache: page_cache.clone(),
        },
        journal_config: LogConfig {
            partition: "log".to_owned(),
            items_per_section: ITEMS_PER_FILE,
            compression: None,
            codec_config: ((), ((0..=VALUE_BYTES_MAX).into(), ())),
            page_cache,
            write_buffer: BUFFER,
            replay_buffer: BUFFER,
        },
        translator: EightCap,
        init_cache: INIT_CACHE,
        init_buffer: BUFFER,
        init_concurrency: (),
    }
}

/// Does one thing; `None` where the database was lost over it.
async fn handle(db: Any, request: Request) -> Option<Any> {
    // Whoever no longer waits for an answer does not need it.
    match request {
        Request::Head(answer) => {
            let _ = answer.send(db.get_metadata().await.map_err(Into::into));
            Some(db)
        }
        Request::Read(keys, answer) => {
            let keys: Vec<_> = keys.iter().collect();
            let _ = answer.send(db.get_many(&keys).await.map_err(Into::into));
            Some(db)
        }
        Request::Commit(changes, head, answer) => give(commit(db, changes, head).await, &answer),
        Request::Settle(answer) => give(settle(db).await, &answer),
        Request::Flush(answer) => {
            let synced = db.sync().await.map_err(BoxError::from);
            give(synced.map(|db| (db, ())), &answer)
        }
    }
}

fn give<T>(done: Result<(Any, T), BoxError>, answer: &Answer<T>) -> Option<Any> {
    let (db, result) = match done {
        Ok((db, result)) => (Some(db), Ok(result)),
        Err(error) => (None, Err(error)),
    };
    let _ = answer.send(result);
    db
}

async fn commit(
    db: Any,
    changes: Vec<Change<[u8; 32]>>,
    head: Option<Vec<u8>>,
) -> Result<(Any, Committed), BoxError> {
    let started = Instant::now();
    let batch = changes.into_iter().fold(db.new_batch(), |batch, change| {
        batch.write(Digest(change.key), change.value)
    });
    let batch = batch.merkleize(&db, head, &mut Proportional).await?;
    let hashed_in = started.elapsed();
    let db = db.apply_batch(batch).await?.commit().await?;
    let root = B256::from(db.root().0);
    Ok((
        db,
        Committed {
            root: Some(root),
            hashed_in,
        },
    ))
}

async fn settle(db: Any) -> Result<(Any, ()), BoxError> {
    let boundary = db.sync_boundary();
    let db = db.prune(boundary).await?;
    Ok((db.sync().await?, ()))
}
