//! commonware-storage's qmdb: a log of operations under a Merkle mountain range, with an index in memory.
//!
//! | database | values | root |
//! |---|---|---|
//! | [`AnyVariable`] | of any length | over all operations: it excludes no stale value |
//! | [`AnyFixed`] | of 32 bytes | the same |
//! | [`CurrentFixed`] | of 32 bytes | over all operations and which of them are active |
//!
//! The traits over all of them are commonware's own, for benchmarks (its feature `test-traits`).

mod databases;
mod value;

pub use databases::{AnyFixed, AnyVariable, CurrentFixed};
pub(super) use value::Value;

use crate::{
    layout::Hashed,
    store::{BoxError, Change, Committed, Facts, KeyValueStore, StoreOptions},
};
use alloy_primitives::B256;
use commonware_cryptography::sha256::Digest;
use commonware_runtime::{Runner as _, tokio};
use commonware_storage::{
    merkle::mmr::Family,
    qmdb::{
        Error,
        any::traits::{BatchableDb as _, DbAny, UnmerkleizedBatch as _},
        floor::Proportional,
    },
};
use core::marker::PhantomData;
use rayon::ThreadPool;
use std::{
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread::JoinHandle,
    time::Instant,
};

/// One of its databases.
pub trait Database: Send + Sync + 'static {
    /// What results and tables say of it.
    const FACTS: Facts;

    /// Values; also what is kept beside the last commit.
    type Value: Value;

    /// The database itself.
    type Db: DbAny<Family, Key = Digest, Value = Self::Value, Digest = Digest>;

    /// Opens it, new or not.
    fn init(
        context: tokio::Context,
        options: &StoreOptions,
    ) -> impl Future<Output = Result<Self::Db, Error<Family>>>;
}

/// The store.
///
/// It lives on a thread of its own, in its own runtime, and is sent what to do: each change of the database
/// consumes it and gives another. Reads therefore wait for commits, and commits for reads.
pub struct Commonware<D> {
    /// `None` once it is told to end.
    requests: Option<SyncSender<Request>>,
    thread: Option<JoinHandle<()>>,
    database: PhantomData<D>,
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

impl<D> Commonware<D> {
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

impl<D: Database> KeyValueStore for Commonware<D> {
    type Layout = Hashed;

    const FACTS: Facts = D::FACTS;

    fn open(options: &StoreOptions) -> Result<Self, BoxError> {
        let (requests, received) = sync_channel(1);
        let (opened, result) = sync_channel(1);
        let options = options.clone();
        let run = move || {
            let runtime = tokio::Config::new()
                .with_storage_directory(options.dir.clone())
                .with_worker_threads(options.threads.max(2));
            let runner = tokio::Runner::new(runtime);
            runner.start(|context| serve::<D>(context, options, opened, received));
        };
        let thread = std::thread::Builder::new()
            .name("commonware".to_owned())
            .spawn(run)?;
        result.recv().map_err(|_| ended())??;
        Ok(Self {
            requests: Some(requests),
            thread: Some(thread),
            database: PhantomData,
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

impl<D> Drop for Commonware<D> {
    fn drop(&mut self) {
        self.requests = None;
        if let Some(thread) = self.thread.take() {
            // Its panic, if there was one, has been printed.
            let _ = thread.join();
        }
    }
}

/// Opens the database and does what it is told until nobody is left who could ask, or something fails.
async fn serve<D: Database>(
    context: tokio::Context,
    options: StoreOptions,
    opened: SyncSender<Result<(), BoxError>>,
    requests: Receiver<Request>,
) {
    let mut db = match D::init(context, &options).await {
        Ok(db) => db,
        Err(error) => {
            let _ = opened.send(Err(error.into()));
            return;
        }
    };
    let _ = opened.send(Ok(()));
    // Nothing else runs on this thread, so it may wait for the next request.
    while let Ok(request) = requests.recv() {
        db = match handle::<D>(db, request).await {
            Some(db) => db,
            None => return,
        };
    }
    if let Err(error) = db.sync().await {
        eprintln!("commonware: cannot sync when it is closed: {error}");
    }
}

/// Does one thing; `None` where the database was lost over it.
async fn handle<D: Database>(db: D::Db, request: Request) -> Option<D::Db> {
    // Whoever no longer waits for an answer does not need it.
    match request {
        Request::Head(answer) => {
            let head = db.get_metadata().await.map_err(BoxError::from);
            let _ = answer.send(head.map(|head| head.map(Value::into_head)));
            Some(db)
        }
        Request::Read(keys, answer) => {
            let keys: Vec<_> = keys.iter().collect();
            let values = db.get_many(&keys).await.map_err(BoxError::from);
            let bytes = |values: Vec<Option<D::Value>>| -> Vec<Option<Vec<u8>>> {
                values
                    .into_iter()
                    .map(|it| it.map(Value::into_bytes))
                    .collect()
            };
            let _ = answer.send(values.map(bytes));
            Some(db)
        }
        Request::Commit(changes, head, answer) => {
            give(commit::<D>(db, changes, head).await, &answer)
        }
        Request::Settle(answer) => give(settle::<D>(db).await, &answer),
        Request::Flush(answer) => {
            let synced = db.sync().await.map_err(BoxError::from);
            give(synced.map(|db| (db, ())), &answer)
        }
    }
}

fn give<Db, T>(done: Result<(Db, T), BoxError>, answer: &Answer<T>) -> Option<Db> {
    let (db, result) = match done {
        Ok((db, result)) => (Some(db), Ok(result)),
        Err(error) => (None, Err(error)),
    };
    let _ = answer.send(result);
    db
}

async fn commit<D: Database>(
    db: D::Db,
    changes: Vec<Change<[u8; 32]>>,
    head: Option<Vec<u8>>,
) -> Result<(D::Db, Committed), BoxError> {
    let started = Instant::now();
    let mut batch = db.new_batch();
    for Change { key, value } in changes {
        batch = batch.write(Digest(key), value.map(D::Value::from_bytes).transpose()?);
    }
    let head = head.map(D::Value::from_head);
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

async fn settle<D: Database>(db: D::Db) -> Result<(D::Db, ()), BoxError> {
    let boundary = db.sync_boundary();
    let db = db.prune(boundary).await?;
    Ok((db.sync().await?, ()))
}
