//! A state of mainnet's shape built in bulk, and the same state applied in blocks of 10,000 entries, on each leaf
//! store: entries a second, bytes written, and the ratio, in one run.
//!
//! Blocks bring accounts in the order of their numbers, then slots from the one written longest ago to the
//! latest. Both end at the same root, which is checked.
//!
//! `THINSTATE_BENCH_ACCOUNTS=200000` chooses sizes, `THINSTATE_BENCH_BLOCK=10000` the entries of a block,
//! `THINSTATE_BENCH_BLOCKS=0` how many blocks of slots are applied at most (0: all; the root is then that of the
//! whole state), `THINSTATE_BENCH_DIR` the folder for the stores.

use std::{
    path::Path,
    time::{Duration, Instant},
};
use thinstate_benches::{device_written_bytes, folder, numbers, print_rows};
use thinstate_engine::{
    Options, PermanentTier,
    leaf_store::{DiskOptions, DiskStore, StoreKind},
};
use thinstate_formats::{AccountUpdate, BlockNumber, StateChanges};
use thinstate_replay::{
    design::FillContext,
    fill::{self, block_id},
    population::{Population, PopulationSpec, SlotId},
};

const SEED: u64 = 0xf111;
const BLOCK: BlockNumber = BlockNumber(24_870_000);

/// How the entries got into the store.
struct Row {
    store: StoreKind,
    how: &'static str,
    accounts: u64,
    entries: u64,
    took: Duration,
    /// To the device, as far as the kernel has sent it there.
    device_bytes: u64,
    /// By the store: log, flushes, compactions, table files.
    store_bytes: u64,
}

impl Row {
    fn rate(&self) -> f64 {
        self.entries as f64 / self.took.as_secs_f64()
    }

    fn cells(&self, others: f64) -> Vec<String> {
        let each = |bytes: u64| format!("{:.0}", bytes as f64 / self.entries as f64);
        vec![
            self.store.to_string(),
            self.how.to_owned(),
            self.accounts.to_string(),
            self.entries.to_string(),
            format!("{:.2}", self.took.as_secs_f64()),
            format!("{:.0}", self.rate()),
            each(self.store_bytes),
            each(self.device_bytes),
            format!("{:.1}", self.rate() / others),
        ]
    }
}

type Tier = PermanentTier<DiskStore>;

fn open(kind: StoreKind, dir: &Path) -> Tier {
    let store = DiskStore::open(dir, &DiskOptions::of(kind)).expect("the leaf store opens");
    PermanentTier::open(store, Options::default()).expect("the tier opens")
}

/// Measures how `work` brings so many entries into the store.
fn measure(tier: &Tier, how: &'static str, accounts: u64, work: impl FnOnce(&Tier) -> u64) -> Row {
    let device = device_written_bytes();
    let started = Instant::now();
    let entries = work(tier);
    tier.flush().expect("the store flushes");
    Row {
        store: tier.leaf_store().kind(),
        how,
        accounts,
        entries,
        took: started.elapsed(),
        device_bytes: device_written_bytes() - device,
        store_bytes: tier.counters().store_written_bytes,
    }
}

fn in_bulk(tier: &Tier, population: &Population) -> u64 {
    let context = FillContext {
        block: BLOCK,
        progress: &|_, _, _| {},
    };
    let report = fill::permanent(tier, population, &|_| true, &context);
    let report = report.expect("the fill succeeds");
    report.accounts + report.slots
}

/// Applies blocks, and counts their entries.
struct Blocks<'a> {
    tier: &'a Tier,
    number: u64,
    entries: u64,
}

impl Blocks<'_> {
    fn apply(&mut self, changes: &StateChanges, entries: u64) {
        let applied = self.tier.apply(block_id(BlockNumber(self.number)), changes);
        applied.expect("the block applies");
        self.number += 1;
        self.entries += entries;
    }
}

fn in_blocks(tier: &Tier, population: &Population, together: u64, blocks_max: u64) -> u64 {
    let mut blocks = Blocks {
        tier,
        number: 1,
        entries: 0,
    };
    for from in (0..population.accounts()).step_by(together as usize) {
        let to = (from + together).min(population.accounts());
        let mut changes = StateChanges::default();
        for number in from..to {
            let change = changes.accounts.entry(population.address(number));
            let account = population.account(number).expect("an account");
            change.or_default().account = AccountUpdate::Set(account);
        }
        blocks.apply(&changes, to - from);
    }
    let limit = match blocks_max {
        0 => population.slots(),
        blocks => population.slots().min(blocks * together),
    };
    for from in (0..limit).step_by(together as usize) {
        let to = (from + together).min(limit);
        let mut changes = StateChanges::default();
        for rank in from..to {
            let rank = population.slots() - 1 - rank;
            let id: SlotId = population.recent_slot(rank).expect("a slot");
            let slot = population.slot(id);
            let change = changes.accounts.entry(slot.address).or_default();
            change.storage.insert(slot.slot, slot.value);
        }
        blocks.apply(&changes, to - from);
    }
    blocks.entries
}

fn main() {
    // Criterion's own arguments (`--bench`, `--test`) mean nothing here.
    let together = numbers("THINSTATE_BENCH_BLOCK", "10000")[0];
    let blocks_max = numbers("THINSTATE_BENCH_BLOCKS", "0")[0];
    let mut rows = Vec::new();
    for accounts in numbers("THINSTATE_BENCH_ACCOUNTS", "200000") {
        let spec = PopulationSpec::of(accounts, SEED);
        let population = Population::new(spec).expect("mainnet's shape");
        for kind in StoreKind::ALL {
            let (one, other) = (
                folder(env!("CARGO_TARGET_TMPDIR")),
                folder(env!("CARGO_TARGET_TMPDIR")),
            );
            let tier = open(kind, one.path());
            let bulk = measure(&tier, "bulk", accounts, |tier| in_bulk(tier, &population));
            let root = tier.head().root;
            drop(tier);
            let tier = open(kind, other.path());
            let blocks = measure(&tier, "blocks", accounts, |tier| {
                in_blocks(tier, &population, together, blocks_max)
            });
            if blocks.entries == bulk.entries {
                assert_eq!(tier.head().root, root, "both ways lead to one root");
            }
            let slow = blocks.rate();
            rows.extend([blocks.cells(slow), bulk.cells(slow)]);
        }
    }
    print_rows(
        &[
            "store",
            "how",
            "accounts",
            "entries",
            "s",
            "entries/s",
            "store B/entry",
            "device B/entry",
            "ratio",
        ],
        &rows,
    );
}
