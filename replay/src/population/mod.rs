//! A state of mainnet's shape, as a function of a seed: what stores are filled with, and what generated
//! blocks touch.
//!
//! Nothing of it is held in memory but a table of contract sizes, and the hashes of its codes.
//! Accounts are numbered: first the contracts, the one with the most slots first, then accounts without
//! code. A slot is named by its contract and a number in it ([`SlotId`]); those below
//! [`Population::slots_of`] are there at the start, those above it are not, and are what blocks create, or
//! look for in vain. No two numbers of a contract have the same key.
//!
//! | what | mainnet, by which it is shaped | source |
//! |---|---|---|
//! | slots for each account | 4.09 | weiihann/xatu-analysis, block 24,870,000 |
//! | contracts among accounts | 16.6 % | stateless.fyi, block 22,284,325 |
//! | contracts without storage | 53.9 % | ethereum-magicians 25508 |
//! | different codes among those of contracts | 2.9 % | the same |
//! | slots of the largest 1,000 of 48 M contracts | 51 % | the same |
//! | slots of the contract at the top 1 % | 47 | stateless.fyi |
//! | mean bytes of a slot's value | 12.4 | ethresear.ch 25119 |
//! | slots and accounts written within 30, 90, 180, 365 days | see `recency.rs` | ethresear.ch 25317 |
//!
//! Sizes are a function of a contract's rank *as a share of all contracts*, so that a small population
//! has the shape of a large one.
//!
//! # What was written lately
//!
//! Each slot has a rank by recency, and an age that is a function of it. To draw one of those written within
//! 30 days, draw a rank: [`Population::recent_slot`] of a number below [`Population::slots_within`]`(30.0)`;
//! the lower the rank, the younger. Accounts without slots have ranks of their own
//! ([`Population::recent_account`], [`Population::accounts_within`]); one with slots was written when the last
//! of its slots was. All of it is as of the start: who writes keeps count of what was written since.
//!
//! ```
//! use thinstate_replay::population::{Population, PopulationSpec};
//!
//! let population = Population::new(PopulationSpec::of(10_000, 7)).expect("mainnet's shape");
//! let month = population.slots_within(30.0);
//! let youngest = population.recent_slot(0).expect("there are slots");
//! assert!(population.slot_age(youngest) < population.slot_age(population.recent_slot(month).unwrap()));
//! ```

mod classes;
mod code;
mod error;
mod keys;
mod permutation;
mod recency;
mod sizes;
mod spec;
#[cfg(test)]
mod tests;
mod values;

pub use error::PopulationError;
pub use keys::{PopulationSlot, SlotId};
pub use spec::{ContractKind, PopulationSpec};

use alloy_primitives::{Address, B256, Bytes, U256};
use code::Codes;
use permutation::Permutation;
use recency::Recency;
use sizes::Sizes;

/// The version of how a population follows from its spec: part of what stores filled with one are known by.
///
/// | version | what changed |
/// |---|---|
/// | 1 | |
/// | 2 | lengths of codes and balances of accounts, after those of mainnet |
/// | 3 | as many codes as mainnet has for so many contracts, in every design's store |
pub const POPULATION_VERSION: u32 = 3;

/// A state as a function of its spec.
#[derive(Clone, Debug)]
pub struct Population {
    spec: PopulationSpec,
    sizes: Sizes,
    contracts: u64,
    owners: Permutation,
    slot_recency: Recency,
    account_recency: Recency,
    codes: Codes,
}

impl Population {
    /// The population of a spec.
    pub fn new(spec: PopulationSpec) -> Result<Self, PopulationError> {
        spec.check()?;
        let contracts = spec.contracts();
        let sizes = Sizes::new(&spec, contracts);
        let others = spec.accounts - sizes.contracts();
        let offset = |what| keys::number(spec.seed ^ what, 0, 0);
        Ok(Self {
            owners: Permutation::new(spec.accounts, 0),
            slot_recency: Recency::of_slots(sizes.slots(), offset(keys::SLOT_AGE)),
            account_recency: Recency::of_accounts(others, &sizes, offset(keys::ACCOUNT_AGE)),
            codes: Codes::new(spec.seed, contracts),
            spec,
            sizes,
            contracts,
        })
    }

    /// What it was made from.
    pub const fn spec(&self) -> &PopulationSpec {
        &self.spec
    }

