//! What a design's store may take: options of the leaf store, threads.

use super::{DesignError, DesignStore};
use rayon::{ThreadPool, ThreadPoolBuilder};
use thinstate_engine::leaf_store::DiskOptions;

/// Reads under way for each thread that hashes: they wait for the device more than they compute, and an
/// NVMe device answers 16 at a time five times as fast as one after another.
const READS_PER_THREAD: usize = 8;

/// The leaf store's options.
pub fn leaves(store: &DesignStore) -> DiskOptions {
    DiskOptions {
        kind: Some(store.kind),
        cache_bytes: Some(store.cache_bytes),
        direct_io: store.direct_io,
    }
}

/// Threads that read, and mostly wait.
pub fn readers(store: &DesignStore) -> Result<ThreadPool, DesignError> {
    pool("read", READS_PER_THREAD * threads(store))
}

/// Threads that hash.
pub fn hashers(store: &DesignStore) -> Result<ThreadPool, DesignError> {
    pool("hash", threads(store))
}

fn threads(store: &DesignStore) -> usize {
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    store.threads.unwrap_or_else(cores)
}

fn pool(name: &'static str, threads: usize) -> Result<ThreadPool, DesignError> {
    ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(move |n| format!("{name}-{n}"))
        .build()
        .map_err(DesignError::store("start threads"))
}
