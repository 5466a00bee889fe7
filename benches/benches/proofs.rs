//! Sizes and verification times of proofs in counted trees: inclusion, exclusion, 64 leaves at once,
//! with each hash function.
//!
//! Trees of `THINSTATE_BENCH_LEAVES` (default 1000000; 1000000,100000000 takes a few minutes) random
//! leaves are built page by page, and proofs taken from them. Beside them stand proofs of trees
//! that are only computed ([`Synthetic`]), of the same sizes and of `THINSTATE_BENCH_COMPUTED` (default
//! 34000000000) leaves. `THINSTATE_BENCH_HASHES=blake3` leaves the other functions out.
//!
//! The proven leaf itself is no part of an inclusion proof's bytes; an exclusion proof holds its
//! neighbours, with values of 12 bytes.

use alloy_primitives::{B256, U256};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::{
    cell::Cell,
    hint::black_box,
    time::{Duration, Instant},
};
use thinstate_benches::{PagedTree, Synthetic, chosen, numbers, print_rows};
use thinstate_formats::{
    HashKind, NodeHasher,
    counted::{ExclusionProof, InclusionProof, Leaf, LocationProof, MultiProof, Node},
};

const SEED: u64 = 0x5ea1;
/// Proofs of each kind of which sizes are taken.
const SAMPLES: usize = 400;
/// Leaves of a multiproof.
const TOGETHER: usize = 64;
/// Multiproofs of which sizes are taken.
const MULTI_SAMPLES: usize = 40;

/// A proof with what it is verified against.
enum Case {
    Inclusion(Node, Leaf, InclusionProof),
    Exclusion(Node, B256, ExclusionProof),
    Multi(Node, Vec<Leaf>, MultiProof),
}

impl Case {
    const KINDS: [&str; 3] = ["inclusion", "exclusion", "64 leaves"];

    const fn kind(&self) -> usize {
        match self {
            Self::Inclusion(..) => 0,
            Self::Exclusion(..) => 1,
            Self::Multi(..) => 2,
        }
    }

    fn verify(&self, hasher: &NodeHasher) -> bool {
        match self {
            Self::Inclusion(root, leaf, proof) => proof.verify(hasher, *root, leaf).is_ok(),
            Self::Exclusion(root, location, proof) => proof.verify(hasher, *root, location).is_ok(),
            Self::Multi(root, leaves, proof) => proof.verify(hasher, *root, leaves).is_ok(),
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Inclusion(_, _, proof) => proof.encode().len(),
            Self::Exclusion(_, _, proof) => proof.encode().len(),
            Self::Multi(_, _, proof) => proof.encode().len(),
        }
    }

    fn siblings(&self) -> usize {
        match self {
            Self::Inclusion(_, _, proof) => proof.siblings.len(),
            Self::Multi(_, _, proof) => proof.siblings.len(),
            Self::Exclusion(_, _, proof) => match proof {
                ExclusionProof::Between { proof, .. } => proof.siblings.len(),
                ExclusionProof::BeforeFirst { proof, .. }
                | ExclusionProof::AfterLast { proof, .. } => proof.siblings.len(),
                ExclusionProof::EmptyTree => 0,
            },
        }
    }

    /// That there is nothing right behind `left`, which `right` follows.
    fn exclusion(root: Node, left: (Leaf, InclusionProof), right: (Leaf, InclusionProof)) -> Self {
        let behind = U256::from_be_bytes(left.0.location.0) + U256::from(1);
        match LocationProof::excluded(Some(left), Some(right)) {
            Ok(LocationProof::Excluded(proof)) => Self::Exclusion(root, behind.into(), proof),
            _ => unreachable!("asked for a proof of absence, of leaves in order"),
        }
    }

    fn multi(root: Node, leaves: Vec<Leaf>, proofs: &[InclusionProof]) -> Self {
        let proof = MultiProof::merge(proofs).expect("proofs of one tree, in order");
        Self::Multi(root, leaves, proof)
    }
}

/// Proofs of all kinds from a built tree.
fn built(tree: &PagedTree, random: &mut ChaCha8Rng) -> Vec<Case> {
    let root = tree.root();
    let mut cases = Vec::new();
    for _ in 0..SAMPLES {
        let page = random.random_range(0..tree.pages());
        let place = random.random_range(0..tree.page(page).len() - 1);
        let [left, right] = [place, place + 1].map(|place| {
            let (leaf, _, proof) = tree.prove(page, &[place]).remove(0);
            (leaf, proof)
        });
        cases.push(Case::Inclusion(root, left.0, left.1.clone()));
        cases.push(Case::exclusion(root, left, right));
    }
    for _ in 0..MULTI_SAMPLES {
        let mut pages: Vec<u64> = (0..TOGETHER)
            .map(|_| random.random_range(0..tree.pages()))
            .collect();
        pages.sort_unstable();
        let mut proven = Vec::new();
        for pages in pages.chunk_by(|a, b| a == b) {
            let leaves = tree.page(pages[0]).len();
            let mut places: Vec<usize> = Vec::new();
            while places.len() < pages.len() {
                let place = random.random_range(0..leaves);
                if !places.contains(&place) {
                    places.push(place);
                }
            }
            places.sort_unstable();
            proven.extend(tree.prove(pages[0], &places));
        }
        let leaves = proven.iter().map(|(leaf, ..)| *leaf).collect();
        let proofs: Vec<_> = proven.into_iter().map(|(.., proof)| proof).collect();
        cases.push(Case::multi(root, leaves, &proofs));
    }
    cases
}

