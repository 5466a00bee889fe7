//! Cold reads: none is counted that the store's cache has answered, and none is missed.

use super::{conformance::chain, spec, store_of};
use std::{path::Path, sync::Arc};
use thinstate_engine::leaf_store::StoreKind;
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

/// Reads all accounts, all slots that the design keeps in its permanent tier, and all codes.
fn everything(population: &Population, spec: &DesignSpec) -> BlockLoad {
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
    let mut load = BlockLoad {
        number: BlockNumber(BLOCK.0 + 1),
        accounts: (0..population.accounts()).map(account).collect(),
        slots: slots
            .filter(|slot| policy.tier(slot.class) == Tier::Permanent)
            .collect(),
        code_reads: population.code_lengths().map(code).collect(),
        ..BlockLoad::default()
    };
    load.sort();
    load.code_reads.sort_by_key(|it| it.hash);
    load.code_reads.dedup_by_key(|it| it.hash);
    load.check().expect("no key twice");
    load
}

fn read(design: &dyn StateDesign, load: &Arc<BlockLoad>) -> ReadCost {
    let plan = design.plan(Arc::clone(load)).expect("planned");
    let read = design.read(&plan, &Overlay::default());
    read.unwrap_or_else(|error| panic!("{}", chain(&error)))
}

fn cold(cost: &ReadCost) -> [u64; 3] {
    [
        cost.accounts.reads_cold,
        cost.slots.reads_cold,
        cost.codes_cold,
    ]
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
            let load = Arc::new(everything(&population, &spec));
            let dir = tempfile::tempdir().expect("a folder");
            let with = |cache_bytes| opened(kind, &spec, dir.path(), cache_bytes);
            with(AMPLE_BYTES)
                .fill(&population, &context)
                .unwrap_or_else(|error| panic!("{name}: {}", chain(&error)));
            let scant = cold(&read(&*with(SCANT_BYTES), &load));
            let keys = [load.accounts.len(), load.slots.len(), load.code_reads.len()];
            for (cold, keys) in scant.into_iter().zip(keys) {
                assert!(
                    cold > 0 && cold <= keys as u64,
                    "{name} on {kind}: {scant:?} of {keys}"
                );
            }
            let design = with(AMPLE_BYTES);
            read(&*design, &load);
            let second = cold(&read(&*design, &load));
            let large = load
                .code_reads
                .iter()
                .filter(|code| code.length > CACHED_BYTES_MAX);
            let uncached = match kind {
                StoreKind::Page => large.count() as u64,
                StoreKind::RocksDb => 0,
            };
            assert_eq!(second[..2], [0, 0], "{name} on {kind}");
            assert!(
                second[2].abs_diff(uncached) * 20 <= uncached,
                "{name} on {kind}: {} codes for {uncached}",
                second[2]
            );
        }
    }
}
