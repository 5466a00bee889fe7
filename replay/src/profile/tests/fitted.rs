//! A profile of blocks that were drawn from a profile is that profile.

use crate::{
    generate::Generator,
    population::{Population, PopulationSpec},
    profile::{Fitted, Locality, Profile, ProfileError, Spread, blocks_per_day, fit},
};
use std::sync::Arc;
use thinstate_formats::{BlockNumber, object::ObjectClass};

const ACCOUNTS: u64 = 300_000;
const BLOCKS: usize = 400;

/// Unlike mainnet's in everything that can be fitted.
fn other() -> Profile {
    let mut profile = Profile::mainnet();
    let block = &mut profile.block;
    block.alike = 0.5;
    for spread in [&mut block.slots_read, &mut block.gas_used, &mut block.txs] {
        spread.mean *= 0.5;
        spread.quantiles.iter_mut().for_each(|[_, it]| *it *= 0.5);
    }
    profile
        .classes
        .written
        .insert(ObjectClass::Erc20Balance, 0.2);
    profile.classes.read.insert(ObjectClass::Erc721Owner, 0.1);
    profile.slots.absent_reads = 0.5;
    profile.slots.hot_updates = 0.6;
    profile.slots.locality = Locality([0.6, 0.75, 0.8, 0.85, 0.9]);
    profile.accounts.contracts_created = 0.3;
    profile
}

fn fitted(profile: &Profile) -> Fitted {
    let population = Population::new(PopulationSpec::of(ACCOUNTS, 3)).expect("mainnet's shape");
    let generator =
        Generator::new(profile.clone(), Arc::new(population), 7, BlockNumber(1)).expect("sound");
    let per_day = blocks_per_day(ACCOUNTS);
    fit(generator.take(BLOCKS), &Profile::mainnet(), Some(per_day)).expect("there are blocks")
}

fn near(name: &str, got: f64, expected: f64, percent: f64) {
    let off = 100.0 * (got / expected - 1.0);
    assert!(off.abs() <= percent, "{name}: {got} for {expected}");
}

#[test]
fn no_number_that_blocks_show_is_fitted_to_another() {
    let profile = other();
    let fitted = fitted(&profile);
    let (got, expected) = (&fitted.profile, &profile);
    let spreads = |it: &Profile| -> [(&'static str, Spread); 5] {
        let block = &it.block;
        [
            ("gas", block.gas_used.clone()),
            ("txs", block.txs.clone()),
            ("slots read", block.slots_read.clone()),
            ("slots written", block.slots_written.clone()),
            ("accounts touched", block.accounts_touched.clone()),
        ]
    };
    for ((name, got), (_, expected)) in spreads(got).iter().zip(&spreads(expected)) {
        near(name, got.mean, expected.mean, 8.0);
        near(name, got.at(0.5), expected.at(0.5), 15.0);
        near(name, got.at(0.9), expected.at(0.9), 15.0);
    }
    near("absent", got.slots.absent_reads, 0.5, 5.0);
    near("contracts", got.accounts.contracts_created, 0.3, 10.0);
    near("alike", got.block.alike, 0.5, 30.0);
    // A day has six blocks here: what the hot set adds to so short a window is only estimated.
    near("day", got.slots.locality.0[0], 0.6, 20.0);
    near("week", got.slots.locality.0[1], 0.75, 10.0);
    let (written, read) = (&got.classes.written, &got.classes.read);
    near("written", written[&ObjectClass::Erc20Balance], 0.2, 5.0);
    near("read", read[&ObjectClass::Erc721Owner], 0.1, 8.0);
}

/// What a short or unclassified trace cannot show is another profile's, and is said.
#[test]
fn no_number_that_blocks_do_not_show_is_made_up() {
    let fitted = fitted(&other());
    let base = Profile::mainnet();
    assert_eq!(fitted.profile.slots.hot_written, base.slots.hot_written);
    let left: Vec<_> = fitted.from_base.iter().map(|it| it.0).collect();
    assert!(left.contains(&"slots.hot-*"), "{left:?}");
    assert!(left.contains(&"*.locality of longer windows"), "{left:?}");
    assert!(!left.contains(&"classes"), "{left:?}");
    // The longest window is the base's, and so are all that lie below those that were seen.
    assert!(fitted.profile.slots.locality.0[4] >= base.slots.locality.0[4] - 1e-9);
    let nothing = fit([], &base, None);
    assert_eq!(nothing, Err(ProfileError::NoBlocks));
}
