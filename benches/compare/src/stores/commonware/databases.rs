//! The databases, and how they are set up.

use super::Database;
use crate::store::{Facts, StoreOptions};
use commonware_codec::RangeCfg;
use commonware_cryptography::{Sha256, sha256::Digest};
use commonware_parallel::Rayon;
use commonware_runtime::{
    BLOB_PAGE_SIZE, Strategizer as _,
    buffer::paged::{CacheRef, page_size},
    tokio,
};
use commonware_storage::{
    journal::contiguous::{fixed, variable},
    merkle::{full::Config as MerkleConfig, mmr::Family},
    qmdb::{Error, any, current},
    translator::EightCap,
};
use core::num::{NonZeroU16, NonZeroU64, NonZeroUsize};

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
/// Bytes of the activity bitmap under one leaf: a digest's, as in commonware's own benchmarks.
const CHUNK_BYTES: usize = 32;

type AnyVariableDb =
    any::unordered::variable::Db<Family, tokio::Context, Digest, Vec<u8>, Sha256, EightCap, Rayon>;
type AnyFixedDb =
    any::unordered::fixed::Db<Family, tokio::Context, Digest, Digest, Sha256, EightCap, Rayon>;
type CurrentFixedDb = current::unordered::fixed::Db<
    Family,
    tokio::Context,
    Digest,
    Digest,
    Sha256,
    EightCap,
    CHUNK_BYTES,
    Rayon,
>;

/// `qmdb::any`, values of variable length: what replays use, whose accounts and slots are of different lengths.
#[derive(Debug)]
pub struct AnyVariable;

/// `qmdb::any`, values of 32 bytes.
#[derive(Debug)]
pub struct AnyFixed;

/// `qmdb::current`, values of 32 bytes.
#[derive(Debug)]
pub struct CurrentFixed;

const ANY_ROOT: &str =
    "Merkle mountain range of all operations, SHA-256; it excludes no stale value";
const DURABILITY: &str = "log synced with each block";

impl Database for AnyVariable {
    const FACTS: Facts = Facts {
        name: "commonware",
        summary: "commonware-storage 2026.10 `any`: a log of operations, index in memory",
        root: ANY_ROOT,
        durability: DURABILITY,
        is_ethereum: false,
    };

    type Value = Vec<u8>;
    type Db = AnyVariableDb;

    async fn init(
        context: tokio::Context,
        options: &StoreOptions,
    ) -> Result<Self::Db, Error<Family>> {
        let page_cache = page_cache(options);
        let config = any::VariableConfig {
            merkle_config: merkle(&context, options, page_cache.clone()),
            journal_config: variable::Config {
                partition: "log".to_owned(),
                items_per_section: ITEMS_PER_FILE,
                compression: None,
                // What encoding of operations needs to know: nothing of keys, the length of values.
                codec_config: ((), (RangeCfg::from(0..=VALUE_BYTES_MAX), ())),
                page_cache,
                write_buffer: BUFFER,
                replay_buffer: BUFFER,
            },
            translator: EightCap,
            init_cache: INIT_CACHE,
            init_buffer: BUFFER,
            init_concurrency: (),
        };
        AnyVariableDb::init(context, config, None).await
    }
}

impl Database for AnyFixed {
    const FACTS: Facts = Facts {
        name: "commonware-any",
        summary: "commonware-storage 2026.10 `any`, values of 32 bytes: a log of operations, index in memory",
        root: ANY_ROOT,
        durability: DURABILITY,
        is_ethereum: false,
    };

    type Value = Digest;
    type Db = AnyFixedDb;

    async fn init(
        context: tokio::Context,
        options: &StoreOptions,
    ) -> Result<Self::Db, Error<Family>> {
        let page_cache = page_cache(options);
        let config = any::FixedConfig {
            merkle_config: merkle(&context, options, page_cache.clone()),
            journal_config: fixed_log(page_cache),
            translator: EightCap,
            init_cache: INIT_CACHE,
            init_buffer: BUFFER,
            init_concurrency: (),
        };
        AnyFixedDb::init(context, config, None).await
    }
}

impl Database for CurrentFixed {
    const FACTS: Facts = Facts {
        name: "commonware-current",
        summary: "commonware-storage 2026.10 `current`, values of 32 bytes: as `any`, with a bitmap of what is active",
        root: "Merkle mountain range of all operations and of the bitmap of active ones, SHA-256",
        durability: DURABILITY,
        is_ethereum: false,
    };

    type Value = Digest;
    type Db = CurrentFixedDb;

    async fn init(
        context: tokio::Context,
        options: &StoreOptions,
    ) -> Result<Self::Db, Error<Family>> {
        let page_cache = page_cache(options);
        let config = current::FixedConfig {
            merkle_config: merkle(&context, options, page_cache.clone()),
            journal_config: fixed_log(page_cache),
            grafted_metadata_partition: "grafted-metadata".to_owned(),
            translator: EightCap,
            init_cache: INIT_CACHE,
            init_buffer: BUFFER,
            init_concurrency: (),
        };
        CurrentFixedDb::init(context, config, None).await
    }
}

fn page_cache(options: &StoreOptions) -> CacheRef {
    let pages = NonZeroUsize::new(options.cache_bytes / usize::from(PAGE.get()));
    CacheRef::new(PAGE, pages.unwrap_or(NonZeroUsize::MIN))
}

fn merkle(
    context: &tokio::Context,
    options: &StoreOptions,
    page_cache: CacheRef,
) -> MerkleConfig<Rayon> {
    let threads = NonZeroUsize::new(options.threads).unwrap_or(NonZeroUsize::MIN);
    MerkleConfig {
        journal_partition: "merkle-journal".to_owned(),
        metadata_partition: "merkle-metadata".to_owned(),
        items_per_blob: ITEMS_PER_FILE,
        write_buffer: BUFFER,
        replay_buffer: BUFFER,
        strategy: context.strategy(threads),
        page_cache,
    }
}

fn fixed_log(page_cache: CacheRef) -> fixed::Config {
    fixed::Config {
        partition: "log".to_owned(),
        items_per_blob: ITEMS_PER_FILE,
        page_cache,
        write_buffer: BUFFER,
        replay_buffer: BUFFER,
    }
}
