//! The hash function of the cheap tiers' trees: a parameter, and batched.
//!
//! The permanent tier hashes with keccak256, as Ethereum does ([`crate::keccak`]). The trees of the
//! temporary and UTXO tiers may use any of [`HashKind`]; BLAKE3 is the default.
//!
//! Every tree here keeps its kinds of nodes apart by the *length* of what is hashed, and no length
//! is used for two things in one tree. Messages of nodes are 64 or 128 bytes, whole blocks of
//! BLAKE3, so that many of them go through vector lanes at once:
//!
//! | message | one at a time, 64 / 128 bytes | in a batch, for each |
//! |---|---|---|
//! | BLAKE3 | 1 / 2 compressions | up to 16 lanes ([`blake3::platform`]) |
//! | keccak256 | 1 / 1 permutations | up to 8 lanes ([`crate::keccak`]) |
//! | SHA-256 | 2 / 3 compressions | one at a time (SHA extensions) |

mod node_hasher;

pub use node_hasher::NodeHasher;

use core::{fmt, str::FromStr};
use serde::{Deserialize, Serialize};

/// A hash function with digests of 32 bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HashKind {
    /// BLAKE3-256, unkeyed.
    #[default]
    Blake3,
    /// keccak256, as Ethereum uses it.
    Keccak256,
    /// SHA-256.
    Sha256,
}

impl HashKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Blake3, Self::Keccak256, Self::Sha256];

    /// Its name in files and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Blake3 => "blake3",
            Self::Keccak256 => "keccak256",
            Self::Sha256 => "sha256",
        }
    }

    /// Its number in files and in what is hashed.
    pub const fn id(self) -> u8 {
        match self {
            Self::Blake3 => 1,
            Self::Keccak256 => 2,
            Self::Sha256 => 3,
        }
    }

    /// The function with this number.
    pub fn from_id(id: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.id() == id)
    }
}

impl fmt::Display for HashKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// No hash function has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown hash function {got:?}, expected blake3, keccak256 or sha256")]
pub struct UnknownHash {
    /// The name.
    pub got: String,
}

impl FromStr for HashKind {
    type Err = UnknownHash;

    fn from_str(name: &str) -> Result<Self, UnknownHash> {
        let found = Self::ALL.into_iter().find(|kind| kind.name() == name);
        found.ok_or_else(|| UnknownHash {
            got: name.to_owned(),
        })
    }
}
