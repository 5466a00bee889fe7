//! Expiry in place: bytes that dates cost, what a sweep saves, what a read and a change of what has
//! expired cost.
//!
//! Contracts of 500 slots and accounts without any; then a tenth as many writes as there are slots, nine
//! in ten of them to a tenth of the contracts and accounts; what was not written since expires. `THINSTATE_BENCH_SLOTS=500000` and
//! `THINSTATE_BENCH_ENTRIES=16,64,256` choose sizes (slots; most entries under a stub),
//! `THINSTATE_BENCH_DIR` the folder for the stores (a temporary one under the target folder if not
//! given: /tmp may be memory).

use alloy_primitives::{Address, U256, keccak256};
use hdrhistogram::Histogram;
use rand::{Rng as _, RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha12Rng;
use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use thinstate_engine::{
    BlockId, ExpiredReads, ExpiryReport, ExpiryRule, Options, PermanentTier,
    leaf_store::{RocksOptions, RocksStore, Table},
};
use thinstate_formats::{
    Account, AccountChange, AccountUpdate, BlockNumber, StateChanges, StateReader as _,
};

const SLOTS_EACH: u64 = 500;
const SLOTS_TOGETHER: u64 = 100_000;
const CAP: usize = 4096;
const FIRST: u64 = 24_000_000;

type Tier = PermanentTier<RocksStore>;

fn sizes(name: &str, default: &str) -> Vec<u64> {
    let given = std::env::var(name).unwrap_or_else(|_| default.to_owned());
    given
        .split(',')
        .map(|n| n.trim().parse().expect("a list of numbers"))
        .collect()
}

fn address(number: u64) -> Address {
    Address::from_slice(&keccak256(number.to_be_bytes())[12..])
}

/// About twelve bytes, as mainnet's slots have on average.
fn value(random: &mut ChaCha12Rng) -> U256 {
    let bytes = random.random_range(1..=23u32);
    (U256::from(random.next_u64()) << 128 | U256::from(random.next_u64()) << 64 | U256::from(1))
        >> (192 - 8 * bytes) as usize
        | U256::from(1)
}

fn open(dir: &Path) -> Tier {
    let options = Options {
        undo_blocks: 1,
        archive: Some(dir.join("archive")),
        expired_reads: ExpiredReads::ArchiveBacked,
        ..Options::default()
    };
    let store = RocksStore::open(dir.join("store"), RocksOptions::default());
    PermanentTier::open(store.expect("the store opens"), options).expect("the tier opens")
}

/// A state that grows block by block.
struct Chain {
    tier: Tier,
    random: ChaCha12Rng,
    slots: u64,
    next: u64,
}

impl Chain {
    fn load(dir: &Path, slots: u64, first: u64) -> Self {
        let mut chain = Self {
            tier: open(dir),
            random: ChaCha12Rng::seed_from_u64(0x7e57),
            slots,
            next: first,
        };
        for from in (0..slots).step_by(SLOTS_TOGETHER as usize) {
            let mut changes = StateChanges::default();
            for slot in from..(from + SLOTS_TOGETHER).min(slots) {
                chain.write(&mut changes, slot);
                if slot.is_multiple_of(2) {
                    chain.pay(&mut changes, slots + slot);
                }
            }
            chain.apply(&changes);
        }
        chain
    }

    fn pay(&mut self, changes: &mut StateChanges, number: u64) {
        let account = Account {
            nonce: number % 200,
            balance: U256::from(self.random.next_u64()),
            ..Account::default()
        };
        let change = changes.accounts.entry(address(number)).or_default();
        change.account = AccountUpdate::Set(account);
    }

    fn write(&mut self, changes: &mut StateChanges, slot: u64) {
        let owner = slot / SLOTS_EACH;
        let value = value(&mut self.random);
        let account = AccountUpdate::Set(Account {
            nonce: 1,
            code_hash: keccak256([1]),
            ..Account::default()
        });
        let change = changes
            .accounts
            .entry(address(owner))
            .or_insert(AccountChange {
                account,
                ..AccountChange::default()
            });
        change.storage.insert(U256::from(slot % SLOTS_EACH), value);
    }

    fn apply(&mut self, changes: &StateChanges) -> Duration {
        let id = BlockId {
            number: BlockNumber(self.next),
            hash: keccak256(self.next.to_be_bytes()),
        };
        let started = Instant::now();
        self.tier.apply(id, changes).expect("the block is applied");
        self.next += 1;
        started.elapsed()
    }

    /// Writes `count` slots at random, and half as many accounts.
    fn heat(&mut self, count: u64) -> Duration {
        let mut changes = StateChanges::default();
        for n in 0..count {
            let among = match self.random.random_range(0..10) {
                0 => self.slots,
                _ => self.slots / 10,
            };
            let slot = self.random.random_range(0..among);
            self.write(&mut changes, slot);
            if n.is_multiple_of(2) {
                let number = self.slots + 2 * self.random.random_range(0..among / 2);
                self.pay(&mut changes, number);
            }
        }
        self.apply(&changes)
    }

    /// Bytes of table files: accounts, storage.
    fn file_bytes(&self) -> [u64; 2] {
        self.tier.compact().expect("compacts");
        [Table::Accounts, Table::Storage]
            .map(|table| self.tier.table_stats(table).expect("has a size").file_bytes)
    }
}

fn folder() -> tempfile::TempDir {
    let parent = std::env::var_os("THINSTATE_BENCH_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_TARGET_TMPDIR")), PathBuf::from);
    tempfile::tempdir_in(parent).expect("a folder for the stores")
}

