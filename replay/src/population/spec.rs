//! What a population is made from.

use super::PopulationError;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use thinstate_formats::object::ObjectClass;

/// What a population is made from. What is not given is mainnet's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct PopulationSpec {
    /// Everything is drawn from it.
    pub seed: u64,
    /// Accounts, contracts among them.
    pub accounts: u64,
    /// Slots for each account.
    pub slots_per_account: f64,
    /// Share of accounts that are contracts.
    pub contract_share: f64,
    /// Share of contracts that have slots.
    pub storage_share: f64,
    /// Shares of all slots that the largest contracts have, one by one.
    pub giants: Vec<f64>,
    /// Behind the giants a contract at rank `r` from there, as a share of all contracts, has slots in
    /// proportion to `(r + size_offset) ^ -size_exponent`.
    pub size_exponent: f64,
    /// See [`Self::size_exponent`].
    pub size_offset: f64,
    /// Kinds of contracts, by share of slots, and what their slots are.
    pub kinds: Vec<ContractKind>,
}

/// A kind of contract.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ContractKind {
    /// Its name.
    pub name: String,
    /// Share of contracts of each size, so of slots too.
    pub share: f64,
    /// Share of its slots by class; what is left are plain slots.
    pub classes: BTreeMap<ObjectClass, f64>,
}

impl Default for PopulationSpec {
    fn default() -> Self {
        let kind = |name: &str, share, classes: &[(ObjectClass, f64)]| ContractKind {
            name: name.to_owned(),
            share,
            classes: classes.iter().copied().collect(),
        };
        Self {
            seed: 1,
            accounts: 1_000_000,
            slots_per_account: 4.09,
            contract_share: 0.166,
            storage_share: 0.461,
            giants: vec![0.0534, 0.03, 0.02, 0.014, 0.011, 0.009, 0.008, 0.007],
            size_exponent: 1.385,
            size_offset: 6e-6,
            kinds: vec![
                kind(
                    "erc20",
                    0.42,
                    &[
                        (ObjectClass::Erc20Balance, 0.72),
                        (ObjectClass::Allowance, 0.22),
                    ],
                ),
                kind("erc721", 0.22, &[(ObjectClass::Erc721Owner, 0.5)]),
                kind("erc1155", 0.04, &[(ObjectClass::Erc1155Balance, 0.8)]),
                kind("other", 0.32, &[]),
            ],
        }
    }
}

impl PopulationSpec {
    /// A population of this many accounts, all else mainnet's.
    pub fn of(accounts: u64, seed: u64) -> Self {
        Self {
            seed,
            accounts,
            ..Self::default()
        }
    }

    /// Contracts.
    pub fn contracts(&self) -> u64 {
        (self.accounts as f64 * self.contract_share) as u64
    }

    /// Slots that it is to have.
    pub fn slots(&self) -> u64 {
        (self.accounts as f64 * self.slots_per_account) as u64
    }

    /// Checks that all shares are shares.
    pub fn check(&self) -> Result<(), PopulationError> {
        let share = |name, got: f64| match (0.0..=1.0).contains(&got) {
            true => Ok(()),
            false => Err(PopulationError::Share { name, got }),
        };
        share("contract-share", self.contract_share)?;
        share("storage-share", self.storage_share)?;
        share("giants", self.giants.iter().sum())?;
        share("kinds", self.kinds.iter().map(|kind| kind.share).sum())?;
        for kind in &self.kinds {
            share("classes", kind.classes.values().sum())?;
        }
        let is_shape = self.size_exponent > 1.0 && self.size_offset > 0.0;
        if !(is_shape && (0.0..1e6).contains(&self.slots_per_account)) {
            return Err(PopulationError::Sizes {
                exponent: self.size_exponent,
                offset: self.size_offset,
                slots_per_account: self.slots_per_account,
            });
        }
        Ok(())
    }
}
