//! The logs of a block, by the index that emitted them.

use alloy_consensus::ReceiptEnvelope;
use alloy_primitives::Log;
use thinstate_formats::trace::BlockAccessIndex;

/// The logs of a block. Only transactions emit logs, so that indexes 0 and `n + 1` have none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlockLogs {
    logs: Vec<(BlockAccessIndex, Log)>,
}

impl BlockLogs {
    /// The logs of a block's receipts, which are all of them and in order.
    pub fn from_receipts(receipts: &[ReceiptEnvelope]) -> Self {
        let logs = receipts.iter().enumerate().flat_map(|(at, receipt)| {
            let index = BlockAccessIndex::from_tx_index(at as u64);
            receipt.logs().iter().map(move |log| (index, log.clone()))
        });
        Self {
            logs: logs.collect(),
        }
    }

    /// Adds a log.
    pub fn push(&mut self, index: BlockAccessIndex, log: Log) {
        self.logs.push((index, log));
    }

    /// Whether there are none: the block emitted none, or they are not at hand.
    pub const fn is_empty(&self) -> bool {
        self.logs.is_empty()
    }

    /// Every log with its index.
    pub fn iter(&self) -> impl Iterator<Item = (BlockAccessIndex, &Log)> {
        self.logs.iter().map(|(index, log)| (*index, log))
    }
}
