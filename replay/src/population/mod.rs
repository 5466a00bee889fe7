//! A state of mainnet's shape, as a function of a seed: what stores are filled with, and what generated
//! blocks touch.
//!
//! Nothing of it is held in memory but a table of contract sizes. Accounts are numbered: first the
//! contracts, the one with the most slots first, then accounts without code. A slot is named by its
//! contract and a number in it ([`SlotId`]); those below [`Population::slots_of`] are there at the start,
//! those above it are not, and are what blocks create, or look for in vain.
//!
//! | what | mainnet, by which it is shaped | source |
//! |---|---|---|
//! | slots for each account | 4.09 | weiihann/xatu-analysis, block 24,870,000 |
//! | contracts among accounts | 16.6 % | stateless.fyi, block 22,284,325 |
//! | contracts without storage | 53.9 % | ethereum-magicians 25508 |
//! | slots of the largest 1,000 of 48 M contracts | 51 % | the same |
//! | slots of the contract at the top 1 % | 47 | stateless.fyi |
//! | mean bytes of a slot's value | 12.4 | ethresear.ch 25119 |
//!
//! Sizes are a function of a contract's rank *as a share of all contracts*, so that a small population
//! has the shape of a large one.

mod classes;
mod error;
mod keys;
mod sizes;
mod spec;

pub use error::PopulationError;
pub use keys::{PopulationSlot, SlotId};
pub use spec::{ContractKind, PopulationSpec};

use alloy_primitives::{Address, B256, KECCAK256_EMPTY, U256};
use sizes::Sizes;
use thinstate_formats::Account;

/// A state as a function of its spec.
#[derive(Clone, Debug)]
pub struct Population {
    spec: PopulationSpec,
    sizes: Sizes,
    contracts: u64,
}

impl Population {
    /// The population of a spec.
    pub fn new(spec: PopulationSpec) -> Result<Self, PopulationError> {
        spec.check()?;
        let contracts = spec.contracts();
        let sizes = Sizes::new(&spec, contracts);
        Ok(Self {
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

    /// The address of an account; also of those that are not there yet, whose numbers go on.
    pub fn address(&self, account: u64) -> Address {
        keys::address(self.spec.seed, account)
    }

    /// An account as it is at the start; `None` for those that are not there yet.
    pub fn account(&self, account: u64) -> Option<Account> {
        (account < self.accounts())
            .then(|| keys::account(self.spec.seed, account, account < self.contracts))
    }

    /// Key, class and object of a slot, and its value at the start: zero if it is not there yet.
    pub fn slot(&self, id: SlotId) -> PopulationSlot {
        let (class, object, slot) = self.key(id);
        let value = if id.local < self.slots_of(id.contract) {
            keys::value(self.spec.seed, id, class, 0)
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

    /// The value that a slot gets at its `version`th change; never zero, and of the class's form.
    pub fn value(&self, id: SlotId, version: u64) -> U256 {
        keys::value(self.spec.seed, id, self.class_of(id), version)
    }
}

/// The hash of the code of every contract of this kind, or of none.
pub(crate) fn code_hash(seed: u64, contract: bool, account: u64) -> B256 {
    match contract {
        true => keys::word(seed ^ keys::CODE, account % keys::CODES),
        false => KECCAK256_EMPTY,
    }
}
