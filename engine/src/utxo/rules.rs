//! Rules that all nodes share, and limits that are a node's own.

use serde::{Deserialize, Serialize};
use thinstate_formats::HashKind;

/// What all nodes must agree on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct UtxoRules {
    /// Block roots in the ring, and in a batch (default 8,192). At least 1.
    pub ring_len: u32,
    /// The hash function.
    pub hash: HashKind,
}

impl Default for UtxoRules {
    fn default() -> Self {
        Self {
            ring_len: 8_192,
            hash: HashKind::default(),
        }
    }
}

/// What commitments do not depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct UtxoLimits {
    /// Blocks whose records can be read and spent without a path (default 0); fewer than the ring has.
    /// It decides which blocks are valid, so nodes of one chain agree on it
    /// ([`StoreRules`](crate::StoreRules)).
    pub hybrid_window: u64,
    /// Blocks that can be undone (default 128).
    pub undo_blocks: u64,
}

impl Default for UtxoLimits {
    fn default() -> Self {
        Self {
            hybrid_window: 0,
            undo_blocks: 128,
        }
    }
}
