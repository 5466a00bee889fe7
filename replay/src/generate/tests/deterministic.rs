//! What a generator yields is a function of its arguments.

use super::{ACCOUNTS, generator, population};
use crate::{
    generate::{GenerateError, Generator},
    load::BlockLoad,
    profile::Profile,
};
use alloy_primitives::{B256, hex};
use std::sync::Arc;
use thinstate_formats::BlockNumber;

/// A hash of everything in the loads.
fn digest(loads: &[BlockLoad]) -> B256 {
    let mut hasher = blake3::Hasher::new();
    for load in loads {
        hasher.update(format!("{load:?}").as_bytes());
    }
    B256::from(*hasher.finalize().as_bytes())
}

#[test]
fn no_block_differs_between_two_generators_of_a_seed() {
    let population = population(ACCOUNTS);
    let of_seed = |seed| {
        let mut generator = generator(&population, seed);
        let mut loads: Vec<_> = (0..3).map(|_| generator.next_block()).collect();
        loads.push(generator.next_merged(3));
        loads.push(generator.next_cloned(3));
        digest(&loads)
    };
    assert_eq!(of_seed(1), of_seed(1));
    assert_ne!(of_seed(1), of_seed(2));
}

/// Results name profile, population and seed, and nothing else of the blocks: another program must not make
/// others of these. Whoever changes what is drawn changes this hash, knowingly.
#[test]
fn no_change_of_the_program_changes_the_blocks_unnoticed() {
    let population = population(ACCOUNTS);
    let loads: Vec<_> = generator(&population, 1).take(3).collect();
    let expected = hex!("57282bcc1ba73b461cf48911a48d0579b37d8f068131f0ec9a8efb8f815c6410");
    assert_eq!(digest(&loads), B256::from(expected), "found other blocks");
}

#[test]
fn no_generator_is_made_of_a_population_without_slots() {
    let mut spec = population(ACCOUNTS).spec().clone();
    spec.slots_per_account = 0.0;
    spec.storage_share = 0.0;
    let empty = crate::population::Population::new(spec).expect("a state without slots");
    let made = Generator::new(Profile::mainnet(), Arc::new(empty), 1, BlockNumber(1));
    let error = made.expect_err("nothing to touch");
    assert!(
        matches!(error, GenerateError::Population { what: "slots", .. }),
        "{error}"
    );
    let mut profile = Profile::mainnet();
    profile.slots.hot_updates = 2.0;
    let made = Generator::new(profile, population(ACCOUNTS), 1, BlockNumber(1));
    assert!(matches!(made, Err(GenerateError::Profile(_))));
}
