//! Tests of the generator.

mod amplified;
mod before;
mod deterministic;
mod shares;
mod tokens;
mod trace;

use super::Generator;
use crate::{
    population::{Population, PopulationSpec},
    profile::Profile,
};
use std::sync::Arc;
use thinstate_formats::BlockNumber;

/// A population that is filled in no time.
const ACCOUNTS: u64 = 20_000;

fn population(accounts: u64) -> Arc<Population> {
    let spec = PopulationSpec::of(accounts, 3);
    Arc::new(Population::new(spec).expect("mainnet's shape"))
}

fn generator(population: &Arc<Population>, seed: u64) -> Generator {
    let profile = Profile::mainnet();
    Generator::new(profile, population.clone(), seed, BlockNumber(1)).expect("a sound profile")
}
