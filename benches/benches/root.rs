//! What a root costs: blocks of random updates of accounts in a leaf store in memory, against the bare
//! permutations that they need, on as many threads.
//!
//! The time is that of `PermanentTier::prepare`: keys hashed and sorted, changes sent to buckets, buckets scanned,
//! built and hashed, branches above them copied and hashed. The bare permutations are run beside it, on all
//! threads at once, before each block. Runs take turns, block by block: what else the machine does falls on all of them.
//!
//! `THINSTATE_BENCH_ACCOUNTS=1000000` and `THINSTATE_BENCH_UPDATES=50000` choose sizes (lists),
//! `THINSTATE_BENCH_BUCKETS=64` the bucket sizes, `THINSTATE_BENCH_HELD_MIB=0,1024` the memory for hashes of leaves
//! (before anything is measured, the hashes of all buckets are found out, as far as they fit),
//! `THINSTATE_BENCH_LANES=avx-512,scalar` lane widths by words of their names (all where not given),
//! `THINSTATE_BENCH_BLOCKS=12` the blocks of each.

use alloy_primitives::{B256, KECCAK256_EMPTY, U256};
use core::time::Duration;
use hdrhistogram::Histogram;
use rayon::prelude::*;
use std::{hint::black_box, time::Instant};
use thinstate_benches::{Block, PackedStore, Workload, chosen, numbers, print_rows};
use thinstate_engine::{
    BlockId, BulkAccount, BulkPart, BulkSource, Options, PermanentTier, TrieWork,
};
use thinstate_formats::{
    Account, AccountChange, AccountUpdate, BatchHasher, BlockNumber, StateChanges,
    keccak::LaneWidth,
};

const SEED: u64 = 0x7007;
/// Accounts of a part of the build.
const PART: usize = 100_000;
/// Permutations that measure the bare one, for each thread.
const BARE: usize = 100_000;

type Tier = PermanentTier<PackedStore>;

/// One way to compute roots, with what it took.
struct Run {
    name: String,
    hasher: BatchHasher,
    tier: Tier,
    root_ns: Histogram<u64>,
    bare_ns: Histogram<u64>,
    work: TrieWork,
    blocks: u64,
}

fn account(balance: U256) -> Account {
    Account {
        nonce: 1,
        balance,
        code_hash: KECCAK256_EMPTY,
    }
}

/// The accounts to begin with, by hashed address.
fn state(accounts: u64) -> Vec<(B256, U256)> {
    let hasher = BatchHasher::new();
    let blocks: Vec<Block> = Workload::new(accounts, SEED).preload(PART as u64).collect();
    let hashed = |block: Block| {
        let (addresses, balances): (Vec<_>, Vec<_>) = block.into_iter().unzip();
        let mut keys = Vec::new();
        hasher.hash_addresses(&addresses, &mut keys);
        keys.into_iter().zip(balances).collect::<Vec<_>>()
    };
    let mut state: Vec<_> = blocks.into_par_iter().flat_map_iter(hashed).collect();
    state.par_sort_unstable_by_key(|(key, _)| *key);
    state
}

fn id(number: u64) -> BlockId {
    BlockId {
        number: BlockNumber(number),
        hash: B256::ZERO,
    }
}

fn build(state: &[(B256, U256)], options: Options) -> Tier {
    // Pages of some ten entries.
    let bits = (state.len() / 10).max(256).ilog2();
    let tier = Tier::open(PackedStore::new(bits), options).expect("the tier opens");
    let part = |accounts: &[(B256, U256)]| BulkPart {
        accounts: accounts
            .iter()
            .map(|(key, balance)| BulkAccount {
                key: *key,
                account: account(*balance),
                last_written: BlockNumber(0),
                slots: 0,
            })
            .collect(),
        slots: Vec::new(),
    };
    let source = BulkSource {
        id: B256::ZERO,
        codes: Vec::new(),
        parts: state.chunks(PART).map(part),
    };
    tier.bulk_build(id(0), source, &|_| {})
        .expect("the state is built");
    tier
}

/// Nanoseconds of one bare permutation on one thread, while all of them run some.
fn bare(hasher: &BatchHasher, threads: usize) -> f64 {
    let started = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| black_box(hasher.permute_only(BARE / hasher.width().lanes())));
        }
    });
    started.elapsed().as_nanos() as f64 / BARE as f64
}

fn changes(block: &Block) -> StateChanges {
    let change = |balance: U256| AccountChange {
        account: AccountUpdate::Set(account(balance)),
        ..AccountChange::default()
    };
    StateChanges {
        accounts: block.iter().map(|(a, b)| (*a, change(*b))).collect(),
        ..StateChanges::default()
    }
}

impl Run {
    fn new(name: String, state: &[(B256, U256)], options: Options) -> Self {
        let width = options.lanes.unwrap_or_else(LaneWidth::detect);
        let histogram = || Histogram::new(3).expect("three digits are allowed");
        Self {
            name,
            hasher: BatchHasher::with_width(width).expect("it is available"),
            tier: build(state, options),
            root_ns: histogram(),
            bare_ns: histogram(),
            work: TrieWork::default(),
            blocks: 0,
        }
    }

    /// Has the hashes of all buckets held, as far as they fit: with a block that changes nothing.
    fn warm(&self, accounts: u64) {
        for block in Workload::new(accounts, SEED).preload(2 * PART as u64) {
            let prepared = self.tier.prepare(&changes(&block));
            assert_eq!(
                prepared.expect("the block is prepared").root(),
                self.tier.head().root
            );
        }
    }

