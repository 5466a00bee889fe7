//! Blocks of random updates over 1 M and 10 M accounts: root and durable commit on pages and on RocksDB, beside
//! plain RocksDB puts of the same keys, an append log with twigs, and a trie wholly in memory with a log, in the
//! same run.
//!
//! `THINSTATE_BENCH_STORES=pages,memory` chooses stores by words of their names,
//! `THINSTATE_BENCH_ACCOUNTS=1000000,10000000` and `THINSTATE_BENCH_UPDATES=1000,10000,50000` choose
//! sizes, `THINSTATE_BENCH_BUCKETS=64` the bucket sizes, `THINSTATE_BENCH_CACHE_MIB=128,1400` the memory for
//! pages that were read (the trie in memory says at the end what it took; a store's default is 128 MiB, and
//! leaves the rest to the operating system's cache), `THINSTATE_BENCH_DIR` the folder for the stores (a
//! temporary one under the target folder if not given: /tmp may be memory).

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use std::{
    path::Path,
    time::{Duration, Instant},
};
use thinstate_benches::{
    AppendLogFloor, Contender, Floor, MemoryTrieFloor, Ours, Record, Workload, chosen,
    device_written_bytes, folder, numbers, print_table,
};
use thinstate_engine::{
    Options,
    leaf_store::{LeafStore, PageOptions, PageStore, RocksOptions, RocksStore},
};

const SEED: u64 = 0x7e57;
const PRELOAD_TOGETHER: u64 = 200_000;

/// Measures blocks of `updates` updates. Each sample is a run of whole blocks.
fn measure(
    c: &mut Criterion,
    contender: &mut dyn Contender,
    workload: &mut Workload,
    record: &mut Record,
) {
    let mut group = c.benchmark_group(format!("commit/{}M accounts", record.accounts as f64 / 1e6));
    group
        .sample_size(10)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(6));
    group.throughput(Throughput::Elements(record.updates as u64));
    let id = BenchmarkId::new(&record.name, record.updates);
    let updates = record.updates;
    group.bench_function(id, |b| {
        b.iter_custom(|blocks| {
            let mut total = Duration::ZERO;
            for _ in 0..blocks {
                let block = workload.block(updates);
                let device = device_written_bytes();
                let started = Instant::now();
                contender.apply(&block, record);
                let took = started.elapsed();
                record.took(took);
                record.device_written_bytes += device_written_bytes() - device;
                total += took;
            }
            total
        });
    });
    group.finish();
}

fn run(c: &mut Criterion, contender: &mut dyn Contender, accounts: u64, records: &mut Vec<Record>) {
    let mut workload = Workload::new(accounts, SEED);
    let mut unrecorded = Record::new(contender.name(), accounts, 0);
    let started = Instant::now();
    for block in workload.preload(PRELOAD_TOGETHER) {
        contender.apply(&block, &mut unrecorded);
    }
    contender.settle();
    eprintln!(
        "{}: {accounts} accounts in {:.1?}",
        contender.name(),
        started.elapsed()
    );
    for updates in numbers("THINSTATE_BENCH_UPDATES", "1000,10000,50000") {
        let mut record = Record::new(contender.name(), accounts, updates as usize);
        measure(c, contender, &mut workload, &mut record);
        records.push(record);
    }
}

const STORES: &str = "THINSTATE_BENCH_STORES";

/// As the programs have it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The permanent tier on a leaf store, with buckets of each size.
fn permanent<L: LeafStore>(
    c: &mut Criterion,
    accounts: u64,
    open: impl Fn(&Path, Options) -> Ours<L>,
    records: &mut Vec<Record>,
) {
    for bucket_entries_max in numbers("THINSTATE_BENCH_BUCKETS", "64") {
        let dir = folder(env!("CARGO_TARGET_TMPDIR"));
        let options = Options {
            bucket_entries_max: bucket_entries_max as usize,
            ..Options::default()
        };
        let mut ours = open(dir.path(), options);
        run(c, &mut ours, accounts, records);
        let (interior, _) = ours.tier().interior_size();
        eprintln!("buckets of at most {bucket_entries_max}: {interior:?}");
    }
}

/// What stores do at least: without a root, with some root, with Ethereum's.
fn floors(c: &mut Criterion, accounts: u64, records: &mut Vec<Record>) {
    if chosen(STORES, "RocksDB puts, no root") {
        let dir = folder(env!("CARGO_TARGET_TMPDIR"));
        let mut floor = Floor::open(dir.path(), RocksOptions::default());
        run(c, &mut floor, accounts, records);
    }
    if chosen(STORES, "append log, twigs, bits") {
        let dir = folder(env!("CARGO_TARGET_TMPDIR"));
        let mut floor = AppendLogFloor::create(dir.path());
        run(c, &mut floor, accounts, records);
    }
    if chosen(STORES, "MPT in memory, log") {
        let dir = folder(env!("CARGO_TARGET_TMPDIR"));
        let mut floor = MemoryTrieFloor::create(dir.path());
        run(c, &mut floor, accounts, records);
        let (leaves, branches, bytes) = floor.trie().size();
        eprintln!("in memory: {leaves} leaves, {branches} branches, {bytes} bytes");
    }
}

fn commits(c: &mut Criterion) {
    let mut records = Vec::new();
    for accounts in numbers("THINSTATE_BENCH_ACCOUNTS", "1000000,10000000") {
        if chosen(STORES, Ours::<PageStore>::NAME) {
            for mib in numbers("THINSTATE_BENCH_CACHE_MIB", "128") {
                let pages = PageOptions {
                    cache_bytes: (mib << 20) as usize,
                    ..PageOptions::default()
                };
                let open = |dir: &Path, options| Ours::on_pages(dir, pages.clone(), options);
                permanent(c, accounts, open, &mut records);
            }
        }
        if chosen(STORES, Ours::<RocksStore>::NAME) {
            permanent(c, accounts, Ours::on_rocksdb, &mut records);
        }
        floors(c, accounts, &mut records);
    }
    print_table(&records);
}

criterion_group!(benches, commits);
criterion_main!(benches);
