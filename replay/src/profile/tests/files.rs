//! Files of profiles.

use crate::{
    generate::Generator,
    population::{Population, PopulationSpec},
    profile::{Ages, Observer, Profile, ProfileError},
};
use std::{path::Path, sync::Arc};
use thinstate_formats::{BlockNumber, object::ObjectClass};

const TEXT: &str = include_str!("../../../../data/profiles/mainnet-2026.toml");
/// Fitted to real blocks.
const BLOCKS: &str = include_str!("../../../../data/profiles/mainnet-blocks.toml");

fn error(from: &str, to: &str) -> ProfileError {
    assert!(TEXT.contains(from), "{from}");
    Profile::parse(&TEXT.replacen(from, to, 1)).expect_err("it contradicts itself")
}

#[test]
fn no_profile_is_lost_in_its_own_file() {
    let profile = Profile::mainnet();
    assert_eq!(profile.name, "mainnet-2026");
    let back = Profile::parse(&profile.to_toml()).expect("it was written by this program");
    assert_eq!(back, profile);
}

#[test]
fn no_unknown_or_missing_key_is_passed_over() {
    let unknown = error(
        "absent-reads = 0.281",
        "absent-reads = 0.281\nabsnt-reads = 0.3",
    );
    assert!(unknown.to_string().contains("absnt-reads"), "{unknown}");
    let missing = error("alike = 0.8", "");
    assert!(missing.to_string().contains("alike"), "{missing}");
    let class = error("allowance = 0.012", "alowance = 0.012");
    assert!(matches!(class, ProfileError::Syntax(_)), "{class}");
}

#[test]
fn no_contradiction_is_passed_over() {
    let cases = [
        (
            "alike = 0.8",
            "alike = 1.8",
            "block.alike is 1.8, expected 0 to 1",
        ),
        (
            "locality = [0.852, 0.912",
            "locality = [0.952, 0.912",
            "slots.locality: expected shares that do not descend, got 0.912 after 0.952",
        ),
        (
            "erc20_balance = 0.39",
            "erc20_balance = 0.99",
            "classes.written is 1.023, expected 0 to 1",
        ),
        (
            "mean = 177.1",
            "mean = 277.1",
            "block.slots-created has mean 277.1, expected one near the quantiles'",
        ),
        (
            "gas-limit = 60_000_000",
            "gas-limit = 30_000_000",
            "block.gas-used has mean 30300000, expected at most block.gas-limit's, 30000000",
        ),
        (
            "[0.5, 224]",
            "[0.5, 24]",
            "block.txs: expected quantiles that ascend, from share 0 to share 1",
        ),
        (
            "exponent = 1.35",
            "exponent = 5.0",
            "contracts.hubs is 5, expected 0 to 4",
        ),
        (
            "hot-reads = 0.96 ",
            "hot-reads = 0.999 ",
            "accounts.hot-reads + accounts.absent-reads is 1.01",
        ),
    ];
    for (from, to, expected) in cases {
        let error = error(from, to).to_string();
        assert!(error.starts_with(expected), "{error}");
    }
    let mut parts = Profile::mainnet();
    parts.block.accounts_created = parts.block.accounts_written.clone();
    assert_eq!(
        parts.check(),
        Ok(()),
        "all accounts that are written may be new"
    );
    parts.block.accounts_created.mean += 1.0;
    let error = parts.check().expect_err("but not more");
    assert!(
        matches!(
            error,
            ProfileError::Part {
                part: "block.accounts-created",
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn no_missing_file_is_a_profile() {
    let error = Profile::load(Path::new("/nowhere/profile.toml")).expect_err("no such file");
    assert!(matches!(error, ProfileError::Read { .. }));
    assert!(
        error
            .to_string()
            .starts_with("/nowhere/profile.toml: cannot read the profile")
    );
}

/// The profile of real blocks is one that blocks can be drawn from, and they have its numbers.
#[test]
fn no_generated_block_leaves_the_profile_of_real_ones() {
    let profile = Profile::parse(BLOCKS).expect("it is shipped");
    assert_eq!(profile.name, "mainnet-blocks");
    let population = Population::new(PopulationSpec::of(200_000, 1)).expect("mainnet's shape");
    let population = Arc::new(population);
    let generator = Generator::new(profile.clone(), population, 1, BlockNumber(1));
    let mut observer = Observer::new(1.0);
    for load in generator.expect("a sound profile").take(300) {
        load.check().expect("keys ascend");
        observer.add(&load, &Ages::default());
    }
    let observed = observer.finish();
    let (got, of) = (&observed.block, &profile.block);
    let class = ObjectClass::Erc20Balance;
    for (what, got, expected) in [
        ("gas", got.gas_used.mean, of.gas_used.mean),
        ("transactions", got.txs.mean, of.txs.mean),
        (
            "accounts",
            got.accounts_touched.mean,
            of.accounts_touched.mean,
        ),
        ("writes", got.slots_written.mean, of.slots_written.mean),
        ("reads", got.slots_read.mean, of.slots_read.mean),
        (
            "zeros",
            observed.slots_read_zero,
            profile.slots.absent_reads,
        ),
        (
            "balances",
            observed.written[&class],
            profile.classes.written[&class],
        ),
    ] {
        assert!(
            (got / expected - 1.0).abs() < 0.1,
            "{what}: {got} for {expected}"
        );
    }
}
