//! Cold reads: none is counted that the store's cache has answered, and none is missed.

use super::{conformance::chain, spec, store_of};
use std::{path::Path, sync::Arc};
use thinstate_engine::leaf_store::{IoCounters, StoreKind};
use thinstate_formats::{BlockNumber, object::Tier, trace::CodeRead};
use thinstate_replay::{
    design::{DesignSpec, DesignStore, FillContext, Overlay, ReadCost, StateDesign, open},
    load::{AccountLoad, BlockLoad, SlotLoad},
    population::{Population, PopulationSpec},
};

const BLOCK: BlockNumber = BlockNumber(20_000_000);
/// Far more than the state and its codes have, however the store divides it.
const AMPLE_BYTES: usize = 256 << 20;
/// Less than the accounts alone have.
const SCANT_BYTES: usize = 16 << 10;
/// Of a page of 4 KiB a quarter, but for its header: larger values lie in pages of their own, which the page store does not cache.
const CACHED_BYTES_MAX: u32 = 4_096 / 4 - 16;

fn opened(
    kind: StoreKind,
    spec: &DesignSpec,
    dir: &Path,
    cache_bytes: usize,
) -> Box<dyn StateDesign> {
    let store = DesignStore {
        cache_bytes,
        ..store_of(kind, dir, 2)
    };
    open(spec, &store).unwrap_or_else(|error| panic!("{}", chain(&error)))
}

/// Two loads: all accounts with all slots that the design keeps in its permanent tier, and all codes.
fn everything(population: &Population, spec: &DesignSpec) -> [Arc<BlockLoad>; 2] {
    let account = |index| AccountLoad {
        address: population.address(index),
        before: population.account(index),
        after: population.account(index),
        storage_wiped: false,
    };
    let slots = (0..population.slots()).map(|index| {
        let slot = population.slot(population.slot_at(index).expect("below slots()"));
        SlotLoad {
            address: slot.address,
            slot: slot.slot,
            before: slot.value,
            after: slot.value,
            class: slot.class,
            object: slot.object,
        }
    });
    let policy = spec.policy();
    let code = |(hash, length)| CodeRead { hash, length };
    let keys = BlockLoad {
        number: BlockNumber(BLOCK.0 + 1),
        accounts: (0..population.accounts()).map(account).collect(),
        slots: slots
            .filter(|slot| policy.tier(slot.class) == Tier::Permanent)
            .collect(),
        ..BlockLoad::default()
    };
    let codes = BlockLoad {
        number: keys.number,
        code_reads: population.code_lengths().map(code).collect(),
        ..BlockLoad::default()
    };
    [keys, codes].map(|mut load| {
        load.sort();
        load.code_reads.sort_by_key(|it| it.hash);
        load.code_reads.dedup_by_key(|it| it.hash);
        load.check().expect("no key twice");
        Arc::new(load)
    })
}

/// Reads a load: what that found, and what the store says that it did meanwhile.
fn read(design: &dyn StateDesign, load: &Arc<BlockLoad>) -> (ReadCost, IoCounters) {
    let plan = design.plan(Arc::clone(load)).expect("planned");
    let before = design.counters();
    let cost = design.read(&plan, &Overlay::default());
    let cost = cost.unwrap_or_else(|error| panic!("{}", chain(&error)));
    (cost, design.counters().since(&before))
}

/// Codes that the store's cache never holds.
fn uncached(kind: StoreKind, codes: &BlockLoad) -> u64 {
    let codes = codes.code_reads.iter();
    match kind {
        StoreKind::Page => codes.filter(|it| it.length > CACHED_BYTES_MAX).count() as u64,
        StoreKind::RocksDb => 0,
    }
}

/// Checks that the store fetched what it says that it fetched for the keys that count as cold, and for no others: one
/// block for each of them, or all pages of a code. `what` is read, for messages.
fn check_cold(
    design: &dyn StateDesign,
    kind: StoreKind,
    [keys, codes]: &[Arc<BlockLoad>; 2],
    what: &str,
) {
    let (cost, done) = read(design, keys);
    let (accounts, slots) = (cost.accounts.reads_cold, cost.slots.reads_cold);
    assert!(
        accounts > 0 && accounts <= keys.accounts.len() as u64,
        "{what}: {accounts} accounts of {}",
        keys.accounts.len()
    );
    assert!(
        slots > 0 && slots <= keys.slots.len() as u64,
        "{what}: {slots} slots of {}",
        keys.slots.len()
    );
    assert_eq!(accounts + slots, done.block_reads, "{what}: {done:?}");
    let (cost, done) = read(design, codes);
    let largest = codes.code_reads.iter().map(|it| it.length).max();
    // A code's own pages, and the page that says where they are.
    let blocks_max = match kind {
        StoreKind::Page => u64::from(largest.unwrap_or_default()).div_ceil(4_096) + 1,
        StoreKind::RocksDb => 1,
    };
    let cold = cost.codes_cold;
    assert!(
        cold <= codes.code_reads.len() as u64 && cold * 20 >= uncached(kind, codes) * 19,
        "{what}: {cold} codes of {}, of which {} are never in the cache",
        codes.code_reads.len(),
        uncached(kind, codes)
    );
    assert!(
        cold > 0 && (cold..=cold * blocks_max).contains(&done.block_reads),
        "{what}: {cold} codes, {done:?}"
    );
}

#[test]
fn no_read_is_cold_that_the_cache_answers_and_none_warm_that_it_does_not() {
    let population = Population::new(PopulationSpec::of(400, 3)).expect("mainnet's shape");
    let context = FillContext {
        block: BLOCK,
        progress: &|_, _, _| {},
    };
    for kind in StoreKind::ALL {
        for name in ["mpt", "flat-lthash", "layered"] {
            let spec = spec(name);
            let loads = everything(&population, &spec);
            let dir = tempfile::tempdir().expect("a folder");
            let with = |cache_bytes| opened(kind, &spec, dir.path(), cache_bytes);
            with(AMPLE_BYTES)
                .fill(&population, &context)
                .unwrap_or_else(|error| panic!("{name}: {}", chain(&error)));
            let what = format!("{name} on {kind}");
            check_cold(&*with(SCANT_BYTES), kind, &loads, &what);
            let design = with(AMPLE_BYTES);
            let all = || loads.each_ref().map(|load| read(&*design, load).0);
            all();
            let [keys, codes] = all();
            let warm = (keys.accounts.reads_cold, keys.slots.reads_cold);
            assert_eq!(warm, (0, 0), "{what}");
            let uncached = uncached(kind, &loads[1]);
            assert!(
                codes.codes_cold.abs_diff(uncached) * 20 <= uncached,
                "{what}: {} codes for {uncached}",
                codes.codes_cold
            );
        }
    }
}
