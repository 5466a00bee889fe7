//! The three tiers.

use core::fmt;
use serde::{Deserialize, Serialize};

/// Where objects live.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// Ethereum's own state.
    #[default]
    Permanent,
    /// Key-value storage that is dropped with its period.
    Temporary,
    /// Write-once records with a spent bit each.
    Utxo,
}

impl Tier {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Permanent, Self::Temporary, Self::Utxo];

    /// Its name in policies and results.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Permanent => "permanent",
            Self::Temporary => "temporary",
            Self::Utxo => "utxo",
        }
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
