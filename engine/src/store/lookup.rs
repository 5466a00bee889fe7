//! What a proof of an object is checked against, and what a store was made with.

use super::{Store, StoreOpenError, StoreRules, history};
use crate::{
    leaf_store::{LeafRead, LeafStore},
    temporary::Sealed,
};
use alloy_primitives::B256;
use thinstate_formats::{
    BatchId, BlockNumber, NodeHasher, PeriodId,
    record::{Record, RecordPath, RecordPathError},
};

/// The rules that a store was made with; `None` for one that has a permanent tier alone, or no
/// block yet.
pub fn recorded_rules<R: LeafRead>(read: &R) -> Result<Option<StoreRules>, StoreOpenError> {
    history::read_rules(read)
}

/// Where the path of a record ends: which root it was checked against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordRoot {
    /// The root of the record's block, which is in the ring.
    Ring(B256),
    /// The root of the batch that the block was sealed with.
    Batch(BatchId, B256),
}

/// A record's path does not lead to a root that the store has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordProofError {
    /// The ring no longer has the block, or the batch is not sealed. Ask for the path again.
    #[error("the store has no root for a path of block {block}")]
    NoRoot {
        /// The block that the path names.
        block: BlockNumber,
    },
    /// Record and path lead elsewhere: one of them is damaged.
    #[error(transparent)]
    Path(#[from] RecordPathError),
}

impl<S: LeafStore> Store<S> {
    /// The temporary value at a location, and the period that has it; `None` where there is none.
    pub fn temporary_entry(&self, location: B256) -> Option<(PeriodId, B256)> {
        self.read().temporary.entry(&location)
    }

    /// A sealed period: the root of its tree, and the block that sealed it.
    pub fn sealed_period(&self, period: PeriodId) -> Option<Sealed> {
        self.read().temporary.period(period)
    }

    /// Checks that a record was appended, spent or not, and says against which root.
    pub fn verify_record(
        &self,
        record: &Record,
        path: &RecordPath,
    ) -> Result<RecordRoot, RecordProofError> {
        let cheap = self.read();
        let rules = cheap.utxo.rules();
        let hasher = NodeHasher::new(rules.hash);
        let block = path.block;
        let missing = RecordProofError::NoRoot { block };
        if path.batch.is_none() {
            let root = cheap.utxo.block_root(block).ok_or(missing)?;
            path.verify_in_ring(&hasher, record, root)?;
            return Ok(RecordRoot::Ring(root));
        }
        let batch = BatchId(block.0 / u64::from(rules.ring_len));
        let root = cheap.utxo.batch_root(batch).ok_or(missing)?;
        path.verify_in_batch(&hasher, record, rules.ring_len, batch, root)?;
        Ok(RecordRoot::Batch(batch, root))
    }
}
