//! Senders of a block's transactions, recovered from their signatures on all cores.

use alloy_consensus::{
    TxEnvelope,
    crypto::RecoveryError,
    transaction::{Recovered, SignerRecoverable},
};
use alloy_hardforks::EthereumHardfork;
use alloy_primitives::{Address, TxHash};
use rayon::prelude::*;

/// A transaction's signature gives no sender.
#[derive(Debug, thiserror::Error)]
#[error("transaction {index} ({hash}) has no valid signature")]
pub struct SenderError {
    /// Position in the block.
    pub index: usize,
    /// The transaction.
    pub hash: TxHash,
    /// What is wrong with the signature.
    pub source: RecoveryError,
}

/// Each transaction with its sender, in the block's order.
pub fn recover_senders(
    transactions: &[TxEnvelope],
    fork: EthereumHardfork,
) -> Result<Vec<Recovered<&TxEnvelope>>, SenderError> {
    transactions
        .par_iter()
        .enumerate()
        .map(|(index, tx)| {
            let signer = recover(tx, fork);
            let fail = |source| SenderError {
                index,
                hash: *tx.tx_hash(),
                source,
            };
            signer
                .map(|signer| Recovered::new_unchecked(tx, signer))
                .map_err(fail)
        })
        .collect()
}

/// EIP-2 (Homestead) forbids signatures with a high `s`; older transactions may have one.
fn recover(tx: &TxEnvelope, fork: EthereumHardfork) -> Result<Address, RecoveryError> {
    if fork >= EthereumHardfork::Homestead {
        tx.recover_signer()
    } else {
        tx.recover_signer_unchecked()
    }
}
