//! A design as its file says it.

use crate::measure::DesignInfo;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use thinstate_engine::ExpiryRule;
use thinstate_formats::{
    BlockNumber, TemporaryRules,
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

/// Most entries that the engine rebuilds at once.
const ENTRIES_MAX: usize = 4096;

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
    /// Parameters of expiry that no sweep can work with.
    #[error("expiry: {name} is {got}, expected {expected}")]
    Expiry {
        /// Which.
        name: &'static str,
        /// What it may be.
        expected: String,
        /// What it is.
        got: usize,
    },
    /// What expires has to go somewhere: witnesses, undone blocks and archive-backed reads are served from
    /// there.
    #[error("expiry needs archive = true")]
    NoArchive,
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
            _ if self.expiry.is_some() && !self.archive => Err(SpecError::NoArchive),
            _ => self.expiry.map_or(Ok(()), |expiry| expiry.check()),
        }
    }

    /// Names what a permanent trie under this design holds, whatever state it is filled with: accounts,
    /// and the slots of these classes. Designs with the same name have the same state root after every
    /// block: expiry does not show in it, since roots do not change by it.
    pub fn trie(&self) -> String {
        let policy = self.policy();
        let permanent = ObjectClass::ALL
            .into_iter()
            .filter(|class| policy.tier(*class) == Tier::Permanent);
        let classes: Vec<_> = permanent.map(ObjectClass::name).collect();
        format!("mpt-keccak256: account, {}", classes.join(", "))
    }

    /// What results say of the design; `trie` as [`DesignInfo::trie`].
    pub fn info(&self, trie: Option<String>) -> DesignInfo {
        let policy = self.policy();
        let tier = |class: ObjectClass| {
            let tier = policy.tier(class);
            (class.name().to_owned(), tier.name().to_owned())
        };
        DesignInfo {
            name: self.name.clone(),
            summary: self.summary.clone(),
            tiers: ObjectClass::ALL.into_iter().map(tier).collect(),
            trie,
            parameters: serde_json::to_value(self).unwrap_or_default(),
        }
    }
}

impl ExpirySpec {
    /// Checks that a sweep can work with it.
    fn check(&self) -> Result<(), SpecError> {
        let bad = |name, expected: String, got| SpecError::Expiry {
            name,
            expected,
            got,
        };
        if !(2..=ENTRIES_MAX).contains(&self.entries_max) {
            let expected = format!("2 to {ENTRIES_MAX}");
            return Err(bad("entries-max", expected, self.entries_max));
        }
        let least = self.rule(BlockNumber(0)).cap_min();
        if self.cap_per_block < least {
            let expected = format!("{least} or more");
            return Err(bad("cap-per-block", expected, self.cap_per_block));
        }
        Ok(())
    }

    /// The rule by which the engine sweeps: everything is cold that was last written before this block.
    pub const fn rule(&self, written_before: BlockNumber) -> ExpiryRule<'static> {
        ExpiryRule {
            entries_max: self.entries_max,
            ..ExpiryRule::written_before(written_before)
        }
    }
}