fn us(histogram: &Histogram<u64>) -> String {
    let at = |q| histogram.value_at_quantile(q) as f64 / 1e3;
    format!("{:.0} / {:.0} / {:.0}", at(0.5), at(0.99), at(1.0))
}

/// Sweeps until a pass cuts nothing; the longest step too.
fn sweep(tier: &Tier, rule: &ExpiryRule<'_>) -> (ExpiryReport, Duration, Histogram<u64>) {
    let (mut total, mut quiet) = (ExpiryReport::default(), false);
    let mut steps = Histogram::new(3).expect("three digits are allowed");
    let started = Instant::now();
    loop {
        let step = Instant::now();
        let report = tier.expire(rule, CAP).expect("a step");
        steps += step.elapsed().as_nanos() as u64;
        total.entries_scanned += report.entries_scanned;
        total.accounts += report.accounts;
        total.slots += report.slots;
        total.stubs += report.stubs;
        total.records += report.records;
        total.archive_bytes += report.archive_bytes;
        quiet &= report.stubs == 0;
        if report.pass_finished {
            if quiet {
                return (total, started.elapsed(), steps);
            }
            quiet = true;
        }
    }
}

/// Reads slots at random; the times of those that came from the archive and of the others.
fn read(chain: &mut Chain, count: u64) -> [Histogram<u64>; 2] {
    let mut times = [(); 2].map(|()| Histogram::new(3).expect("three digits are allowed"));
    let view = chain.tier.view();
    for _ in 0..count {
        let slot = chain.random.random_range(0..chain.slots);
        let (owner, slot) = (address(slot / SLOTS_EACH), U256::from(slot % SLOTS_EACH));
        let before = chain.tier.counters();
        let started = Instant::now();
        let value = view.slot(owner, slot).expect("it is archived");
        let took = started.elapsed().as_nanos() as u64;
        assert!(!value.is_zero());
        // A live slot is one get; only what is not live is looked for by a scan step.
        let expired = chain.tier.counters().since(&before).scans > 0;
        times[usize::from(expired)] += took;
    }
    times
}

fn dates(slots: u64) {
    let sizes = [0, FIRST].map(|first| {
        let dir = folder();
        let chain = Chain::load(dir.path(), slots, first);
        let head = chain.tier.head();
        let [accounts, storage] = chain.file_bytes();
        let per = |bytes: u64, leaves: u64| bytes as f64 / leaves as f64;
        println!(
            "loaded from block {first}: {} accounts of {:.1} bytes, {} slots of {:.1} bytes in files",
            head.accounts,
            per(accounts, head.accounts),
            head.slots,
            per(storage, head.slots),
        );
        [per(accounts, head.accounts), per(storage, head.slots)]
    });
    println!(
        "dates of blocks from {FIRST} against those from 0: {:+.2} bytes an account, {:+.2} a slot",
        sizes[1][0] - sizes[0][0],
        sizes[1][1] - sizes[0][1],
    );
}

