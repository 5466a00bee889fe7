use super::*;
use std::collections::HashSet;
use thinstate_formats::{
    keccak::BatchHasher,
    object::{Allowed, ObjectClass, ObjectValue as _, Position},
};

fn population(accounts: u64) -> Population {
    Population::new(PopulationSpec::of(accounts, 42)).expect("mainnet's shape")
}

fn assert_near(what: &str, got: f64, expected: f64, tolerance: f64) {
    assert!(
        (got - expected).abs() <= expected * tolerance,
        "{what}: {got}, expected {expected}"
    );
}

/// Slots of the largest share of contracts, as a share of all slots.
fn share_of_largest(population: &Population, share: f64) -> f64 {
    let largest = population.contracts() as f64 * share;
    let slots: u64 = (0..largest as u64).map(|n| population.slots_of(n)).sum();
    let next = population.slots_of(largest as u64) as f64 * largest.fract();
    (slots as f64 + next) / population.slots() as f64
}

#[test]
fn no_shape_strays_from_mainnets() {
    for (accounts, tolerance) in [(1_000_000, 0.35), (50_000_000, 0.1)] {
        let population = population(accounts);
        let contracts = population.contracts() as f64;
        let slots = population.slots() as f64 / accounts as f64;
        assert_near("slots for each account", slots, 4.09, 0.02);
        assert_near("contracts", contracts / accounts as f64, 0.166, 0.001);
        let with_storage = population.contracts_with_storage() as f64 / contracts;
        assert_near("contracts with storage", with_storage, 0.461, 0.001);
        let top = share_of_largest(&population, 1_000.0 / 48e6);
        assert_near("share of the top 1,000", top, 0.51, tolerance);
        let percentile = population.slots_of((contracts * 0.01) as u64) as f64;
        assert_near("the contract at the top 1 %", percentile, 47.0, 0.15);
    }
}

/// Every so many slots, some thousands in all.
fn sample(population: &Population, count: u64) -> impl Iterator<Item = SlotId> + '_ {
    let step = (population.slots() / count).max(1) as usize;
    (0..population.slots())
        .step_by(step)
        .filter_map(|index| population.slot_at(index))
}

#[test]
fn no_mean_value_strays_from_mainnets() {
    let population = population(1_000_000);
    let (mut bytes, mut count) = (0, 0);
    for id in sample(&population, 50_000) {
        bytes += population.value(id, 0).byte_len();
        count += 1;
    }
    assert_near(
        "bytes of a value",
        f64::from(bytes as u32) / f64::from(count),
        12.4,
        0.04,
    );
}

#[test]
fn no_slot_is_lost_in_the_numbering() {
    for accounts in [0, 1, 7, 100, 30_000] {
        let population = population(accounts);
        let mut index = 0;
        for contract in 0..population.contracts_with_storage() + 2 {
            for local in 0..population.slots_of(contract) {
                let id = SlotId { contract, local };
                assert_eq!(population.slot_at(index), Some(id));
                assert_eq!(population.index_of(id), Some(index));
                index += 1;
            }
        }
        assert_eq!(index, population.slots());
        assert_eq!(population.slot_at(index), None);
    }
}

#[test]
fn no_two_slots_of_a_contract_share_a_key() {
    let population = population(20_000);
    let hasher = BatchHasher::new();
    for contract in 0..60 {
        // Also numbers that are not there yet, past the number of accounts.
        let locals = (0..population.slots_of(contract) + 200).chain(19_950..20_050);
        let locals: HashSet<u64> = locals.collect();
        let ids: Vec<_> = locals
            .into_iter()
            .map(|local| SlotId { contract, local })
            .collect();
        let keys: HashSet<U256> = population.keys(&hasher, &ids).into_iter().collect();
        assert_eq!(keys.len(), ids.len(), "contract {contract}");
    }
}

#[test]
fn no_two_slots_of_a_giant_share_a_key() {
    let population = population(1_000_000);
    let hasher = BatchHasher::new();
    let (mut seen, mut count) = (HashSet::new(), 0);
    let slots = population.slots_of(0);
    for from in (0..slots).step_by(4_096) {
        let to = (from + 4_096).min(slots);
        let ids: Vec<_> = (from..to)
            .map(|local| SlotId { contract: 0, local })
            .collect();
        seen.extend(population.keys(&hasher, &ids));
        count += ids.len();
    }
    assert!(count > 200_000, "{count}");
    assert_eq!(seen.len(), count);
}

