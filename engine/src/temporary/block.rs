//! What a block asks of the tier, and what the tier answers.

use super::commitment::HashWork;
use crate::spent::BitChange;
use alloy_primitives::B256;
use core::time::Duration;
use thinstate_formats::{
    PeriodId,
    counted::{InclusionProof, Leaf},
};

/// A write of a live entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TemporaryWrite {
    /// Where ([`thinstate_formats::temporary::location`]).
    pub location: B256,
    /// What; zero deletes.
    pub value: B256,
}

/// The use of a sealed leaf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resurrection {
    /// The period that it was sealed with.
    pub period: PeriodId,
    /// Location and value.
    pub leaf: Leaf,
    /// That the period's tree has it, and where.
    pub proof: InclusionProof,
}

/// What a block did to the tier.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TemporaryReport {
    /// Writes of the block.
    pub writes: u64,
    /// Entries that the current period did not have.
    pub created: u64,
    /// Leaves resurrected.
    pub resurrections: u64,
    /// Bytes of the block's log, its key included.
    pub log_bytes: u64,
    /// What committing to the block's writes cost.
    pub work: HashWork,
    /// Leaves that the background has sealed since the block before.
    pub seal_leaves: u64,
    /// Entries that went into a checkpoint.
    pub checkpoint_entries: u64,
    /// How long the block waited for a period's tree to be finished. Zero but in blocks that seal a
    /// period.
    pub seal_pause: Duration,
}

/// A block that memory shows, on its way to the store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TemporaryStaged {
    /// What happens to the spent bits.
    pub(crate) changes: Vec<BitChange>,
    /// What the block did.
    pub(crate) report: TemporaryReport,
}

/// Sizes of the tier.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TemporaryStats {
    /// Entries of the current period that are present.
    pub current_entries: u64,
    /// Entries of the previous period that a read can return.
    pub previous_entries: u64,
    /// Entries of a period that is frozen and not yet sealed.
    pub frozen_entries: u64,
    /// Bytes in memory of all periods.
    pub memory_bytes: u64,
    /// Bytes in memory of the blocks that can be undone.
    pub undo_bytes: u64,
    /// Bytes of the logs in the store.
    pub log_bytes: u64,
    /// Sealed periods.
    pub periods_sealed: u64,
    /// Leaves of all sealed periods.
    pub leaves_sealed: u64,
    /// Bytes of the period table in the store.
    pub period_table_bytes: u64,
}
