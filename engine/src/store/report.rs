//! What a block did to all tiers.

use crate::{
    permanent::CommitReport, spent::SpentWork, temporary::TemporaryReport, utxo::UtxoWork,
};
use core::time::Duration;
use thinstate_formats::{Commitment, RecordIndex};

/// What applying a block did, and cost.
#[derive(Clone, Copy, Debug)]
pub struct BlockReport {
    /// What the block commits to.
    pub commitment: Commitment,
    /// The permanent tier; its `batch_bytes` and `commit` are those of the whole batch.
    pub permanent: CommitReport,
    /// The other tiers.
    pub cheap: CheapReport,
    /// From beginning to end.
    pub total: Duration,
}

/// What a block did to the tiers that are not Ethereum's own.
#[derive(Clone, Copy, Debug)]
pub struct CheapReport {
    /// The temporary tier.
    pub temporary: TemporaryReport,
    /// The UTXO tier.
    pub utxo: UtxoWork,
    /// The spent bits of both.
    pub spent: SpentWork,
    /// The index of the first record that the block made, or would have made.
    pub first_record: RecordIndex,
}

impl CheapReport {
    /// Hashes computed outside the permanent tier.
    pub const fn hashes(&self) -> u64 {
        self.temporary.work.hashes + self.utxo.hashes + self.spent.hashes
    }
}
