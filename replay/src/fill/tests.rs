use super::*;
use crate::population::{POPULATION_VERSION, PopulationSpec};
use alloy_primitives::{B256, U256, keccak256};
use alloy_trie::{EMPTY_ROOT_HASH, TrieAccount, root};
use tempfile::TempDir;
use thinstate_engine::{
    Options, StoreOptions,
    leaf_store::{MemoryStore, RocksOptions, RocksStore},
};
use thinstate_formats::{StateChanges, StateReader as _};

const BLOCK: BlockNumber = BlockNumber(24_870_000);

fn context() -> FillContext<'static> {
    FillContext {
        block: BLOCK,
        progress: &|_, _, _| {},
    }
}

fn population(accounts: u64) -> Population {
    Population::new(PopulationSpec::of(accounts, 11)).expect("mainnet's shape")
}

/// The root that alloy-trie gives to the accounts and the kept slots.
fn root_of(population: &Population, keep: &Keep<'_>) -> B256 {
    let storage_root = |contract| {
        let slots = (0..population.slots_of(contract))
            .map(|local| population.slot(crate::population::SlotId { contract, local }))
            .filter(|slot| keep(slot.class));
        let slots: Vec<_> = slots
            .map(|slot| (B256::from(slot.slot), slot.value))
            .collect();
        match slots.is_empty() {
            true => EMPTY_ROOT_HASH,
            false => root::storage_root_unhashed(slots),
        }
    };
    root::state_root_unhashed((0..population.accounts()).map(|number| {
        let account = population.account(number).expect("an account");
        let account = TrieAccount::new(
            account.nonce,
            account.balance,
            storage_root(number),
            account.code_hash,
        );
        (population.address(number), account)
    }))
}

#[test]
fn no_root_differs_from_alloy_tries() {
    let keeps: [&Keep<'_>; 3] = [
        &|_| true,
        &|class| class != ObjectClass::Erc20Balance,
        &|_| false,
    ];
    for keep in keeps {
        let population = population(3_000);
        let expected = root_of(&population, keep);
        let tier = PermanentTier::open(MemoryStore::new(), Options::default()).expect("opens");
        let report = permanent(&tier, &population, keep, &context()).expect("fills");
        assert_eq!(report.root, expected);
        tier.verify().expect("verifies");
        let folder = TempDir::new().expect("a folder");
        let rocks = RocksStore::open(folder.path(), RocksOptions::default()).expect("opens");
        let store = Store::open(rocks, StoreOptions::default()).expect("opens");
        layered(&store, &population, keep, &context()).expect("fills");
        assert_eq!(store.head().root, expected);
        store.permanent().verify().expect("verifies");
    }
}

#[test]
fn no_seed_gives_another_root_than_before() {
    // A change of it is a change of every population: POPULATION_VERSION goes up with it.
    let (version, expected) = (
        3,
        alloy_primitives::b256!(
            "0x7246a504a22fa9720ea510e89e8645bfac3c11a326bac2358b02fd2996ea792e"
        ),
    );
    assert_eq!(POPULATION_VERSION, version);
    let population = population(20_000);
    assert_eq!(root_of(&population, &|_| true), expected, "by alloy-trie");
    for threads in [1, 2] {
        let options = Options {
            threads: Some(threads),
            ..Options::default()
        };
        let tier = PermanentTier::open(MemoryStore::new(), options).expect("opens");
        permanent(&tier, &population, &|_| true, &context()).expect("fills");
        assert_eq!(tier.head().root, expected);
    }
}

#[test]
fn no_entry_is_read_back_otherwise_than_the_population_has_it() {
    let population = population(2_000);
    let tier = PermanentTier::open(MemoryStore::new(), Options::default()).expect("opens");
    permanent(&tier, &population, &|_| true, &context()).expect("fills");
    let view = tier.view();
    for number in 0..population.accounts() + 10 {
        let address = population.address(number);
        assert_eq!(
            view.account(address).expect("reads"),
            population.account(number)
        );
        let age = population.account_age(number);
        let written = age.map(|age| BlockNumber(BLOCK.0 - age));
        assert_eq!(view.last_written(address).expect("reads"), written);
    }
    for index in (0..population.slots()).step_by(7) {
        let id = population.slot_at(index).expect("a slot");
        let slot = population.slot(id);
        assert_eq!(
            view.slot(slot.address, slot.slot).expect("reads"),
            slot.value
        );
        assert_ne!(slot.value, U256::ZERO);
        let age = population.slot_age(id).expect("a slot");
        let written = view
            .last_written_slot(slot.address, slot.slot)
            .expect("reads");
        assert_eq!(written, Some(BlockNumber(BLOCK.0 - age)));
    }
    for (hash, code) in population.codes() {
        assert_eq!(keccak256(&code), hash);
        assert_eq!(view.code(hash).expect("reads"), Some(code));
    }
}

#[test]
fn no_block_but_the_next_follows_a_filled_store() {
    let population = population(500);
    let store = Store::open(MemoryStore::new(), StoreOptions::default()).expect("opens");
    layered(&store, &population, &|_| true, &context()).expect("fills");
    let filled = store.commitment().expect("a commitment");
    assert_eq!(filled.block, BLOCK);
    assert!(layered(&store, &population, &|_| true, &context()).is_err());
    let reopened = Store::open(store.into_leaf_store().reopen(), StoreOptions::default());
    let store = reopened.expect("opens again");
    assert_eq!(store.commitment(), Some(filled));
    let apply = |number| {
        let changes = thinstate_engine::BlockChanges {
            permanent: StateChanges::default(),
            ..Default::default()
        };
        store.apply(block_id(BlockNumber(number)), &changes)
    };
    assert!(apply(BLOCK.0 + 2).is_err());
    apply(BLOCK.0 + 1).expect("the next block");
    store.undo().expect("can be undone");
    assert_eq!(store.commitment(), Some(filled));
    assert!(store.undo().is_err(), "the fill itself cannot");
}
