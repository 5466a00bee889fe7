//! What a store was filled with can be read, written and spent, once.

use super::{conformance::chain, opened, spec};
use alloy_primitives::U256;
use std::{collections::BTreeMap, path::Path, sync::Arc};
use thinstate_formats::{
    BlockNumber,
    object::{MergeRule, Tier},
};
use thinstate_replay::{
    design::{DesignSpec, FillContext, LayeredDesign, Overlay, Preload, StateDesign},
    load::{AccountLoad, BlockLoad, SlotLoad},
    measure::TierWork,
    population::{Population, PopulationSpec},
};

const HEAD: BlockNumber = BlockNumber(24_870_000);

fn population(accounts: u64) -> Population {
    Population::new(PopulationSpec::of(accounts, 3)).expect("a spec of mainnet's shape")
}

fn filled(spec: &DesignSpec, dir: &Path, population: &Population) -> LayeredDesign {
    let design = opened(spec, dir);
    let context = FillContext {
        block: HEAD,
        progress: &|_, _, _| {},
    };
    let done = design.fill(population, &context);
    done.unwrap_or_else(|error| panic!("{}", chain(&error)));
    assert_eq!(design.head(), Some(HEAD));
    design
}

/// A block that touches all slots and accounts, and makes of each value what `after` says.
fn touch_all(
    population: &Population,
    number: u64,
    values: &mut BTreeMap<u64, U256>,
    after: impl Fn(u64, U256) -> U256,
) -> Arc<BlockLoad> {
    let mut load = BlockLoad {
        number: BlockNumber(number),
        blocks: 1,
        ..BlockLoad::default()
    };
    for account in 0..population.accounts() {
        let found = population.account(account);
        load.accounts.push(AccountLoad {
            address: population.address(account),
            before: found,
            after: found,
            storage_wiped: false,
        });
    }
    for index in 0..population.slots() {
        let slot = population.slot(population.slot_at(index).expect("it is there"));
        let before = values.get(&index).copied().unwrap_or(slot.value);
        let after = after(index, before);
        values.insert(index, after);
        load.slots.push(SlotLoad {
            address: slot.address,
            slot: slot.slot,
            before,
            after,
            class: slot.class,
            object: slot.object,
        });
    }
    load.sort();
    Arc::new(load)
}

/// Reads and applies a block.
fn carry_out(design: &LayeredDesign, load: &Arc<BlockLoad>) -> (TierWork, TierWork, TierWork) {
    let done = (|| {
        let plan = design.plan(Arc::clone(load))?;
        let read = design.read(&plan, &Overlay::default())?;
        let applied = design.apply(plan)?;
        Ok((read.temporary, applied.temporary, applied.utxo))
    })();
    done.unwrap_or_else(|error: thinstate_replay::design::DesignError| panic!("{}", chain(&error)))
}

/// Slots of the population in a tier under a design: those that come back, and those that lapse.
fn in_tier(population: &Population, spec: &DesignSpec, tier: Tier) -> (u64, u64) {
    let mut count = (0, 0);
    for index in 0..population.slots() {
        let slot = population.slot(population.slot_at(index).expect("it is there"));
        if spec.policy().tier(slot.class) == tier && slot.object.is_some() {
            match slot.class.merge_rule() {
                MergeRule::Lapse => count.1 += 1,
                _ => count.0 += 1,
            }
        }
    }
    count
}

fn every_object_can_be_used_once(name: &str) {
    let spec = spec(name);
    let population = population(1_500);
    let dir = tempfile::tempdir().expect("a folder");
    let design = filled(&spec, dir.path(), &population);
    let mut values = BTreeMap::new();
    let (temporary, lapsing) = in_tier(&population, &spec, Tier::Temporary);
    let (records, _) = in_tier(&population, &spec, Tier::Utxo);

    // Only read: sealed values are proven, and stay where they are.
    let load = touch_all(&population, HEAD.0 + 1, &mut values, |_, value| value);
    let (read, applied, utxo) = carry_out(&design, &load);
    assert_eq!(applied.resurrected + utxo.deleted + utxo.created, 0);
    assert!(
        read.reads_hit >= temporary && read.reads_absent <= lapsing,
        "{read:?}"
    );
    assert_eq!(read.witness_bytes > 0, temporary > 0);

    // All written: what was sealed comes back, records are spent and made.
    let add = |index, value: U256| match value == U256::MAX {
        // An unlimited allowance has no neighbour with the form of an allowance.
        true => U256::from(7),
        false => value ^ U256::from(2 + 4 * (index % 2)),
    };
    let load = touch_all(&population, HEAD.0 + 2, &mut values, add);
    let (_, applied, utxo) = carry_out(&design, &load);
    assert_eq!(applied.updated, temporary + lapsing - applied.created);
    assert!(applied.created <= lapsing && applied.resurrected <= temporary);
    assert!(applied.resurrected >= temporary * 9 / 10, "{applied:?}");
    assert!(utxo.deleted <= records && utxo.created <= records && utxo.created * 3 >= records);

    // And again: nothing comes back twice.
    let load = touch_all(&population, HEAD.0 + 3, &mut values, add);
    let (read, applied, _) = carry_out(&design, &load);
    assert_eq!((applied.resurrected, read.witness_bytes), (0, 0));
    assert_eq!(read.reads_hit, temporary + lapsing);

    // All gone: no object has a record or an entry left.
    let load = touch_all(&population, HEAD.0 + 4, &mut values, |_, _| U256::ZERO);
    carry_out(&design, &load);
    let size = design.size().expect("sizes");
    let live = |tier: Tier| size.tiers.get(tier.name()).map_or(0, |it| it.live_objects);
    assert_eq!((live(Tier::Temporary), live(Tier::Utxo)), (0, 0));
    assert_eq!(size.slots, 0);
}

