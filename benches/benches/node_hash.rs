//! The hash functions that trees of the cheap tiers may have, on what they hash: 64-byte nodes of lists and bits
//! and leaves of periods, 128-byte inner nodes of periods and records, one at a time and in batches of 1,024.
//!
//! One table, all measured in turns, of which the fastest counts.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};
use thinstate_benches::print_rows;
use thinstate_formats::{HashKind, NodeHasher, keccak::LaneWidth};

const MESSAGES: usize = 1_024;
const TURNS: usize = 300;

fn messages<const LEN: usize>() -> Vec<[u8; LEN]> {
    let byte = |message: usize, at: usize| (message * 131 + at * 7 + message / 256) as u8;
    (0..MESSAGES)
        .map(|message| core::array::from_fn(|at| byte(message, at)))
        .collect()
}

/// Nanoseconds of a message.
fn each(took: Duration) -> f64 {
    took.as_nanos() as f64 / MESSAGES as f64
}

fn one_at_a_time<const LEN: usize>(hasher: &NodeHasher, messages: &[[u8; LEN]]) -> f64 {
    let started = Instant::now();
    for message in messages {
        black_box(hasher.hash(black_box(message)));
    }
    each(started.elapsed())
}

fn together<const LEN: usize>(hasher: &NodeHasher, messages: &[[u8; LEN]]) -> f64 {
    let mut digests = Vec::with_capacity(MESSAGES);
    let started = Instant::now();
    hasher.hash_blocks(black_box(messages), &mut digests);
    let took = started.elapsed();
    black_box(digests);
    each(took)
}

fn main() {
    // Criterion's own arguments (`--bench`, `--test`) mean nothing here.
    let hashers = HashKind::ALL.map(NodeHasher::new);
    let (nodes, wide) = (messages::<64>(), messages::<128>());
    let mut fastest = [[f64::MAX; 4]; HashKind::ALL.len()];
    for _ in 0..TURNS {
        for (hasher, fastest) in hashers.iter().zip(&mut fastest) {
            let took = [
                one_at_a_time(hasher, &nodes),
                together(hasher, &nodes),
                one_at_a_time(hasher, &wide),
                together(hasher, &wide),
            ];
            for (least, took) in fastest.iter_mut().zip(took) {
                *least = least.min(took);
            }
        }
    }
    let [least, ..] = fastest;
    let row = |(hasher, ns): (&NodeHasher, &[f64; 4])| {
        let cells = ns
            .iter()
            .zip(least)
            .map(|(ns, of_blake3)| format!("{ns:.1} ({:.1})", ns / of_blake3));
        core::iter::once(hasher.kind().to_string())
            .chain(cells)
            .collect()
    };
    let rows: Vec<Vec<String>> = hashers.iter().zip(&fastest).map(row).collect();
    let heads = [
        "ns a message (times BLAKE3's)",
        "64 B, one at a time",
        "64 B, in a batch",
        "128 B, one at a time",
        "128 B, in a batch",
    ];
    print_rows(&heads, &rows);
    eprintln!("keccak256 in batches: {}", LaneWidth::detect());
}