fn expiry(slots: u64, entries_min: usize, entries_max: u64, merge_stubs: bool) {
    let dir = folder();
    let mut chain = Chain::load(dir.path(), slots, FIRST);
    let since = chain.next;
    for _ in 0..20 {
        chain.heat(slots / 200);
    }
    chain.apply(&StateChanges::default());
    let rule = ExpiryRule {
        entries_min,
        entries_max: entries_max as usize,
        merge_stubs,
        ..ExpiryRule::written_before(BlockNumber(since))
    };
    let before = (chain.tier.head(), chain.file_bytes());
    let interior = |tier: &Tier| {
        let (accounts, storage) = tier.interior_size();
        accounts.bytes + storage.bytes
    };
    let memory = interior(&chain.tier);
    let (report, took, steps) = sweep(&chain.tier, &rule);
    let after = (chain.tier.head(), chain.file_bytes());
    let leaves = report.accounts + report.slots;
    let [live, old] = read(&mut chain, 20_000);
    let changed = chain.heat(1000);
    println!(
        "{entries_min} to {entries_max} entries, stubs {}: {leaves} of {} leaves expired, {} stubs left, {:.1} leaves a stub; \
         files {:.1} -> {:.1} MB, interior {:.2} -> {:.2} MB, archive {:.1} MB ({:.1} bytes a leaf), {} records; \
         {:.0} entries/s scanned, {:.0} leaves/s cut, step of {CAP} us p50/p99/max {}; \
         read us p50/p99/max live {}, expired {}; block of 1,500 writes {:.1} ms",
        if merge_stubs { "merge" } else { "stay" },
        before.0.accounts + before.0.slots,
        after.0.stubs,
        leaves as f64 / after.0.stubs as f64,
        before.1.iter().sum::<u64>() as f64 / 1e6,
        after.1.iter().sum::<u64>() as f64 / 1e6,
        memory as f64 / 1e6,
        interior(&chain.tier) as f64 / 1e6,
        report.archive_bytes as f64 / 1e6,
        report.archive_bytes as f64 / leaves as f64,
        report.records,
        report.entries_scanned as f64 / took.as_secs_f64(),
        leaves as f64 / took.as_secs_f64(),
        us(&steps),
        us(&live),
        us(&old),
        changed.as_secs_f64() * 1e3,
    );
}

/// One contract with so many slots, all of them under one stub.
fn rebuild(slots: u64) {
    let dir = folder();
    let mut chain = Chain::load(dir.path(), 0, FIRST);
    let mut changes = StateChanges::default();
    for slot in 0..slots {
        let value = value(&mut chain.random);
        let change = changes.accounts.entry(address(0)).or_default();
        change.account = AccountUpdate::Set(Account::default());
        change.storage.insert(U256::from(slot), value);
    }
    chain.apply(&changes);
    chain.apply(&StateChanges::default());
    let rule = ExpiryRule {
        entries_max: slots as usize,
        ..ExpiryRule::written_before(BlockNumber(FIRST + 1))
    };
    let cap = 2 * rule.cap_min();
    while !chain.tier.expire(&rule, cap).expect("a step").pass_finished {}
    let head = chain.tier.head();
    assert_eq!((head.slots, head.stubs), (0, 1));
    let mut times = Histogram::new(3).expect("three digits are allowed");
    let view = chain.tier.view();
    for n in 0..2000 {
        let started = Instant::now();
        let value = view.slot(address(0), U256::from(n % slots));
        times += started.elapsed().as_nanos() as u64;
        assert!(!value.expect("it is archived").is_zero());
    }
    println!(
        "read under a stub of {slots} leaves: us p50/p99/max {}",
        us(&times)
    );
}

fn main() {
    for leaves in [2, 16, 64, 256, 1024] {
        rebuild(leaves);
    }
    for slots in sizes("THINSTATE_BENCH_SLOTS", "500000") {
        dates(slots);
        for entries_max in sizes("THINSTATE_BENCH_ENTRIES", "16,64,256") {
            for (entries_min, merge_stubs) in [(2, false), (4, false), (2, true)] {
                expiry(slots, entries_min, entries_max, merge_stubs);
            }
        }
    }
}
