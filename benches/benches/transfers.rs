//! Blocks of ERC-20 transfers over 1 M and 10 M holders: root and durable commit on each form of
//! state, beside the append-log floor, in one run.
//!
//! `THINSTATE_BENCH_HOLDERS=1000000,10000000` and `THINSTATE_BENCH_TRANSFERS=10000,100000` choose
//! sizes, `THINSTATE_BENCH_STATES=floor,permanent,deferred,utxo` the forms of state by words of their
//! names, `THINSTATE_BENCH_DIR` the folder for the stores (a temporary one under the target folder if not
//! given: /tmp may be memory).

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use std::{
    path::Path,
    time::{Duration, Instant},
};
use thinstate_benches::{
    chosen, device_written_bytes, folder, numbers,
    transfers::{
        FloorTransfers, PermanentTransfers, TemporaryTransfers, TransferRecord, TransferStore,
        TransferWorkload, UtxoKind, UtxoTransfers, print_transfers,
    },
};
use thinstate_formats::temporary::LiveCommitment;

const SEED: u64 = 0x7e57;
const LOADED_TOGETHER: u32 = 200_000;

/// Makes a store in a folder.
type Make = fn(&Path) -> Box<dyn TransferStore>;

/// All forms of state, and words for choosing among them.
const STATES: [(&str, Make); 8] = [
    ("floor", |dir| Box::new(FloorTransfers::create(dir))),
    ("permanent", |dir| Box::new(PermanentTransfers::create(dir))),
    ("incremental", |dir| {
        let commitment = LiveCommitment::Incremental;
        Box::new(TemporaryTransfers::create(dir, commitment))
    }),
    ("deferred", |dir| {
        let commitment = LiveCommitment::Deferred;
        Box::new(TemporaryTransfers::create(dir, commitment))
    }),
    ("utxo-ring", |dir| {
        Box::new(UtxoTransfers::create(dir, UtxoKind::Ring))
    }),
    ("utxo-batch", |dir| {
        Box::new(UtxoTransfers::create(dir, UtxoKind::Batch))
    }),
    ("utxo-window", |dir| {
        Box::new(UtxoTransfers::create(dir, UtxoKind::Window))
    }),
    ("utxo-archive", |dir| {
        Box::new(UtxoTransfers::create(dir, UtxoKind::Archive))
    }),
];

/// Measures blocks of one size. Each sample is a run of whole blocks.
fn measure(
    c: &mut Criterion,
    store: &mut dyn TransferStore,
    workload: &mut TransferWorkload,
    (holders, transfers): (u64, u64),
) -> TransferRecord {
    let mut record = TransferRecord::new(store.name(), holders, transfers);
    let mut group = c.benchmark_group(format!("transfers/{}M holders", holders as f64 / 1e6));
    group
        .sample_size(10)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(6));
    group.throughput(Throughput::Elements(transfers));
    group.bench_function(BenchmarkId::new(store.name(), transfers), |b| {
        b.iter_custom(|blocks| {
            let mut total = Duration::ZERO;
            let device = device_written_bytes();
            for _ in 0..blocks {
                let block = workload.block(transfers as usize);
                store.prepare(&block);
                let started = Instant::now();
                let applied = store.apply();
                let took = started.elapsed();
                record.add(took, applied);
                total += took;
            }
            record.wrote(device_written_bytes() - device);
            total
        });
    });
    group.finish();
    let device = device_written_bytes();
    store.flush();
    record.wrote(device_written_bytes() - device);
    record
}

fn run(c: &mut Criterion, store: &mut dyn TransferStore, holders: u64) -> Vec<TransferRecord> {
    let mut workload = TransferWorkload::new(holders, SEED);
    let started = Instant::now();
    for holdings in workload.load(LOADED_TOGETHER) {
        store.load(&holdings);
    }
    store.settle();
    let took = started.elapsed();
    eprintln!("{}: {holders} holders in {took:.1?}", store.name());
    let sizes = numbers("THINSTATE_BENCH_TRANSFERS", "10000,100000");
    let sizes = sizes.into_iter();
    sizes
        .map(|transfers| measure(c, store, &mut workload, (holders, transfers)))
        .collect()
}

fn transfers(c: &mut Criterion) {
    let mut records = Vec::new();
    for holders in numbers("THINSTATE_BENCH_HOLDERS", "1000000,10000000") {
        for (word, make) in STATES {
            if chosen("THINSTATE_BENCH_STATES", word) {
                let dir = folder(env!("CARGO_TARGET_TMPDIR"));
                records.extend(run(c, make(dir.path()).as_mut(), holders));
            }
        }
    }
    print_transfers(&records);
}

criterion_group!(benches, transfers);
criterion_main!(benches);
