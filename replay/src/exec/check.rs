//! What a header says about its block, compared with what is so.
//!
//! The state root is not checked here: that takes a trie.

use super::BlockOutcome;
use alloy_consensus::{Block, Header, TxEnvelope, proofs};
use alloy_hardforks::EthereumHardfork;
use alloy_primitives::{B256, Bloom};

/// A header and its block, or the block's execution, do not agree.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// A root or hash of the header.
    #[error("{field}: expected {expected} (header), got {got}")]
    Hash {
        /// The header's field.
        field: &'static str,
        /// What the header says.
        expected: B256,
        /// What is so.
        got: B256,
    },
    /// An amount of gas.
    #[error("{field}: expected {expected} (header), got {got}")]
    Gas {
        /// The header's field.
        field: &'static str,
        /// What the header says.
        expected: u64,
        /// What is so.
        got: u64,
    },
    /// The bloom filter over all logs.
    #[error("logs_bloom: expected {expected} (header), got {got}")]
    LogsBloom {
        /// What the header says.
        expected: Box<Bloom>,
        /// What is so.
        got: Box<Bloom>,
    },
    /// The header promises something that the block lacks, or the other way round.
    #[error("{field}: the header and the block must both have it or both lack it, header {header}")]
    Presence {
        /// The header's field.
        field: &'static str,
        /// Whether the header has it.
        header: bool,
    },
}

/// What of an outcome could be compared with the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checked {
    /// The receipts root. Not before Byzantium: receipts then held the state root after each
    /// transaction.
    pub receipts_root: bool,
    /// The hash of the requests. Not before Prague.
    pub requests_hash: bool,
    /// Blob gas. Not before Cancun.
    pub blob_gas_used: bool,
}

/// Compares the body of a block with its header: transactions, ommers, withdrawals.
pub fn check_body(block: &Block<TxEnvelope>) -> Result<(), Mismatch> {
    let (header, body) = (&block.header, &block.body);
    let transactions = proofs::calculate_transaction_root(&body.transactions);
    same_hash("transactions_root", header.transactions_root, transactions)?;
    same_hash(
        "ommers_hash",
        header.ommers_hash,
        body.calculate_ommers_root(),
    )?;
    match (header.withdrawals_root, body.calculate_withdrawals_root()) {
        (Some(expected), Some(got)) => same_hash("withdrawals_root", expected, got),
        (None, None) => Ok(()),
        (header, _) => Err(Mismatch::Presence {
            field: "withdrawals_root",
            header: header.is_some(),
        }),
    }
}

/// Compares what execution gave with the header, except for the state root.
pub fn check_outcome(header: &Header, outcome: &BlockOutcome) -> Result<Checked, Mismatch> {
    same_gas("gas_used", header.gas_used, outcome.gas_used)?;
    if let Some(expected) = header.blob_gas_used {
        same_gas("blob_gas_used", expected, outcome.blob_gas_used)?;
    }
    // The receipts root covers the bloom; a wrong bloom alone says that the logs differ.
    same_bloom(header.logs_bloom, outcome.logs_bloom)?;
    let receipts_root = outcome.fork >= EthereumHardfork::Byzantium;
    if receipts_root {
        let got = proofs::calculate_receipt_root(&outcome.receipts);
        same_hash("receipts_root", header.receipts_root, got)?;
    }
    if let Some(expected) = header.requests_hash {
        same_hash("requests_hash", expected, outcome.requests.requests_hash())?;
    }
    Ok(Checked {
        receipts_root,
        requests_hash: header.requests_hash.is_some(),
        blob_gas_used: header.blob_gas_used.is_some(),
    })
}

fn same_hash(field: &'static str, expected: B256, got: B256) -> Result<(), Mismatch> {
    if expected == got {
        Ok(())
    } else {
        Err(Mismatch::Hash {
            field,
            expected,
            got,
        })
    }
}

fn same_gas(field: &'static str, expected: u64, got: u64) -> Result<(), Mismatch> {
    if expected == got {
        Ok(())
    } else {
        Err(Mismatch::Gas {
            field,
            expected,
            got,
        })
    }
}

fn same_bloom(expected: Bloom, got: Bloom) -> Result<(), Mismatch> {
    if expected == got {
        return Ok(());
    }
    Err(Mismatch::LogsBloom {
        expected: Box::new(expected),
        got: Box::new(got),
    })
}
