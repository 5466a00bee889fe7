//! What the blocks so far have changed.

use crate::population::{Population, PopulationSlot, SlotId};
use alloy_primitives::{U256, map::HashMap};
use thinstate_formats::Account;

/// A value, and the clock of its last write.
#[derive(Clone, Copy, Debug)]
pub(super) struct Written<T> {
    pub(super) value: T,
    pub(super) clock: u64,
}

/// Everything that differs from the population, and what was given out.
#[derive(Debug)]
pub(super) struct State {
    slots: HashMap<SlotId, Written<U256>>,
    accounts: HashMap<u64, Written<Option<Account>>>,
    /// By contract: the number of the slot that is created next.
    next_slot: HashMap<u64, u64>,
    pub(super) next_account: u64,
}

impl State {
    pub(super) fn new(population: &Population) -> Self {
        Self {
            slots: HashMap::default(),
            accounts: HashMap::default(),
            next_slot: HashMap::default(),
            next_account: population.accounts(),
        }
    }

    /// The value of a slot.
    pub(super) fn value(&self, id: SlotId, slot: &PopulationSlot) -> U256 {
        self.slots.get(&id).map_or(slot.value, |it| it.value)
    }

    /// What was written to a slot in the run.
    pub(super) fn slot(&self, id: SlotId) -> Option<&Written<U256>> {
        self.slots.get(&id)
    }

    /// Whether a slot has a value.
    pub(super) fn has_value(&self, id: SlotId, population: &Population) -> bool {
        match self.slots.get(&id) {
            Some(written) => !written.value.is_zero(),
            None => id.local < population.slots_of(id.contract),
        }
    }

    /// Writes a slot.
    pub(super) fn set_slot(&mut self, id: SlotId, value: U256, clock: u64) {
        self.slots.insert(id, Written { value, clock });
    }

    /// A number that the contract has not given out.
    pub(super) fn new_slot(&mut self, contract: u64, population: &Population) -> SlotId {
        let next = self
            .next_slot
            .entry(contract)
            .or_insert_with(|| population.slots_of(contract));
        let local = *next;
        *next += 1;
        SlotId { contract, local }
    }

    /// An account as it is.
    pub(super) fn account(&self, account: u64, population: &Population) -> Option<Account> {
        match self.accounts.get(&account) {
            Some(written) => written.value,
            None => population.account(account),
        }
    }

    /// What was written to an account in the run.
    pub(super) fn written_account(&self, account: u64) -> Option<&Written<Option<Account>>> {
        self.accounts.get(&account)
    }

    /// Writes an account.
    pub(super) fn set_account(&mut self, account: u64, value: Option<Account>, clock: u64) {
        self.accounts.insert(account, Written { value, clock });
    }
}
