//! Blocks have the profile's numbers.

use super::population;
use crate::profile::{CheckOptions, Comparison, Profile, check_profile};

/// Large enough for the hot sets, and a month of it is soon over.
const ACCOUNTS: u64 = 400_000;
/// A profile's mean of 228 blocks is off by a few percent.
const TOLERANCE_PERCENT: f64 = 10.0;
/// These need more keys, or a longer month, than a test has time for; `thinstate profile check` has it.
const LARGER: [&str; 4] = [
    "top 1 % of slots, of slot writes",
    "top 1 % of slots, of slot reads",
    "top 1 % of accounts, of account writes",
    "top 1 % of accounts, of account reads",
];

fn checked(profile: &Profile) -> Comparison {
    let options = CheckOptions {
        blocks: None,
        seed: 1,
    };
    check_profile(profile, &population(ACCOUNTS), &options, |_| {}).expect("a sound profile")
}

#[test]
fn no_number_of_the_blocks_is_far_from_mainnets() {
    let comparison = checked(&Profile::mainnet());
    assert!(comparison.blocks > 200 && comparison.rows.len() > 40);
    let of_the_state = |name: &str| name.starts_with("slots of the largest");
    let beyond: Vec<_> = comparison
        .beyond(TOLERANCE_PERCENT)
        .filter(|row| !LARGER.contains(&row.name) && !of_the_state(row.name))
        .map(|row| format!("{}: {} for {}", row.name, row.generated, row.mainnet))
        .collect();
    assert!(beyond.is_empty(), "{beyond:#?}");
    let deviations = comparison.deviations();
    assert_eq!(deviations.len(), comparison.rows.len());
    assert!(deviations.iter().all(|it| !it.source.is_empty()));
}

/// The blocks follow the profile, not numbers that are built in.
#[test]
fn no_number_stays_when_the_profile_changes() {
    let mut profile = Profile::mainnet();
    profile.slots.absent_reads = 0.6;
    profile.block.slots_deleted.mean = 116.0;
    let quantiles = &mut profile.block.slots_deleted.quantiles;
    quantiles.iter_mut().for_each(|[_, it]| *it *= 2.0);
    let other = checked(&profile);
    let number = |name: &str| {
        let row = other.rows.iter().find(|row| row.name.starts_with(name));
        row.expect("there is such a row").generated
    };
    let absent = number("reads of slots only read that find zero");
    assert!((absent - 60.0).abs() < 1.5, "{absent}");
    let deleted = number("slot writes that delete");
    assert!((deleted - 16.6).abs() < 1.5, "{deleted}");
}