/// Proofs of all kinds from trees that are not built.
fn computed(hasher: &NodeHasher, count: u64, random: &mut ChaCha8Rng) -> Vec<Case> {
    let mut cases = Vec::new();
    for _ in 0..SAMPLES {
        let index = random.random_range(0..count - 1);
        let tree = Synthetic::grow(hasher, count, &[index, index + 1], random);
        let [left, right] = [0, 1].map(|at| (tree.leaves[at], tree.proofs[at].clone()));
        cases.push(Case::Inclusion(tree.root, left.0, left.1.clone()));
        cases.push(Case::exclusion(tree.root, left, right));
    }
    for _ in 0..MULTI_SAMPLES {
        let mut indexes: Vec<u64> = (0..TOGETHER)
            .map(|_| random.random_range(0..count))
            .collect();
        indexes.sort_unstable();
        indexes.dedup();
        let tree = Synthetic::grow(hasher, count, &indexes, random);
        cases.push(Case::multi(tree.root, tree.leaves, &tree.proofs));
    }
    cases
}

/// Times the verification of some proofs in turn; returns nanoseconds for each at the best sample.
fn time(c: &mut Criterion, hasher: &NodeHasher, name: &str, cases: &[&Case]) -> f64 {
    let best = Cell::new(f64::INFINITY);
    let mut group = c.benchmark_group(format!("verify/{}", hasher.kind()));
    group
        .sample_size(10)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(800));
    group.bench_function(BenchmarkId::from_parameter(name), |b| {
        b.iter_custom(|times| {
            let started = Instant::now();
            for case in cases.iter().cycle().take(times as usize) {
                assert!(black_box(case).verify(hasher), "proofs verify");
            }
            let took = started.elapsed();
            best.set(best.get().min(took.as_nanos() as f64 / times as f64));
            took
        });
    });
    group.finish();
    best.get()
}

fn report(
    c: &mut Criterion,
    hasher: &NodeHasher,
    (leaves, source): (u64, &str),
    cases: &[Case],
    rows: &mut Vec<Vec<String>>,
) {
    for (kind, name) in Case::KINDS.iter().enumerate() {
        let cases: Vec<&Case> = cases.iter().filter(|case| case.kind() == kind).collect();
        let of = |f: fn(&Case) -> usize| cases.iter().map(move |case| f(case));
        let mean = |f| of(f).sum::<usize>() as f64 / cases.len() as f64;
        let id = format!("{leaves} leaves, {source}, {name}");
        let verify_ns = time(c, hasher, &id, &cases);
        rows.push(vec![
            hasher.kind().to_string(),
            leaves.to_string(),
            source.to_owned(),
            (*name).to_owned(),
            format!("{:.1}", mean(Case::siblings)),
            format!("{:.0}", mean(Case::bytes)),
            of(Case::bytes).min().unwrap_or_default().to_string(),
            of(Case::bytes).max().unwrap_or_default().to_string(),
            format!("{:.2}", verify_ns / 1e3),
        ]);
    }
}

fn proofs(c: &mut Criterion) {
    let mut rows = Vec::new();
    let sizes = numbers("THINSTATE_BENCH_LEAVES", "1000000");
    let larger = numbers("THINSTATE_BENCH_COMPUTED", "34000000000");
    let kinds = HashKind::ALL.into_iter();
    for kind in kinds.filter(|kind| chosen("THINSTATE_BENCH_HASHES", kind.name())) {
        let hasher = NodeHasher::new(kind);
        let mut random = ChaCha8Rng::seed_from_u64(SEED);
        for leaves in &sizes {
            let started = Instant::now();
            let tree = PagedTree::build(hasher, *leaves, SEED);
            eprintln!(
                "{kind}: {} leaves in {:.1?}",
                tree.root().count,
                started.elapsed()
            );
            let cases = built(&tree, &mut random);
            report(c, &hasher, (*leaves, "built"), &cases, &mut rows);
        }
        for leaves in sizes.iter().chain(&larger) {
            let cases = computed(&hasher, *leaves, &mut random);
            report(c, &hasher, (*leaves, "computed"), &cases, &mut rows);
        }
    }
    let heads = [
        "hash",
        "leaves",
        "tree",
        "proof",
        "siblings",
        "bytes, mean",
        "min",
        "max",
        "verify us",
    ];
    print_rows(&heads, &rows);
}

criterion_group!(benches, proofs);
criterion_main!(benches);