#[test]
fn no_object_of_a_filled_temporary_design_comes_back_twice() {
    every_object_can_be_used_once("temporary");
}

#[test]
fn no_record_of_a_filled_utxo_design_is_spent_twice() {
    every_object_can_be_used_once("utxo");
}

#[test]
fn no_object_of_a_filled_layered_design_is_used_twice() {
    every_object_can_be_used_once("layered");
}

#[test]
fn no_wallet_is_lost_when_a_filled_store_is_opened_again() {
    for name in ["temporary", "utxo", "layered"] {
        let spec = spec(name);
        let population = population(600);
        let dir = tempfile::tempdir().expect("a folder");
        drop(filled(&spec, dir.path(), &population));
        let mut values = BTreeMap::new();
        for number in HEAD.0 + 1..HEAD.0 + 4 {
            let design = opened(&spec, dir.path());
            let load = touch_all(&population, number, &mut values, |_, value| {
                value + U256::from(2)
            });
            carry_out(&design, &load);
            design.flush().expect("flush");
        }
    }
}

#[test]
fn no_store_is_gone_on_with_whose_wallets_are_unknown() {
    let spec = spec("utxo");
    let population = population(300);
    let dir = tempfile::tempdir().expect("a folder");
    let design = filled(&spec, dir.path(), &population);
    let mut values = BTreeMap::new();
    let add = |_, value| value + U256::from(2);
    carry_out(
        &design,
        &touch_all(&population, HEAD.0 + 1, &mut values, add),
    );
    drop(design);
    let design = opened(&spec, dir.path());
    let plan = design.plan(touch_all(&population, HEAD.0 + 2, &mut values, add));
    let error = plan.expect_err("wallets are of another block");
    assert!(error.to_string().contains("wallets"), "{error}");
}

#[test]
fn no_preloaded_object_is_lost() {
    for name in ["temporary", "utxo", "layered"] {
        let spec = spec(name);
        let (fill, other) = (population(300), PopulationSpec::of(200, 99));
        let other = Population::new(other).expect("a spec");
        let dir = tempfile::tempdir().expect("a folder");
        let design = filled(&spec, dir.path(), &fill);
        let mut values = BTreeMap::new();
        let all = touch_all(&other, 0, &mut values, |_, value| value);
        let mut preload = Preload::default();
        for account in &all.accounts {
            let found = account.before.expect("all are there");
            preload.accounts.insert(account.address, found);
        }
        for slot in &all.slots {
            preload.slots.insert(slot.key(), *slot);
        }
        let context = FillContext {
            block: BlockNumber(HEAD.0 + 2),
            progress: &|_, _, _| {},
        };
        let done = design.preload(&preload, &context);
        done.unwrap_or_else(|error| panic!("{}", chain(&error)));
        let load = touch_all(&other, HEAD.0 + 3, &mut values, |_, value| {
            value + U256::from(2)
        });
        let (read, ..) = carry_out(&design, &load);
        assert_eq!((read.reads_absent, read.witness_bytes), (0, 0));
    }
}

#[test]
fn no_damaged_wallets_are_taken() {
    let spec = spec("utxo");
    let population = population(200);
    let dir = tempfile::tempdir().expect("a folder");
    let design = filled(&spec, dir.path(), &population);
    let mut values = BTreeMap::new();
    let add = |_, value| value + U256::from(2);
    let load = touch_all(&population, HEAD.0 + 1, &mut values, add);
    carry_out(&design, &load);
    design.flush().expect("flush");
    drop(design);
    let path = dir.path().join("wallets.bin");
    let bytes = std::fs::read(&path).expect("they were written");
    for at in [0, 20, bytes.len() / 2, bytes.len() - 1] {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1;
        std::fs::write(&path, damaged).expect("write");
        let opened = LayeredDesign::open(&spec, &super::store(dir.path(), 2));
        let error = opened.expect_err("damaged");
        assert!(error.to_string().contains("wallets.bin"), "{error}");
    }
    std::fs::write(&path, bytes).expect("write");
    let design = opened(&spec, dir.path());
    let load = touch_all(&population, HEAD.0 + 2, &mut values, add);
    carry_out(&design, &load);
}
