//! keccak256 of batches of 1,024 messages at each lane width of this CPU, against one at a time.
//!
//! Lengths are those of a trie: a hashed slot key (32 B), an address and its slot (64 B), an
//! account's leaf (110 B), a full branch (532 B), and a mixture of them. Throughput is in messages;
//! a full branch is four permutations.

use alloy_primitives::{B256, keccak256};
use criterion::{
    BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main, measurement::WallTime,
};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::hint::black_box;
use thinstate_formats::keccak::{BatchHasher, LaneWidth, Span};

const MESSAGES: usize = 1_024;
const SEED: u64 = 0x6B65_6363;

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
    let cases: [(&str, &[u32]); 5] = [
        ("keccak/32 B", &[32]),
        ("keccak/64 B", &[64]),
        ("keccak/110 B", &[110]),
        ("keccak/532 B", &[532]),
        (
            "keccak/mixed",
            &[110, 70, 532, 110, 83, 532, 180, 110, 70, 340],
        ),
    ];
    for (name, lengths) in cases {
        let batch = Batch::new(lengths);
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Elements(MESSAGES as u64));
        one_at_a_time(&mut group, &batch);
        for width in LaneWidth::available() {
            in_lanes(&mut group, &batch, width);
        }
        group.finish();
    }
}

criterion_group!(benches, keccak);
criterion_main!(benches);
