//! The policy: which class of object lives in which tier, and the parameters of the tiers.
//!
//! A policy is a TOML file. Nothing in it has to be there but its name: a class that is not
//! mentioned lives in the permanent tier, a parameter that is not mentioned has its default, and a
//! name that is not known is an error.
//!
//! ```
//! use thinstate_formats::object::{ObjectClass, Tier};
//! use thinstate_formats::policy::Policy;
//!
//! let policy = Policy::parse(
//!     r#"
//!     name = "balances-as-records"
//!
//!     [tiers]
//!     erc20_balance = "utxo"
//!     allowance = "temporary"
//!
//!     [temporary]
//!     period-length = 50400    # a week
//!
//!     [utxo]
//!     hybrid-window = 32
//!     "#,
//! )?;
//! assert_eq!(policy.tier(ObjectClass::Erc20Balance), Tier::Utxo);
//! assert_eq!(policy.tier(ObjectClass::Cdp), Tier::Permanent);
//! assert_eq!(policy.temporary.period_length, 50_400);
//! # Ok::<(), thinstate_formats::policy::PolicyError>(())
//! ```

use crate::{
    HashKind, TemporaryRules,
    object::{ObjectClass, Tier},
    temporary::RulesError,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[cfg(test)]
mod tests;

/// Which class lives where, and how the tiers are set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Policy {
    /// What results call it.
    pub name: String,
    /// The tier of each class; the permanent one for those that are not here.
    #[serde(default)]
    pub tiers: BTreeMap<ObjectClass, Tier>,
    /// The rules of the temporary tier.
    #[serde(default)]
    pub temporary: TemporaryRules,
    /// The rules of the UTXO tier.
    #[serde(default)]
    pub utxo: UtxoParameters,
}

/// What all nodes must agree on in the UTXO tier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct UtxoParameters {
    /// Block roots in the ring, and in a batch (default 8,192).
    pub ring_length: u64,
    /// Blocks whose records are read and spent without a witness (default 0: none).
    pub hybrid_window: u64,
    /// The hash function of its trees.
    pub hash: HashKind,
}

impl Default for UtxoParameters {
    fn default() -> Self {
        Self {
            ring_length: 8_192,
            hybrid_window: 0,
            hash: HashKind::default(),
        }
    }
}

/// A policy cannot be followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// The text is no TOML, or names something unknown. The message says what and where.
    #[error("not a policy: {0}")]
    Syntax(toml::de::Error),
    /// The policy has no name: results could not say which it was.
    #[error("name is empty, expected at least one character")]
    NoName,
    /// A class is given a tier that it cannot live in.
    #[error("class {class} cannot live in the {got} tier, expected {}", names(class.tiers()))]
    NotAllowed {
        /// The class.
        class: ObjectClass,
        /// The tier.
        got: Tier,
    },
    /// The rules of the temporary tier contradict themselves.
    #[error("temporary: {0}")]
    Temporary(#[from] RulesError),
    /// A ring must have slots.
    #[error("utxo: ring-length is 0, expected at least 1")]
    NoRing,
    /// What is older than the ring has only its batch's root.
    #[error("utxo: hybrid-window is {got}, expected less than {ring_length} (ring-length)")]
    HybridWindow {
        /// The window.
        got: u64,
        /// The ring.
        ring_length: u64,
    },
}

fn names(tiers: &[Tier]) -> String {
    let names: Vec<_> = tiers.iter().map(|tier| tier.name()).collect();
    names.join(" or ")
}

impl Policy {
    /// Everything in the permanent tier, as today.
    pub fn permanent(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            tiers: BTreeMap::new(),
            temporary: TemporaryRules::default(),
            utxo: UtxoParameters::default(),
        }
    }

    /// The policy that `text` is, which can be followed by a store that undoes no blocks; see
    /// [`Self::check`] for one that does.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let policy: Self = toml::from_str(text).map_err(PolicyError::Syntax)?;
        policy.check(0)?;
        Ok(policy)
    }

    /// The same policy with another tier for a class.
    pub fn with(mut self, class: ObjectClass, tier: Tier) -> Self {
        self.tiers.insert(class, tier);
        self
    }

    /// Where objects of a class live.
    pub fn tier(&self, class: ObjectClass) -> Tier {
        self.tiers.get(&class).copied().unwrap_or_default()
    }

    /// Whether any class lives in `tier`.
    pub fn uses(&self, tier: Tier) -> bool {
        ObjectClass::ALL
            .into_iter()
            .any(|class| self.tier(class) == tier)
    }

    /// Checks that a store that can undo `undo_blocks` blocks can follow it.
    pub fn check(&self, undo_blocks: u64) -> Result<(), PolicyError> {
        if self.name.is_empty() {
            return Err(PolicyError::NoName);
        }
        for (&class, &got) in &self.tiers {
            if !class.lives_in(got) {
                return Err(PolicyError::NotAllowed { class, got });
            }
        }
        self.temporary.check(undo_blocks)?;
        self.utxo.check()
    }
}

impl UtxoParameters {
    /// Checks the parameters.
    pub const fn check(&self) -> Result<(), PolicyError> {
        if self.ring_length == 0 {
            return Err(PolicyError::NoRing);
        }
        if self.hybrid_window >= self.ring_length {
            return Err(PolicyError::HybridWindow {
                got: self.hybrid_window,
                ring_length: self.ring_length,
            });
        }
        Ok(())
    }
}
