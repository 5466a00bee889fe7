//! What a store is made with: what all nodes agree on, and what each chooses.

use crate::permanent::Options;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use thinstate_formats::{
    TemporaryRules,
    policy::{Policy, PolicyError, UtxoParameters},
};

/// What all nodes must agree on. Kept in the store, and compared on opening.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct StoreRules {
    /// Of the temporary tier.
    pub temporary: TemporaryRules,
    /// Of the UTXO tier.
    pub utxo: UtxoParameters,
}

impl StoreRules {
    /// Checks the rules for a store that can undo `undo_blocks` blocks.
    pub fn check(&self, undo_blocks: u64) -> Result<(), PolicyError> {
        self.temporary.check(undo_blocks)?;
        self.utxo.check()
    }
}

impl From<&Policy> for StoreRules {
    fn from(policy: &Policy) -> Self {
        Self {
            temporary: policy.temporary,
            utxo: policy.utxo,
        }
    }
}

/// How a store works. What it commits to depends on `rules` alone.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// The permanent tier; its `undo_blocks` and `threads` hold for all tiers.
    pub permanent: Options,
    /// What all nodes agree on.
    pub rules: StoreRules,
    /// The folder of spent bitfields and archives, beside or around the leaf store's files; `None`
    /// keeps the bitfields in memory (they are lost with the store) and archives nothing.
    pub dir: Option<PathBuf>,
    /// What goes to the archive.
    pub archive: ArchiveOptions,
    /// Leaves that sealing works on between two blocks, at most (default 65,536).
    pub seal_leaves_per_block: u64,
    /// Commits between two syncs of the mapped bitfields (default 1,024).
    pub checkpoint_commits: u64,
}

/// What a node keeps that it does not need itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArchiveOptions {
    /// Leaves of sealed periods.
    pub periods: bool,
    /// Records of the UTXO tier.
    pub records: bool,
    /// An index of records by owner, in memory.
    pub owners: bool,
    /// Leaves of the permanent tier that expire; without it nothing can.
    pub expired: bool,
}

impl ArchiveOptions {
    /// Nothing is archived.
    pub const NONE: Self = Self {
        periods: false,
        records: false,
        owners: false,
        expired: false,
    };

    /// Everything is archived.
    pub const ALL: Self = Self {
        periods: true,
        records: true,
        owners: true,
        expired: true,
    };
}

impl StoreOptions {
    /// The options of the permanent tier, with its archive in the folder of the others.
    pub(super) fn permanent_tier(&self) -> Options {
        let dir = self.dir.as_ref().filter(|_| self.archive.expired);
        let expired = dir.map(|dir| dir.join("archive").join("expired"));
        Options {
            archive: expired.or_else(|| self.permanent.archive.clone()),
            ..self.permanent.clone()
        }
    }
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            permanent: Options::default(),
            rules: StoreRules::default(),
            dir: None,
            archive: ArchiveOptions::NONE,
            seal_leaves_per_block: 1 << 16,
            checkpoint_commits: 1024,
        }
    }
}
