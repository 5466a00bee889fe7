//! Execution of transactions that nobody has signed: callers are given, there is no header.
//!
//! What generated blocks need. Nothing happens before or after the transactions: no system calls,
//! no rewards, no withdrawals.

use super::{
    AccessIndex, BlockHashes, ReadCounts, ReadError, ReadFailed, WriteCounts,
    run::{block_state, take_changes},
};
use core::error::Error;
use revm::{
    Context, ExecuteCommitEvm, MainBuilder, MainContext,
    context::{
        BlockEnv, TxEnv,
        result::{EVMError, ExecutionResult},
    },
    database_interface::bal::EvmDatabaseError,
    primitives::hardfork::SpecId,
};
use thinstate_formats::{StateChanges, StateReader};

/// What execution of the transactions leaves behind.
#[derive(Clone, Debug)]
pub struct UnsignedOutcome {
    /// What they change in the state.
    pub changes: StateChanges,
    /// Gas of all transactions.
    pub gas_used: u64,
    /// How much of the state was read.
    pub reads: ReadCounts,
    /// How much of the state was written.
    pub writes: WriteCounts,
}

/// Why the transactions were not executed to their end.
#[derive(Debug, thiserror::Error)]
pub enum UnsignedError<E: Error + 'static> {
    /// Something that a transaction needs could not be read.
    #[error("transaction {index} could not read what it needs")]
    Read {
        /// The transaction, counted from 1.
        index: AccessIndex,
        /// What could not be read.
        source: ReadError<E>,
    },
    /// A transaction breaks a rule of its fork, or the state is not the one it was made on.
    #[error("transaction {index} is invalid")]
    Invalid {
        /// The transaction, counted from 1.
        index: AccessIndex,
        /// The rule.
        source: EVMError<EvmDatabaseError<ReadFailed>>,
    },
    /// A transaction was executed, but reverted or halted.
    #[error("transaction {index} did not succeed: {result:?}")]
    Unsuccessful {
        /// The transaction, counted from 1.
        index: AccessIndex,
        /// What became of it.
        result: Box<ExecutionResult>,
    },
}

/// Executes transactions on a state by the rules of `fork`; every one of them has to succeed.
///
/// The state is not changed: what would change is in the outcome. Accounts that were touched and
/// are empty do not come to be (EIP-161).
pub fn execute_unsigned<R: StateReader>(
    reader: &R,
    fork: SpecId,
    block: BlockEnv,
    transactions: impl IntoIterator<Item = TxEnv>,
) -> Result<UnsignedOutcome, UnsignedError<R::Error>> {
    let block_hashes = BlockHashes::new();
    let mut state = block_state(reader, &block_hashes);
    let mut evm = Context::mainnet()
        .with_db(&mut state)
        .with_block(block)
        .modify_cfg_chained(|cfg| cfg.set_spec_and_mainnet_gas_params(fork))
        .build_mainnet();
    let mut gas_used = 0;
    for (index, transaction) in (1..).map(AccessIndex).zip(transactions) {
        let result = evm.transact_commit(transaction).map_err(|source| {
            // A failed read comes before what it led to.
            match evm.ctx.journaled_state.database.database.take_failure() {
                Some(source) => UnsignedError::Read { index, source },
                None => UnsignedError::Invalid { index, source },
            }
        })?;
        if !result.is_success() {
            let result = Box::new(result);
            return Err(UnsignedError::Unsuccessful { index, result });
        }
        gas_used += result.tx_gas_used();
    }
    drop(evm);
    let changes = take_changes(&mut state);
    Ok(UnsignedOutcome {
        writes: WriteCounts::of(&changes),
        changes,
        gas_used,
        reads: state.database.counts(),
    })
}
