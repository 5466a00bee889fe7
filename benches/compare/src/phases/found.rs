//! What a process answers.

use super::{ReadFigures, Size};
use crate::{keys::Position, rounds::BlockFigures};
use serde::{Deserialize, Serialize};

/// What a phase found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Found {
    /// Of [`Phase::Fill`](super::Phase::Fill).
    Filled(FillFound),
    /// Of blocks, and of transfers.
    Blocks(BlocksFound),
    /// Of [`Phase::Reads`](super::Phase::Reads).
    Reads(ReadsFound),
}

/// What filling came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FillFound {
    /// Time to fill and settle it, in nanoseconds.
    pub ns: u64,
    /// Bytes of its files.
    pub folder_bytes: u64,
    /// Most memory of the process.
    pub memory_bytes_max: Option<u64>,
}

/// What blocks came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BlocksFound {
    /// Time to open the store, or to make and fill it, in nanoseconds.
    pub open_ns: u64,
    /// By size, in order.
    pub sizes: Vec<SizeFound>,
    /// Keys, or holders, at the end, and the last block.
    pub at: Position,
    /// Bytes of its files at the end, after a flush.
    pub folder_bytes: u64,
    /// Most memory of the process; of transfers, since the store was filled.
    pub memory_bytes_max: Option<u64>,
}

/// What blocks of one size came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SizeFound {
    /// How many of what size.
    pub size: Size,
    /// What was measured of them.
    pub figures: BlockFigures,
}

/// What reads came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReadsFound {
    /// By number of threads, in order.
    pub threads: Vec<ReadFigures>,
    /// Most memory of the process.
    pub memory_bytes_max: Option<u64>,
}
