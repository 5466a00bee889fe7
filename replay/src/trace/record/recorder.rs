//! The observer that makes a trace of a block.

use super::{preimages::Preimages, step::Step};
use crate::exec::{
    AccessIndex, BlockHashes, BlockObserver, BlockOutcome, ChainSpec, ExecError,
    execute_block_observed,
};
use alloy_consensus::{Block, TxEnvelope};
use alloy_primitives::B256;
use revm::state::EvmState;
use std::collections::BTreeMap;
use thinstate_formats::{
    BlockNumber, StateReader,
    trace::{BlockAccessIndex, BlockTrace},
};

/// Watches one block. Give it to
/// [`execute_block_observed`], then [`Self::finish`].
#[derive(Clone, Debug, Default)]
pub struct BlockRecorder {
    steps: BTreeMap<AccessIndex, Step>,
    preimages: Preimages,
}

impl BlockRecorder {
    /// A recorder that has seen nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The trace of what was seen, which was `block`.
    ///
    /// The header's state root goes into the trace as the expected one: whether the execution leads
    /// to it is for the caller to know.
    pub fn finish(self, block: &Block<TxEnvelope>, hash: B256) -> BlockTrace {
        let slots = self.steps.values().flat_map(Step::slots);
        let known = self.preimages.resolve(slots);
        let preimages = |address, slot| known.get(&(address, slot)).cloned().unwrap_or_default();
        let group = |(index, step): (AccessIndex, Step)| {
            step.finish(BlockAccessIndex::new(index.0), preimages)
        };
        let header = &block.header;
        let mut trace = BlockTrace {
            number: BlockNumber(header.number),
            timestamp: header.timestamp,
            gas_used: header.gas_used,
            gas_limit: header.gas_limit,
            tx_count: u32::try_from(block.body.transactions.len())
                .expect("a block's gas pays for fewer than 2^32 transactions"),
            hash,
            parent_hash: header.parent_hash,
            state_root: Some(header.state_root),
            accesses: self.steps.into_iter().map(group).collect(),
        };
        trace.sort();
        trace
    }

    fn step(&mut self, index: AccessIndex) -> &mut Step {
        self.steps.entry(index).or_default()
    }
}

impl BlockObserver for BlockRecorder {
    fn on_state(&mut self, index: AccessIndex, state: &EvmState) {
        self.step(index).commit(state);
    }

    fn on_code(&mut self, index: AccessIndex, code_hash: B256, length: usize) {
        self.step(index).load_code(code_hash, length);
    }

    fn on_keccak(&mut self, hash: B256, preimage: [u8; 64]) {
        self.preimages.insert(hash, preimage);
    }
}

/// Executes a block on the state of its parent and records it. Whether the outcome is the header's is
/// not checked.
pub fn record_block<R: StateReader>(
    reader: &R,
    block: &Block<TxEnvelope>,
    hash: B256,
    block_hashes: &BlockHashes,
    spec: &ChainSpec,
) -> Result<(BlockTrace, BlockOutcome), ExecError<R::Error>> {
    let mut recorder = BlockRecorder::new();
    let outcome = execute_block_observed(reader, block, block_hashes, spec, &mut recorder)?;
    Ok((recorder.finish(block, hash), outcome))
}
