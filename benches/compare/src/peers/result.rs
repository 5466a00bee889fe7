//! The result of a comparison.

use crate::{
    phases::{BlocksFound, FillFound, ReadsFound, Size},
    store::Facts,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use thinstate_replay::measure::{Machine, Program};

/// What was compared, on what, and what was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PeersResult {
    /// [`Self::SCHEMA`].
    pub schema: String,
    /// The command line.
    pub command: String,
    /// The machine, and what the stores lie on.
    pub machine: Machine,
    /// The program.
    pub program: Program,
    /// Versions of the stores' crates.
    pub versions: BTreeMap<String, String>,
    /// The workload.
    pub setting: Setting,
    /// What each store did with it, in order.
    pub stores: Vec<StoreFound>,
}

impl PeersResult {
    /// The schema of this version.
    pub const SCHEMA: &str = "thinstate-peers/1";
}

/// A workload.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Setting {
    /// Of what.
    pub kind: Kind,
    /// Sizes of blocks.
    pub sizes: Vec<Size>,
    /// Memory for caches.
    pub cache_bytes: u64,
    /// Threads that hash.
    pub threads: usize,
    /// Seed.
    pub seed: u64,
    /// Limit of memory, the page cache included.
    pub memory_bytes_max: Option<u64>,
}

/// What blocks are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "workload", rename_all = "lowercase")]
pub enum Kind {
    /// Updates of keys.
    Keys {
        /// Keys before the first block.
        keys: u64,
        /// Keys that are read for each number of threads.
        reads: u64,
    },
    /// Transfers.
    Transfers {
        /// Holders before the first block.
        holders: u64,
    },
}

/// What one store did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoreFound {
    /// Its name.
    pub name: String,
    /// What it is.
    pub summary: String,
    /// What its root is.
    pub root: String,
    /// What is durable after a commit.
    pub durability: String,
    /// Whether the root is Ethereum's.
    pub is_ethereum: bool,
    /// How it was filled; `None` where that was part of the blocks' process.
    pub fill: Option<FillFound>,
    /// By distribution: of keys one after the other on the same store, of transfers each on a store of its own.
    pub draws: Vec<DrawsFound>,
    /// Why it got no further; `None` where it did all.
    pub failed: Option<String>,
}

impl StoreFound {
    /// A store of which nothing is known yet but what it is.
    pub fn new(facts: &Facts) -> Self {
        Self {
            name: facts.name.to_owned(),
            summary: facts.summary.to_owned(),
            root: facts.root.to_owned(),
            durability: facts.durability.to_owned(),
            is_ethereum: facts.is_ethereum,
            fill: None,
            draws: Vec::new(),
            failed: None,
        }
    }
}

/// Blocks and reads by one distribution.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DrawsFound {
    /// The distribution, as the command line writes it.
    pub draws: String,
    /// Of blocks.
    pub blocks: BlocksFound,
    /// The most that the control group of these blocks held, the page cache included.
    pub group_bytes_max: Option<u64>,
    /// Of reads, where there were any.
    pub reads: Option<ReadsFound>,
}
