//! What the generator yields, and how revm takes it.

use alloy_primitives::{Address, Bytes, TxKind, U256};
use revm::context::{BlockEnv, TxEnv};
use thinstate_formats::BlockNumber;

/// What a block is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockKind {
    /// Brings the contracts and first holders into being; not part of the load.
    Setup,
    /// As the profile says.
    Load,
}

/// A block to be executed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GeneratedBlock {
    /// The number; the first block after genesis is 1.
    pub number: BlockNumber,
    /// What the block is for.
    pub kind: BlockKind,
    /// Seconds since 1970.
    pub timestamp: u64,
    /// Who gets the fees.
    pub beneficiary: Address,
    /// The gas that the block may use; its transactions' limits add up to no more.
    pub gas_limit: u64,
    /// The transactions, in order.
    pub txs: Vec<GeneratedTx>,
}

/// A transaction to be executed, without signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GeneratedTx {
    /// The caller.
    pub from: Address,
    /// The caller's nonce.
    pub nonce: u64,
    /// Whom it calls; `None` creates a contract.
    pub to: Option<Address>,
    /// Wei sent along.
    pub value: U256,
    /// Calldata or init code.
    pub data: Bytes,
    /// The gas that it may use.
    pub gas_limit: u64,
    /// Wei for a unit of gas.
    pub gas_price: u128,
}

impl GeneratedBlock {
    /// The block as revm sees it: base fee zero, no randomness.
    pub fn block_env(&self) -> BlockEnv {
        BlockEnv {
            number: U256::from(self.number.0),
            timestamp: U256::from(self.timestamp),
            beneficiary: self.beneficiary,
            gas_limit: self.gas_limit,
            basefee: 0,
            ..BlockEnv::default()
        }
    }
}

impl GeneratedTx {
    /// The transaction as revm sees it: a legacy transaction, which may omit the chain's id.
    pub fn tx_env(&self) -> TxEnv {
        TxEnv {
            tx_type: 0,
            caller: self.from,
            gas_limit: self.gas_limit,
            gas_price: self.gas_price,
            kind: self.to.map_or(TxKind::Create, TxKind::Call),
            value: self.value,
            data: self.data.clone(),
            nonce: self.nonce,
            chain_id: None,
            ..TxEnv::default()
        }
    }
}
