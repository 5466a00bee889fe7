//! Stores that are filled before the first block.

use super::{
    conformance::{carry_out, chain, world::address},
    opened, spec, store,
};
use alloy_primitives::U256;
use std::sync::Arc;
use thinstate_formats::{Account, BlockNumber};
use thinstate_replay::{
    design::{DesignError, FillContext, Preload, StateDesign, flat_lthash::FlatLtHash},
    load::{AccountLoad, BlockLoad, SlotLoad},
    population::{Population, PopulationSpec},
};

const BLOCK: BlockNumber = BlockNumber(20_000_000);

fn context(block: BlockNumber) -> FillContext<'static> {
    FillContext {
        block,
        progress: &|_, _, _| {},
    }
}

fn population() -> Population {
    Population::new(PopulationSpec::of(1_500, 3)).expect("mainnet's shape")
}

/// Reads everything that is there, something that is not, and writes a little.
fn everything(population: &Population, number: BlockNumber) -> BlockLoad {
    let accounts = (0..population.accounts() + 5).map(|index| AccountLoad {
        address: population.address(index),
        before: population.account(index),
        after: population.account(index),
        storage_wiped: false,
    });
    let slots = (0..population.slots()).map(|index| {
        let id = population.slot_at(index).expect("below slots()");
        let slot = population.slot(id);
        SlotLoad {
            address: slot.address,
            slot: slot.slot,
            before: slot.value,
            after: match index % 50 {
                0 => population.value(id, 1),
                _ => slot.value,
            },
            class: slot.class,
            object: slot.object,
        }
    });
    let mut load = BlockLoad {
        number,
        accounts: accounts.collect(),
        slots: slots.collect(),
        ..BlockLoad::default()
    };
    load.sort();
    load.check().expect("no key twice");
    load
}

#[test]
fn no_entry_of_a_population_is_missing_whatever_the_design() {
    let population = population();
    let load = Arc::new(everything(&population, BlockNumber(BLOCK.0 + 1)));
    let mut roots = Vec::new();
    for name in ["mpt", "mpt-expiry", "flat-lthash"] {
        let dir = tempfile::tempdir().expect("a folder");
        let design = opened(&spec(name), dir.path(), 2);
        design
            .fill(&population, &context(BLOCK))
            .unwrap_or_else(|error| panic!("{name}: {}", chain(&error)));
        assert_eq!(design.head(), Some(BLOCK));
        let size = design.size().expect("size");
        let all = (population.accounts(), population.slots());
        let expires = name == "mpt-expiry";
        if expires {
            assert!(size.slots < all.1 && size.tiers["permanent"].archive_bytes > 0);
        } else {
            assert_eq!((size.accounts, size.slots), all, "{name}");
        }
        drop(design);
        let design = opened(&spec(name), dir.path(), 1);
        let outcome = carry_out(design.as_ref(), &load);
        let (read, applied) = outcome.unwrap_or_else(|error| panic!("{name}: {}", chain(&error)));
        assert_eq!(
            (read.accounts.reads_hit, read.slots.reads_hit),
            all,
            "{name}"
        );
        assert_eq!(read.accounts.reads_absent, 5);
        assert_eq!(read.slots.witness_bytes > 0, expires, "{name}");
        roots.extend(applied.state_root);
    }
    assert_eq!(roots.len(), 2);
    assert_eq!(roots[0], roots[1]);
}

#[test]
fn no_filled_sum_differs_from_what_the_store_holds() {
    let population = population();
    let dir = tempfile::tempdir().expect("a folder");
    let design = FlatLtHash::open(&spec("flat-lthash"), &store(dir.path(), 2)).expect("open");
    design.fill(&population, &context(BLOCK)).expect("fill");
    let all = (design.checksum(), population.accounts(), population.slots());
    assert_eq!(design.verify().expect("verify"), all);
    let again = design.fill(&population, &context(BLOCK));
    assert!(matches!(again, Err(DesignError::Unsupported { .. })));
    assert_eq!(design.checksum(), all.0);
}

/// What a trace finds, beside a population or alone.
fn preload() -> Preload {
    let mut preload = Preload::default();
    for index in 1..40 {
        let account = Account {
            nonce: index,
            ..Account::default()
        };
        preload.accounts.insert(address(index), account);
        for slot in 0..index {
            let load = SlotLoad {
                address: address(index),
                slot: U256::from(slot),
                before: U256::from(slot * index),
                after: U256::ZERO,
                class: Default::default(),
                object: None,
            };
            preload.slots.insert(load.key(), load);
        }
    }
    preload
}

#[test]
fn no_key_of_a_trace_is_missing_after_a_preload() {
    let preload = preload();
    for name in ["mpt", "mpt-expiry", "flat-lthash"] {
        for filled in [false, true] {
            let dir = tempfile::tempdir().expect("a folder");
            let design = opened(&spec(name), dir.path(), 2);
            if filled {
                design.fill(&population(), &context(BLOCK)).expect("fill");
                let refused = design.preload(&preload, &context(BLOCK));
                assert!(matches!(refused, Err(DesignError::Unsupported { .. })));
            }
            let last = BlockNumber(BLOCK.0 + 2);
            design
                .preload(&preload, &context(last))
                .unwrap_or_else(|error| panic!("{name}: {}", chain(&error)));
            assert_eq!(design.head(), Some(last));
            let mut load = BlockLoad {
                number: BlockNumber(last.0 + 1),
                slots: preload.slots.values().copied().collect(),
                ..BlockLoad::default()
            };
            load.accounts.extend(
                preload
                    .accounts
                    .iter()
                    .map(|(address, account)| AccountLoad {
                        address: *address,
                        before: Some(*account),
                        after: Some(*account),
                        storage_wiped: false,
                    }),
            );
            load.sort();
            carry_out(design.as_ref(), &Arc::new(load))
                .unwrap_or_else(|error| panic!("{name}: {}", chain(&error)));
        }
    }
}
