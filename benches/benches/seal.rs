//! What sealing a period costs: from its leaves to the root, and to a segment of the archive; and
//! what reading the segment back costs.
//!
//! `THINSTATE_BENCH_LEAVES=1000000,10000000` chooses sizes, `THINSTATE_BENCH_HASHES=blake3` the hash
//! functions, `THINSTATE_BENCH_DIR` the folder for segments. Leaves are in memory, with values of 12
//! bytes, as balances have. "By pages" sorts and hashes each page by itself, on all threads.

use alloy_primitives::B256;
use criterion::{
    BatchSize, BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main,
    measurement::WallTime,
};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use std::{
    hint::black_box,
    path::Path,
    time::{Duration, Instant},
};
use thinstate_benches::{
    chosen, device_read_bytes, device_written_bytes, folder, numbers, print_rows,
};
use thinstate_engine::archive::periods::{Check, PeriodArchive, page_bits};
use thinstate_formats::{
    HashKind, NodeHasher, PeriodId,
    counted::{Leaf, Node, join_pages, page_of, root_of_sorted},
};

const SEED: u64 = 0x5ea1;
const PERIOD: PeriodId = PeriodId(0);
/// Pages that are hashed before they are written.
const PAGES_TOGETHER: usize = 1_024;

fn leaves(count: u64) -> Vec<Leaf> {
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let leaf = |_| {
        let (mut location, mut value) = (B256::ZERO, B256::ZERO);
        random.fill_bytes(&mut location.0);
        random.fill_bytes(&mut value[20..]);
        Leaf { location, value }
    };
    (0..count).map(leaf).collect()
}

/// The leaves of each page, in the order given.
fn divide(leaves: &[Leaf], bits: u32) -> Vec<Vec<Leaf>> {
    let mut pages = vec![Vec::new(); 1 << bits];
    for leaf in leaves {
        pages[page_of(&leaf.location, bits) as usize].push(*leaf);
    }
    pages
}

/// Sorts pages and hashes them.
fn seal_pages(hasher: &NodeHasher, pages: &mut [Vec<Leaf>]) -> Vec<Node> {
    let root = |page: &mut Vec<Leaf>| {
        page.sort_unstable_by_key(|leaf| leaf.location);
        root_of_sorted(hasher, page).expect("the page is sorted")
    };
    pages.par_iter_mut().map(root).collect()
}

fn root_by_pages(hasher: &NodeHasher, leaves: &[Leaf]) -> Node {
    let mut pages = divide(leaves, page_bits(leaves.len() as u64));
    let nodes = seal_pages(hasher, &mut pages);
    let levels = join_pages(hasher, nodes).expect("there are 2^bits pages");
    levels[levels.len() - 1][0]
}

/// Writes a segment, durably.
fn write_segment(hasher: &NodeHasher, archive: &PeriodArchive, leaves: &[Leaf]) -> Node {
    let bits = page_bits(leaves.len() as u64);
    let writer = archive.writer(PERIOD, bits, 0);
    let mut writer = writer.expect("the segment is begun");
    for pages in divide(leaves, bits).chunks_mut(PAGES_TOGETHER) {
        let nodes = seal_pages(hasher, pages);
        for (page, node) in pages.iter().zip(nodes) {
            let appended = writer.append_page(page, node);
            appended.expect("the page is appended");
        }
    }
    writer.finish().expect("the segment is written")
}

/// Roots in memory.
fn roots(
    group: &mut BenchmarkGroup<'_, WallTime>,
    hasher: &NodeHasher,
    unsorted: &[Leaf],
    sorted: &[Leaf],
) {
    let count = sorted.len();
    group.bench_function(BenchmarkId::new("sorted, 1 thread", count), |b| {
        b.iter(|| black_box(root_of_sorted(hasher, sorted)));
    });
    group.bench_function(BenchmarkId::new("unsorted, 1 thread", count), |b| {
        let sort = |mut leaves: Vec<Leaf>| {
            leaves.sort_unstable_by_key(|leaf| leaf.location);
            root_of_sorted(hasher, &leaves)
        };
        b.iter_batched(|| unsorted.to_vec(), sort, BatchSize::PerIteration);
    });
    group.bench_function(BenchmarkId::new("unsorted, by pages", count), |b| {
        b.iter(|| black_box(root_by_pages(hasher, unsorted)));
    });
}

/// A segment written, and read back; returns a row of the table.
fn segment(
    group: &mut BenchmarkGroup<'_, WallTime>,
    hasher: &NodeHasher,
    unsorted: &[Leaf],
    dir: &Path,
) -> Vec<String> {
    let count = unsorted.len();
    let open = || PeriodArchive::open(dir, hasher.kind(), Check::Structure);
    let archive = open().expect("the archive opens");
    let (mut written, mut writes) = (0, 0);
    group.bench_function(BenchmarkId::new("unsorted, segment", count), |b| {
        b.iter_custom(|times| {
            let mut total = Duration::ZERO;
            for _ in 0..times {
                let device = device_written_bytes();
                let started = Instant::now();
                black_box(write_segment(hasher, &archive, unsorted));
                total += started.elapsed();
                written += device_written_bytes() - device;
                writes += 1;
            }
            total
        });
    });
    let (before, device) = (archive.reads(), device_read_bytes());
    archive.verify(PERIOD).expect("the segment is whole");
    let (reads, device) = (archive.reads(), device_read_bytes() - device);
    group.bench_function(BenchmarkId::new("segment verified", count), |b| {
        b.iter(|| archive.verify(PERIOD).expect("the segment is whole"));
    });
    let info = archive.segment(PERIOD).expect("the segment is there");
    let per_leaf = |bytes: u64| format!("{:.1}", bytes as f64 / count as f64);
    vec![
        hasher.kind().to_string(),
        count.to_string(),
        info.page_bits.to_string(),
        per_leaf(info.file_bytes),
        per_leaf(written.checked_div(writes).unwrap_or_default()),
        per_leaf((reads - before).page_bytes),
        per_leaf(device),
    ]
}

fn seal(c: &mut Criterion) {
    let mut rows = Vec::new();
    for count in numbers("THINSTATE_BENCH_LEAVES", "1000000,10000000") {
        let unsorted = leaves(count);
        let mut sorted = unsorted.clone();
        sorted.sort_unstable_by_key(|leaf| leaf.location);
        let kinds = HashKind::ALL.into_iter();
        for kind in kinds.filter(|kind| chosen("THINSTATE_BENCH_HASHES", kind.name())) {
            let hasher = NodeHasher::new(kind);
            let root = root_of_sorted(&hasher, &sorted).expect("they are sorted");
            assert_eq!(root_by_pages(&hasher, &unsorted), root);
            let mut group = c.benchmark_group(format!("seal/{kind}"));
            group
                .sample_size(10)
                .warm_up_time(Duration::from_millis(500))
                .measurement_time(Duration::from_secs(4))
                .throughput(Throughput::Elements(count));
            roots(&mut group, &hasher, &unsorted, &sorted);
            let dir = folder(env!("CARGO_TARGET_TMPDIR"));
            rows.push(segment(&mut group, &hasher, &unsorted, dir.path()));
            group.finish();
        }
    }
    let heads = [
        "hash",
        "leaves",
        "page bits",
        "file B per leaf",
        "device B written per leaf",
        "B read per leaf to verify",
        "of these from the device",
    ];
    print_rows(&heads, &rows);
}

criterion_group!(benches, seal);
criterion_main!(benches);
