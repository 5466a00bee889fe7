//! What tokens do.

use super::{ACCOUNTS, Generator, generator, population};
use crate::{load::SlotLoad, profile::Profile};
use alloy_primitives::{Address, U256};
use std::collections::BTreeMap;
use thinstate_formats::{
    BlockNumber,
    object::{Amount, ObjectClass, ObjectKey},
};

/// What the balances of each contract have before and after a block, and how many of them change.
fn sums(slots: &[SlotLoad]) -> BTreeMap<Address, (U256, U256, usize)> {
    let mut sums = BTreeMap::new();
    for slot in slots
        .iter()
        .filter(|it| it.class == ObjectClass::Erc20Balance)
    {
        let sum: &mut (U256, U256, usize) = sums.entry(slot.address).or_default();
        sum.0 += slot.before;
        sum.1 += slot.after;
        sum.2 += usize::from(slot.is_written());
    }
    sums
}

#[test]
fn no_transfer_makes_or_burns_tokens() {
    let population = population(ACCOUNTS);
    let mut profile = Profile::mainnet();
    profile.classes.minted = 0.0;
    let mut generator =
        Generator::new(profile, population, 1, BlockNumber(1)).expect("a sound profile");
    let (mut kept, mut all) = (0, 0);
    for _ in 0..20 {
        let load = generator.next_block();
        for (before, after, written) in sums(&load.slots).into_values() {
            // A balance that changes alone is minted to or burnt of: there is nobody else.
            if written > 1 {
                all += written;
                kept += if before == after { written } else { 0 };
            }
        }
    }
    assert!(all > 1_000, "{all}");
    // A contract of which all that changes is created, or all deleted, has no other side either.
    assert!(kept * 100 > all * 98, "{kept} of {all}");
}

#[test]
fn no_balance_is_too_large_to_be_one() {
    let population = population(ACCOUNTS);
    let mut generator = generator(&population, 1);
    for _ in 0..20 {
        for slot in generator.next_block().slots {
            match slot.class {
                ObjectClass::Erc20Balance => assert!(slot.after <= Amount::MAX.get()),
                ObjectClass::Erc721Owner => assert!(slot.after >> 160 == U256::ZERO),
                _ => {}
            }
            assert_eq!(
                slot.object
                    .map(|it: ObjectKey| it.class())
                    .unwrap_or(slot.class),
                slot.class
            );
        }
    }
}