#[test]
fn no_key_differs_when_hashed_with_others() {
    let population = population(50_000);
    let ids: Vec<_> = sample(&population, 2_000).collect();
    let keys = population.keys(&BatchHasher::new(), &ids);
    let classes: HashSet<_> = ids.iter().map(|id| population.class_of(*id)).collect();
    assert!(classes.len() >= 5, "{classes:?}");
    for (id, key) in ids.into_iter().zip(keys) {
        let slot = population.slot(id);
        assert_eq!(slot.slot, key);
        if let Some(object) = slot.object {
            let base = U256::from(Population::mapping_slot(slot.class));
            assert_eq!(object.slot(base), key);
        }
    }
}

#[test]
fn no_value_repeats_the_one_before_it() {
    let population = population(3_000);
    for id in sample(&population, 500) {
        for class in ObjectClass::ALL {
            for version in (0..600).chain([u64::MAX - 1]) {
                let value = population.value_of(id, class, version);
                assert_ne!(value, U256::ZERO, "{id:?} {class:?} {version}");
                let next = population.value_of(id, class, version + 1);
                assert_ne!(value, next, "{id:?} {class:?} {version}");
            }
        }
    }
}

#[test]
fn no_value_has_another_form_than_its_class() {
    let population = population(3_000);
    for id in sample(&population, 500) {
        for version in 0..4 {
            let word = |class| B256::from(population.value_of(id, class, version));
            assert!(Position::from_word(word(ObjectClass::Cdp)).is_ok());
            assert!(Allowed::new(word(ObjectClass::Allowance).into()).is_ok());
            let owner = Address::from_word(word(ObjectClass::Erc721Owner));
            assert_eq!(owner.into_word(), word(ObjectClass::Erc721Owner));
        }
    }
}

#[test]
fn no_share_written_lately_strays_from_mainnets() {
    const DAY: u64 = 7_200;
    let population = population(300_000);
    let mut written = [0_u64; 4];
    let days = [30, 90, 180, 365];
    for contract in 0..population.contracts_with_storage() {
        for age in population.slot_ages(contract) {
            for (count, days) in written.iter_mut().zip(days) {
                *count += u64::from(age < days * DAY);
            }
        }
    }
    for (count, expected) in written.into_iter().zip([0.0282, 0.0755, 0.136, 0.242]) {
        assert_near(
            "slots",
            count as f64 / population.slots() as f64,
            expected,
            0.001,
        );
    }
    for (days, expected) in [(30, 0.0330), (365, 0.231)] {
        let ages = (0..population.accounts()).filter_map(|n| population.account_age(n));
        let count = ages.filter(|age| *age < days * DAY).count();
        assert_near(
            "accounts",
            count as f64 / population.accounts() as f64,
            expected,
            0.03,
        );
    }
}

#[test]
fn no_recent_slot_is_older_than_its_rank() {
    let population = population(10_000);
    let mut before = 0;
    let mut seen = HashSet::new();
    for rank in 0..population.slots() {
        let id = population.recent_slot(rank).expect("a rank of a slot");
        let age = population.slot_age(id).expect("a slot that is there");
        assert!(age >= before, "{rank}");
        before = age;
        seen.insert(id);
    }
    assert_eq!(seen.len() as u64, population.slots());
    assert_eq!(population.recent_slot(population.slots()), None);
    for contract in [0, 1, 50, population.contracts_with_storage() - 1] {
        let ages: Vec<_> = population.slot_ages(contract).collect();
        let one_by_one = (0..population.slots_of(contract))
            .filter_map(|local| population.slot_age(SlotId { contract, local }));
        assert!(one_by_one.eq(ages.iter().copied()), "contract {contract}");
        let youngest = ages.into_iter().min().expect("a contract with slots");
        let account = population.account_age(contract).expect("an account");
        assert!(account <= youngest, "contract {contract}");
    }
}

/// As many codes for each contract as mainnet has, above the least; and the lists of them agree.
#[test]
fn no_larger_population_shares_the_codes_of_a_small_one() {
    let codes = |accounts| population(accounts).code_lengths().len();
    assert_eq!(codes(2_000), 1_000);
    let large = population(1_000_000);
    let expected = large.contracts() as f64 * 0.029;
    assert!((large.code_lengths().len() as f64 - expected).abs() < 2.0);
    let small = population(2_000);
    let lengths = small.codes().map(|(hash, code)| (hash, code.len() as u32));
    assert!(small.code_lengths().eq(lengths));
    assert!(small.code_lengths().is_sorted());
}

#[test]
fn no_code_is_missing() {
    let population = population(2_000);
    let codes: HashSet<B256> = population
        .codes()
        .map(|(hash, code)| {
            assert_eq!(alloy_primitives::keccak256(&code), hash);
            assert!(code.len() <= 24_576);
            hash
        })
        .collect();
    for contract in 0..population.contracts() {
        let account = population.account(contract).expect("a contract");
        assert!(codes.contains(&account.code_hash));
    }
    let outside = population.account(population.contracts()).expect("there");
    assert_eq!(outside.code_hash, alloy_primitives::KECCAK256_EMPTY);
}
