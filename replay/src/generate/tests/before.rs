//! No block expects anything that a store does not hold.

use super::{ACCOUNTS, generator, population};
use crate::{
    load::BlockLoad,
    population::{Population, SlotId},
};
use alloy_primitives::{Address, U256, map::HashMap};
use thinstate_formats::{Account, BlockNumber};

/// A store in memory, filled from the population's own lists.
pub(super) struct Model {
    accounts: HashMap<Address, Account>,
    slots: HashMap<(Address, U256), U256>,
}

impl Model {
    pub(super) fn filled(population: &Population) -> Self {
        let accounts = (0..population.accounts()).map(|number| {
            let account = population.account(number).expect("it is there");
            (population.address(number), account)
        });
        let slots = (0..population.contracts()).flat_map(|contract| {
            let locals = 0..population.slots_of(contract);
            locals.map(move |local| {
                let slot = population.slot(SlotId { contract, local });
                ((slot.address, slot.slot), slot.value)
            })
        });
        Self {
            accounts: accounts.collect(),
            slots: slots.collect(),
        }
    }

    pub(super) fn apply(&mut self, load: &BlockLoad) {
        load.check().expect("keys ascend");
        for account in &load.accounts {
            let found = self.accounts.get(&account.address).copied();
            assert_eq!(found, account.before, "block {}: {account:?}", load.number);
            if let Some(after) = account.after {
                self.accounts.insert(account.address, after);
            } else {
                self.accounts.remove(&account.address);
            }
        }
        for slot in &load.slots {
            let found = self.slots.get(&slot.key()).copied().unwrap_or_default();
            assert_eq!(found, slot.before, "block {}: {slot:?}", load.number);
            assert!(self.accounts.contains_key(&slot.address), "{slot:?}");
            if slot.after.is_zero() {
                self.slots.remove(&slot.key());
            } else {
                self.slots.insert(slot.key(), slot.after);
            }
        }
    }
}

#[test]
fn no_value_before_a_block_is_ever_wrong() {
    let population = population(ACCOUNTS);
    let mut model = Model::filled(&population);
    let mut generator = generator(&population, 1);
    for number in 1..=200 {
        let load = generator.next_block();
        assert_eq!((load.number, load.blocks), (BlockNumber(number), 1));
        model.apply(&load);
    }
}

#[test]
fn no_value_is_ever_wrong_between_single_merged_and_cloned_blocks() {
    let population = population(ACCOUNTS);
    let mut model = Model::filled(&population);
    let mut generator = generator(&population, 2);
    for round in 0..12 {
        let load = match round % 3 {
            0 => generator.next_block(),
            1 => generator.next_merged(7),
            _ => generator.next_cloned(4),
        };
        assert_eq!(load.number, BlockNumber(round + 1));
        assert_eq!(load.blocks, [1, 7, 4][round as usize % 3]);
        model.apply(&load);
    }
}

/// Nobody sends less than nothing, and what has a code keeps it.
#[test]
fn no_nonce_goes_back_and_no_code_changes() {
    let population = population(ACCOUNTS);
    let mut generator = generator(&population, 5);
    for _ in 0..20 {
        let load = generator.next_block();
        let mut sent = 0;
        for account in load.accounts_written() {
            let after = account.after.expect("nothing is destroyed");
            let before = account.before.unwrap_or_default();
            assert!(after.nonce >= before.nonce);
            if account.before.is_some() {
                assert_eq!(after.code_hash, before.code_hash);
                sent += after.nonce - before.nonce;
            }
        }
        assert_eq!(sent, load.tx_count, "each transaction has a sender");
    }
}
