//! What a process can be told to do.

use crate::{keys::Position, rounds::Plan};
use serde::{Deserialize, Serialize};
use thinstate_benches::Draws;

/// What is done.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Phase {
    /// Fill the empty store with so many keys, and settle it.
    Fill {
        /// Keys.
        keys: u64,
    },
    /// Blocks of updates.
    Blocks {
        /// How keys are drawn.
        #[serde(with = "as_text")]
        draws: Draws,
        /// Where it goes on.
        at: Position,
        /// Sizes of blocks, one after the other.
        sizes: Vec<Size>,
        /// Drop the page cache once the store is open, so that a limit of memory holds for what it reads.
        drop_caches: bool,
    },
    /// Reads, cold and warm.
    Reads {
        /// How keys are drawn.
        #[serde(with = "as_text")]
        draws: Draws,
        /// What the store holds.
        at: Position,
        /// Keys read.
        reads: u64,
        /// Threads that read, one number after the other.
        threads: Vec<usize>,
    },
    /// A new store of balances, and blocks of transfers.
    Transfers {
        /// How holders are drawn.
        #[serde(with = "as_text")]
        draws: Draws,
        /// Holders at first.
        holders: u64,
        /// Sizes of blocks, in transfers.
        sizes: Vec<Size>,
    },
}

/// Blocks of one size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    /// Updates, or transfers, in a block.
    pub block: u64,
    /// Blocks that do not count.
    pub warm_up: u64,
    /// Rounds.
    pub rounds: u64,
    /// Blocks in a round.
    pub blocks: u64,
}

impl Size {
    pub(crate) const fn plan(&self) -> Plan {
        Plan {
            warm_up: self.warm_up,
            rounds: self.rounds,
            blocks: self.blocks,
        }
    }

    /// Blocks in all.
    pub const fn all_blocks(&self) -> u64 {
        self.warm_up + self.rounds * self.blocks
    }
}

/// Distributions as the command line writes them.
mod as_text {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};
    use thinstate_benches::Draws;

    pub(super) fn serialize<S: Serializer>(draws: &Draws, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(draws)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Draws, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(D::Error::custom)
    }
}
