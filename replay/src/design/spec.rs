//! A design as its file says it.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use thinstate_formats::{
    TemporaryRules,
    object::{ObjectClass, Tier},
    policy::{Policy, PolicyError, UtxoParameters},
};

/// A design of state.
///
/// Tables `tiers`, `temporary` and `utxo` are those of a policy
/// ([`thinstate_formats::policy`]).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DesignSpec {
    /// What results call it.
    pub name: String,
    /// What it is, in a sentence.
    pub summary: String,
    /// Which implementation carries it out.
    pub kind: DesignKind,
    /// The tier of each class; the permanent one for those that are not here.
    #[serde(default)]
    pub tiers: BTreeMap<ObjectClass, Tier>,
    /// Expiry of the permanent tier, where it has one.
    #[serde(default)]
    pub expiry: Option<ExpirySpec>,
    /// The rules of the temporary tier.
    #[serde(default)]
    pub temporary: TemporaryRules,
    /// The rules of the UTXO tier.
    #[serde(default)]
    pub utxo: UtxoParameters,
    /// Whether what leaves the state goes to an archive, whose bytes are then written and counted too.
    #[serde(default)]
    pub archive: bool,
}

/// Which implementation carries a design out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DesignKind {
    /// The permanent tier alone.
    Permanent,
    /// All tiers behind one commitment.
    Layered,
    /// A flat store under the LtHash accumulator of TIP-1078: no tree, no proofs.
    FlatLthash,
}

/// Expiry in place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ExpirySpec {
    /// What was not written for this many blocks is cold.
    pub after_blocks: u64,
    /// Most entries that one stub stands for.
    #[serde(default = "entries_max")]
    pub entries_max: usize,
    /// Entries looked at between two blocks, at most.
    #[serde(default = "cap_per_block")]
    pub cap_per_block: usize,
    /// Whether reads of what has expired are answered from the archive; otherwise transactions bring
    /// witnesses.
    #[serde(default)]
    pub archive_backed: bool,
}

const fn entries_max() -> usize {
    64
}

const fn cap_per_block() -> usize {
    20_000
}

/// A design's file cannot be used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SpecError {
    /// The text is no TOML, or names something unknown. The message says what and where.
    #[error("not a design: {0}")]
    Syntax(toml::de::Error),
    /// Its tiers or their parameters contradict themselves.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// A table that the kind has no use for.
    #[error("kind {kind:?} has no use for {what}")]
    Unused {
        /// The kind.
        kind: DesignKind,
        /// The table.
        what: &'static str,
    },
}

impl DesignSpec {
    /// The design that `text` is.
    pub fn parse(text: &str) -> Result<Self, SpecError> {
        let spec: Self = toml::from_str(text).map_err(SpecError::Syntax)?;
        spec.check()?;
        Ok(spec)
    }

    /// The policy that it follows.
    pub fn policy(&self) -> Policy {
        Policy {
            name: self.name.clone(),
            tiers: self.tiers.clone(),
            temporary: self.temporary,
            utxo: self.utxo,
        }
    }

    /// Checks that it can be carried out.
    pub fn check(&self) -> Result<(), SpecError> {
        let policy = self.policy();
        policy.check(0)?;
        let cheap = policy.uses(Tier::Temporary) || policy.uses(Tier::Utxo);
        let unused = |what| SpecError::Unused {
            kind: self.kind,
            what,
        };
        match self.kind {
            DesignKind::Permanent | DesignKind::FlatLthash if cheap => Err(unused("cheap tiers")),
            DesignKind::FlatLthash if self.expiry.is_some() => Err(unused("expiry")),
            _ => Ok(()),
        }
    }
}
