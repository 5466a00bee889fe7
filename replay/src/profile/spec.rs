//! The numbers of a profile.

use super::{ProfileError, Spread};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fs, path::Path};
use thinstate_formats::object::ObjectClass;

/// What blocks touch. `data/profiles/mainnet-2026.toml` gives the source of each number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Profile {
    /// Its name, in results.
    pub name: String,
    /// Where its numbers are from, in a sentence.
    pub source: String,
    /// How much of everything is in a block.
    pub block: BlockShape,
    /// What lives in the slots.
    pub classes: ClassShares,
    /// Which contracts the slots are of.
    pub contracts: ContractHabits,
    /// Which slots.
    pub slots: SlotHabits,
    /// Which accounts.
    pub accounts: AccountHabits,
    /// Code.
    pub code: CodeHabits,
}

/// How much of everything is in a block.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct BlockShape {
    /// Gas that a block may use.
    pub gas_limit: u64,
    /// Share of a block's counts that stand at the same quantile of their spreads: busy blocks are busy
    /// in everything.
    pub alike: f64,
    /// Gas used.
    pub gas_used: Spread,
    /// Transactions.
    pub txs: Spread,
    /// Accounts touched: written or only read.
    pub accounts_touched: Spread,
    /// Accounts of which nonce, balance or code change.
    pub accounts_written: Spread,
    /// Of these, accounts that were not there.
    pub accounts_created: Spread,
    /// Slots written.
    pub slots_written: Spread,
    /// Of these, slots that were zero.
    pub slots_created: Spread,
    /// Of these, slots that become zero.
    pub slots_deleted: Spread,
    /// Slots only read.
    pub slots_read: Spread,
    /// Different codes loaded.
    pub code_reads: Spread,
}

/// Shares of slots by class; what is left are plain slots.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ClassShares {
    /// Of the slots written.
    pub written: BTreeMap<ObjectClass, f64>,
    /// Of the slots only read.
    pub read: BTreeMap<ObjectClass, f64>,
    /// Share of token amounts that come out of nothing, or go there; the others are transfers, which
    /// keep the sum within the contract.
    pub minted: f64,
}

/// Which contracts the slots of a block are of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ContractHabits {
    /// Hubs: contracts that most slots are of.
    pub hubs: HotSet,
    /// Share of the accesses outside the hot sets that go to any contract with slots.
    pub elsewhere: f64,
}

/// Keys that are touched far more often than others.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct HotSet {
    /// How many, for each million of the state's (slots, or accounts). Never fewer than one and a half
    /// times what one block asks of them.
    pub keys_per_million: f64,
    /// The key of rank `r` is drawn in proportion to `r ^ -exponent`, no more than once a block.
    pub exponent: f64,
}

/// Which slots.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SlotHabits {
    /// Share of the slots only read that are zero.
    pub absent_reads: f64,
    /// Updates that hit what was written within 1, 7, 30, 90 and 365 days.
    pub locality: Locality,
    /// Slots that are written again and again.
    pub hot_written: HotSet,
    /// Share of updates that hit these.
    pub hot_updates: f64,
    /// Share of deletes that hit these; as many creates bring them back.
    pub hot_cycles: f64,
    /// Share of the other deletes that hit what came to be within 30 days.
    pub young_deletes: f64,
    /// Slots with a value that are read again and again.
    pub hot_read: HotSet,
    /// Share of reads of a value that ask for these.
    pub hot_reads: f64,
    /// Share of the other reads of a value that ask for what came to be within 30 days.
    pub young_reads: f64,
    /// Slots without one.
    pub hot_absent: HotSet,
    /// Share of reads of nothing that ask for these.
    pub hot_absent_reads: f64,
}

/// Which accounts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct AccountHabits {
    /// Share of the accounts only read that are not there.
    pub absent_reads: f64,
    /// Updates that hit what was written within 1, 7, 30, 90 and 365 days.
    pub locality: Locality,
    /// Accounts that are written again and again.
    pub hot_written: HotSet,
    /// Share of updates that hit these.
    pub hot_updates: f64,
    /// Accounts without slots that are read again and again, beside the hubs.
    pub hot_read: HotSet,
    /// Share of the accounts only read that are hubs or these.
    pub hot_reads: f64,
    /// Share of the accounts that come to be that are contracts.
    pub contracts_created: f64,
}

/// Shares of updates that hit what was written within 1, 7, 30, 90 and 365 days: each includes those before.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Locality(pub [f64; 5]);

/// Code.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct CodeHabits {
    /// Bytes of a code that is loaded, spread over codes.
    pub read_bytes: Spread,
    /// Bytes of a code that is deployed, spread over codes.
    pub deployed_bytes: Spread,
}

impl Profile {
    /// Mainnet at a gas limit of 60 M: `data/profiles/mainnet-2026.toml`.
    pub fn mainnet() -> Self {
        const TEXT: &str = include_str!("../../../data/profiles/mainnet-2026.toml");
        Self::parse(TEXT).expect("a test parses the profile that is built in")
    }

    /// Reads and checks a profile's file.
    pub fn load(path: &Path) -> Result<Self, ProfileError> {
        let text = fs::read_to_string(path).map_err(|source| ProfileError::Read {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(&text)
    }

    /// Reads and checks a profile.
    pub fn parse(text: &str) -> Result<Self, ProfileError> {
        let profile: Self = toml::from_str(text)?;
        profile.check()?;
        Ok(profile)
    }

    /// The text of its file.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("a profile has string keys and plain values alone")
    }
}

impl ClassShares {
    /// The share of a class, plain slots included.
    pub fn share(shares: &BTreeMap<ObjectClass, f64>, class: ObjectClass) -> f64 {
        let named = |it: ObjectClass| shares.get(&it).copied().unwrap_or_default();
        match class {
            ObjectClass::Unclassified => 0.0,
            ObjectClass::PlainSlot => {
                let others = ObjectClass::ALL.into_iter().filter(|it| *it != class);
                (1.0 - others.map(named).sum::<f64>()).max(0.0)
            }
            class => named(class),
        }
    }
}
