//! keccak256 of batches of 1,024 messages at each lane width of this CPU, against one at a time.
//!
//! Lengths are those of a trie: a hashed slot key (32 B), an address and its slot (64 B), an
//! account's leaf (110 B), a full branch (532 B), and a mixture of them. Throughput is in messages;
//! a full branch is four permutations.
//!
//! At the end a table says, for each width, what a permutation costs in a batch against the bare one,
//! all measured in turns; `-- none` shows the table alone.

use alloy_primitives::{B256, keccak256};
use criterion::{
    BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main, measurement::WallTime,
};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::{
    hint::black_box,
    time::{Duration, Instant},
};
use thinstate_benches::print_rows;
use thinstate_formats::keccak::{BatchHasher, LaneWidth, Span};

const MESSAGES: usize = 1_024;
const SEED: u64 = 0x6B65_6363;
/// Turns of the table, of which the fastest counts.
const TURNS: usize = 200;

/// What the messages of a batch have for lengths, in turn.
const CASES: [(&str, &[u32]); 5] = [
    ("32 B", &[32]),
    ("64 B", &[64]),
    ("110 B", &[110]),
    ("532 B", &[532]),
    ("mixed", &[110, 70, 532, 110, 83, 532, 180, 110, 70, 340]),
];

/// Messages back to back, as a level of a trie is encoded.
struct Batch {
    bytes: Vec<u8>,
    spans: Vec<Span>,
}

impl Batch {
    /// Messages of these lengths, in turn.
    fn new(lengths: &[u32]) -> Self {
        let lengths = lengths.iter().copied().cycle().take(MESSAGES);
        let mut end = 0;
        let spans: Vec<_> = lengths
            .map(|len| {
                let start = end;
                end += len;
                Span { start, len }
            })
            .collect();
        let mut bytes = vec![0; end as usize];
        ChaCha8Rng::seed_from_u64(SEED).fill_bytes(&mut bytes);
        Self { bytes, spans }
    }

    fn messages(&self) -> impl Iterator<Item = &[u8]> {
        self.spans.iter().filter_map(|span| span.slice(&self.bytes))
    }
}

fn one_at_a_time(group: &mut BenchmarkGroup<'_, WallTime>, batch: &Batch) {
    let mut digests: Vec<B256> = Vec::with_capacity(MESSAGES);
    group.bench_function("one at a time", |bencher| {
        bencher.iter(|| {
            digests.clear();
            digests.extend(black_box(batch).messages().map(keccak256));
            black_box(digests.last().copied())
        });
    });
}

fn in_lanes(group: &mut BenchmarkGroup<'_, WallTime>, batch: &Batch, width: LaneWidth) {
    let hasher = BatchHasher::with_width(width).expect("only available widths are measured");
    let mut digests: Vec<B256> = Vec::with_capacity(MESSAGES);
    group.bench_function(width.to_string(), |bencher| {
        bencher.iter(|| {
            let batch = black_box(batch);
            let count = hasher.hash_spans(&batch.bytes, &batch.spans, &mut digests);
            black_box((count, digests.last().copied()))
        });
    });
}

fn keccak(criterion: &mut Criterion) {
    for (name, lengths) in CASES {
        let batch = Batch::new(lengths);
        let mut group = criterion.benchmark_group(format!("keccak/{name}"));
        group.throughput(Throughput::Elements(MESSAGES as u64));
        one_at_a_time(&mut group, &batch);
        for width in LaneWidth::available() {
            in_lanes(&mut group, &batch, width);
        }
        group.finish();
    }
    ratios();
}

/// Prints nanoseconds for each permutation that the messages need, and how often the bare one fits into
/// them. Widths and lengths take turns, so that what else the machine does falls on all of them.
fn ratios() {
    let batches = CASES.map(|(_, lengths)| Batch::new(lengths));
    let widths: Vec<_> = LaneWidth::available().collect();
    let mut fastest = vec![[f64::MAX; CASES.len() + 1]; widths.len()];
    for _ in 0..TURNS {
        for (width, fastest) in widths.iter().zip(&mut fastest) {
            let hasher = BatchHasher::with_width(*width).expect("it is available");
            let (bare, of_batches) = fastest.split_first_mut().expect("the bare one is first");
            *bare = bare.min(bare_ns(&hasher));
            for (batch, least) in batches.iter().zip(of_batches) {
                *least = least.min(batch_ns(&hasher, batch));
            }
        }
    }
    let mut heads = vec!["width", "bare, ns"];
    heads.extend(CASES.map(|(name, _)| name));
    let row = |(width, of_width): (&LaneWidth, &[f64; CASES.len() + 1])| {
        let [bare, of_batches @ ..] = *of_width;
        let cells = of_batches.map(|ns| format!("{ns:.1} ({:.2})", ns / bare));
        let mut row = vec![width.to_string(), format!("{bare:.1}")];
        row.extend(cells);
        row
    };
    let rows: Vec<_> = widths.iter().zip(&fastest).map(row).collect();
    print_rows(&heads, &rows);
}

/// Nanoseconds of a bare permutation, in one of the lanes.
fn bare_ns(hasher: &BatchHasher) -> f64 {
    let started = Instant::now();
    black_box(hasher.permute_only(black_box(MESSAGES / hasher.width().lanes())));
    per_permutation(started.elapsed(), MESSAGES as u64)
}

/// Nanoseconds for each permutation that a batch needs.
fn batch_ns(hasher: &BatchHasher, batch: &Batch) -> f64 {
    let mut digests = Vec::with_capacity(MESSAGES);
    let started = Instant::now();
    let count = hasher.hash_spans(&batch.bytes, &batch.spans, &mut digests);
    let took = started.elapsed();
    black_box(digests);
    per_permutation(
        took,
        count.expect("the spans are the buffer's").permutations,
    )
}

fn per_permutation(took: Duration, permutations: u64) -> f64 {
    took.as_nanos() as f64 / permutations as f64
}

criterion_group!(benches, keccak);
criterion_main!(benches);