    /// Accounts, contracts among them.
    pub const fn accounts(&self) -> u64 {
        self.spec.accounts
    }

    /// Accounts with code: those with the lowest numbers.
    pub const fn contracts(&self) -> u64 {
        self.contracts
    }

    /// Contracts with slots: of these, those with the lowest numbers.
    pub const fn contracts_with_storage(&self) -> u64 {
        self.sizes.contracts()
    }

    /// Slots of all contracts.
    pub const fn slots(&self) -> u64 {
        self.sizes.slots()
    }

    /// Slots of an account at the start.
    pub fn slots_of(&self, account: u64) -> u64 {
        self.sizes.of(account)
    }

    /// The slot with this number, counted through all contracts in order.
    pub fn slot_at(&self, index: u64) -> Option<SlotId> {
        self.sizes.slot_at(index)
    }

    /// The number of a slot, counted through all contracts in order; `None` for those that are not there yet.
    pub fn index_of(&self, id: SlotId) -> Option<u64> {
        self.sizes.index_of(id)
    }

    /// The address of an account; also of those that are not there yet, whose numbers go on.
    pub fn address(&self, account: u64) -> Address {
        keys::address(self.spec.seed, account)
    }

    /// Key, class and object of a slot, and its value at the start: zero if it is not there yet.
    pub fn slot(&self, id: SlotId) -> PopulationSlot {
        let (class, object, slot) = self.key(id);
        let value = if id.local < self.slots_of(id.contract) {
            self.value_of(id, class, 0)
        } else {
            U256::ZERO
        };
        PopulationSlot {
            address: self.address(id.contract),
            slot,
            class,
            object,
            value,
        }
    }

    /// The codes of all contracts, each once, by ascending hash.
    pub fn codes(&self) -> impl Iterator<Item = (B256, Bytes)> + '_ {
        self.codes.iter()
    }

    /// Hashes and lengths of the codes of all contracts, each once, by ascending hash.
    pub fn code_lengths(&self) -> impl ExactSizeIterator<Item = (B256, u32)> + '_ {
        self.codes.lengths()
    }

    /// The slot with this rank by recency, 0 for the one written last.
    pub fn recent_slot(&self, rank: u64) -> Option<SlotId> {
        self.slot_at(self.slot_recency.at(rank)?)
    }

    /// Slots written within so many days before the start: those with ranks below this.
    pub fn slots_within(&self, days: f64) -> u64 {
        self.slot_recency.within(days)
    }

    /// Blocks since a slot was last written; `None` for those that are not there yet.
    pub fn slot_age(&self, id: SlotId) -> Option<u64> {
        let index = self.index_of(id)?;
        Some(self.slot_recency.age(self.slot_recency.rank(index)))
    }

    /// Ages of all slots of a contract, by their numbers; faster than one by one.
    pub fn slot_ages(&self, contract: u64) -> impl Iterator<Item = u64> + '_ {
        let (first, count) = self.sizes.slots_at(contract).unwrap_or_default();
        let mut rank = self.slot_recency.rank(first);
        (0..count).map(move |_| {
            let age = self.slot_recency.age(rank);
            rank = self.slot_recency.next_rank(rank);
            age
        })
    }

    /// The account without slots that has this rank by recency among its like.
    pub fn recent_account(&self, rank: u64) -> Option<u64> {
        let behind = self.account_recency.at(rank)?;
        Some(self.contracts_with_storage() + behind)
    }

    /// Accounts without slots written within so many days before the start.
    pub fn accounts_within(&self, days: f64) -> u64 {
        self.account_recency.within(days)
    }

    /// Blocks since an account was last written; `None` for those that are not there yet. Goes through the
    /// slots of an account, of which hubs (more than 4,096) are spared: they were written in the last block.
    pub fn account_age(&self, account: u64) -> Option<u64> {
        if account >= self.accounts() {
            return None;
        }
        match self.slots_of(account) {
            _ if self.is_hub(account) => Some(0),
            0 => {
                let rank = self
                    .account_recency
                    .rank(account - self.contracts_with_storage());
                Some(self.account_recency.age(rank))
            }
            _ => self.slot_ages(account).min(),
        }
    }

    /// Whether a contract has so many slots that some of them are written in every block.
    pub fn is_hub(&self, contract: u64) -> bool {
        self.slots_of(contract) > recency::HUB_SLOTS
    }
}