    /// Applies a block; gives the root. The first one warms up.
    fn block(&mut self, changes: &StateChanges, threads: usize) -> B256 {
        let permutation = bare(&self.hasher, threads);
        let started = Instant::now();
        let prepared = self.tier.prepare(changes).expect("the block is prepared");
        let took = started.elapsed();
        let (root, work) = (prepared.root(), prepared.work());
        let number = self.tier.head().block.map_or(0, |block| block.number.0) + 1;
        self.tier
            .commit(id(number), prepared)
            .expect("the block is committed");
        self.blocks += 1;
        if self.blocks == 1 {
            return root;
        }
        // The keys are hashed as well.
        let needed = work.permutations + changes.accounts.len() as u64;
        let bare = needed as f64 * permutation / threads as f64;
        self.work.add(&work);
        self.root_ns += took.as_nanos() as u64;
        self.bare_ns += bare as u64;
        root
    }

    fn row(&self, accounts: u64, updates: usize, threads: usize) -> Vec<String> {
        let blocks = (self.blocks - 1) as f64;
        let each = |n: u64| format!("{:.1}", n as f64 / blocks / updates as f64);
        let ms = |ns: f64| format!("{:.1}", ns / blocks / 1e6);
        let [root, bare] = [&self.root_ns, &self.bare_ns].map(|h| h.value_at_quantile(0.5) as f64);
        let work = &self.work;
        let shared = (work.load_ns + work.hash_ns + work.plan_ns) as f64 / threads as f64;
        let all = self.root_ns.mean() * blocks;
        let (interior, _) = self.tier.interior_size();
        vec![
            self.name.clone(),
            format!("{}M", accounts as f64 / 1e6),
            updates.to_string(),
            format!("{:.1}", root / 1e6),
            format!("{:.1}", self.root_ns.value_at_quantile(0.99) as f64 / 1e6),
            format!("{:.0}", updates as f64 * 1e9 / root),
            format!("{:.1}", bare / 1e6),
            format!("{:.2}", root / bare),
            format!(
                "{}/{}/{}",
                each(work.buckets),
                each(work.bucket_entries),
                each(work.leaves_held)
            ),
            format!("{}/{}", each(work.hashes), each(work.permutations)),
            ms(work.load_ns as f64 / threads as f64),
            ms(work.hash_ns as f64 / threads as f64),
            ms(work.plan_ns as f64 / threads as f64),
            ms(all - shared),
            format!("{:.1}", interior.bytes as f64 / accounts as f64),
            format!(
                "{:.1}",
                self.tier.leaf_hash_bytes() as f64 / accounts as f64
            ),
        ]
    }
}

fn runs(state: &[(B256, U256)]) -> Vec<Run> {
    let mut runs = Vec::new();
    let widths = LaneWidth::available()
        .filter(|width| chosen("THINSTATE_BENCH_LANES", &width.to_string().to_lowercase()));
    let (buckets, held) = (
        numbers("THINSTATE_BENCH_BUCKETS", "64"),
        numbers("THINSTATE_BENCH_HELD_MIB", "0"),
    );
    let variant = |width: LaneWidth| {
        let of_width = buckets
            .iter()
            .flat_map(|b| held.iter().map(move |h| (*b, *h)));
        of_width
            .map(move |(buckets, held)| (width, buckets, held))
            .collect::<Vec<_>>()
    };
    for (width, bucket_entries_max, held_mib) in widths.flat_map(variant) {
        let options = Options {
            bucket_entries_max: bucket_entries_max as usize,
            leaf_hash_bytes_max: (held_mib << 20) as usize,
            lanes: Some(width),
            ..Options::default()
        };
        let started = Instant::now();
        let name = format!("{width}, buckets of {bucket_entries_max}, {held_mib} MiB held");
        let run = Run::new(name, state, options);
        if held_mib > 0 {
            run.warm(state.len() as u64);
        }
        runs.push(run);
        let took: Duration = started.elapsed();
        eprintln!("{} accounts in {took:.1?}", state.len());
    }
    runs
}

const HEADS: [&str; 16] = [
    "lanes, buckets",
    "accounts",
    "updates",
    "root p50 ms",
    "p99 ms",
    "updates/s",
    "bare permutations ms",
    "ratio",
    "buckets/entries/leaves held per update",
    "nodes/permutations per update",
    "load ms",
    "build and hash ms",
    "plan ms",
    "rest ms",
    "interior B/account",
    "held B/account",
];

fn main() {
    // Criterion's own arguments (`--bench`, `--test`) mean nothing here.
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let blocks = numbers("THINSTATE_BENCH_BLOCKS", "12")[0];
    let mut rows = Vec::new();
    for accounts in numbers("THINSTATE_BENCH_ACCOUNTS", "1000000") {
        let state = state(accounts);
        for updates in numbers("THINSTATE_BENCH_UPDATES", "50000") {
            let updates = updates as usize;
            let mut runs = runs(&state);
            let mut workload = Workload::new(accounts, SEED);
            for _ in 0..=blocks {
                let changes = changes(&workload.block(updates));
                let mut roots = runs.iter_mut().map(|run| run.block(&changes, threads));
                let first = roots.next();
                assert!(roots.all(|root| Some(root) == first), "roots differ");
            }
            rows.extend(runs.iter().map(|run| run.row(accounts, updates, threads)));
        }
    }
    print_rows(&HEADS, &rows);
    eprintln!("{threads} threads; load, build and hash: time of all threads, divided by them");
}
