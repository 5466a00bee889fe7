//! Consecutive blocks from genesis on, in one store that grows.

use super::{
    block::{BlockError, RecordedBlock, record_verified_block, verify_block},
    report::BlockReport,
};
use crate::{
    exec::{BlockHashes, ChainSpec},
    source::genesis::Genesis,
};
use alloy_consensus::{Block, TxEnvelope};
use alloy_primitives::B256;
use thinstate_engine::{BlockId, CommitError, PermanentTier, leaf_store::LeafStore};
use thinstate_formats::BlockNumber;

/// Ancestors that `BLOCKHASH` can ask for.
const HASHES_KEPT: usize = 256;

/// Why a run cannot begin or go on. The state is that of the last block that held.
#[derive(Debug, thiserror::Error)]
pub enum GenesisRunError {
    /// The genesis state cannot be written.
    #[error("the genesis state could not be committed")]
    Genesis(#[from] CommitError),
    /// The allocation has another root than its header.
    #[error("genesis state root {got}, expected {expected}")]
    GenesisRoot {
        /// What is expected.
        expected: B256,
        /// The allocation's root.
        got: B256,
    },
    /// The store holds a state already, and it is not what the run would continue.
    #[error("the store is at block {head}, which the blocks given do not continue")]
    NotOurs {
        /// Its head.
        head: BlockNumber,
    },
    /// A block does not hold.
    #[error("block {number}")]
    Block {
        /// Its number.
        number: BlockNumber,
        /// Why.
        source: BlockError,
    },
}

/// A chain that grows from genesis.
#[derive(Debug)]
pub struct GenesisRun<'a, S: LeafStore> {
    tier: &'a PermanentTier<S>,
    spec: ChainSpec,
    hashes: BlockHashes,
}

impl<'a, S: LeafStore> GenesisRun<'a, S> {
    /// Writes the genesis state into an empty store, or goes on where the store stopped.
    /// `genesis_hash` and `genesis_root` are those of block 0's header.
    pub fn start(
        tier: &'a PermanentTier<S>,
        genesis: &Genesis,
        genesis_hash: B256,
        genesis_root: B256,
        spec: ChainSpec,
    ) -> Result<Self, GenesisRunError> {
        if tier.head().block.is_none() {
            let prepared = tier.prepare(&genesis.changes)?;
            if prepared.root() != genesis_root {
                return Err(GenesisRunError::GenesisRoot {
                    expected: genesis_root,
                    got: prepared.root(),
                });
            }
            let block = BlockId {
                number: BlockNumber(0),
                hash: genesis_hash,
            };
            tier.commit(block, prepared)?;
        }
        Ok(Self {
            tier,
            spec,
            hashes: BlockHashes::new(),
        })
    }

    /// The block that the store is at.
    pub fn head(&self) -> BlockNumber {
        self.tier.head().block.map_or(BlockNumber(0), |b| b.number)
    }

    /// Takes the next block: `None` where the store has it already.
    pub fn next(
        &mut self,
        block: &Block<TxEnvelope>,
        hash: B256,
    ) -> Result<Option<BlockReport>, GenesisRunError> {
        let number = BlockNumber(block.header.number);
        if number <= self.head() {
            self.remember(number, hash)?;
            return Ok(None);
        }
        let report = verify_block(self.tier, block, hash, &self.hashes, &self.spec)
            .map_err(|source| GenesisRunError::Block { number, source })?;
        self.remember(number, hash)?;
        Ok(Some(report))
    }

    /// Takes the next block and records it. It has to be the store's next one: what the store has
    /// already cannot be recorded any more.
    pub fn next_recorded(
        &mut self,
        block: &Block<TxEnvelope>,
        hash: B256,
    ) -> Result<RecordedBlock, GenesisRunError> {
        let number = BlockNumber(block.header.number);
        let recorded = record_verified_block(self.tier, block, hash, &self.hashes, &self.spec)
            .map_err(|source| GenesisRunError::Block { number, source })?;
        self.remember(number, hash)?;
        Ok(recorded)
    }

    fn remember(&mut self, number: BlockNumber, hash: B256) -> Result<(), GenesisRunError> {
        if let Some(head) = self.tier.head().block
            && head.number == number
            && head.hash != hash
        {
            return Err(GenesisRunError::NotOurs { head: number });
        }
        self.hashes.insert(number.0, hash);
        if self.hashes.len() > HASHES_KEPT {
            self.hashes.pop_first();
        }
        Ok(())
    }
}
