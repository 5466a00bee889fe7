//! Execution of one block.

use super::{
    AccessIndex, BlockHashes, BlockObserver, ChainSpec, ExecError, ReadCounts, StateDb, changes,
    observe::{KeccakInspector, Observed, Shared, Stepped},
    recover_senders,
};
use alloy_consensus::{
    Block, Header, ReceiptEnvelope, TxEnvelope, TxReceipt, transaction::Recovered,
};
use alloy_eips::{eip4895::Withdrawal, eip7685::Requests};
use alloy_evm::{
    Evm, EvmEnv,
    block::{BlockExecutionError, BlockExecutionResult, BlockExecutor, StateDB},
    eth::{
        EthBlockExecutionCtx, EthBlockExecutor, EthEvm, EthEvmBuilder, EthEvmContext,
        receipt_builder::AlloyReceiptBuilder,
    },
    precompiles::PrecompilesMap,
};
use alloy_hardforks::EthereumHardfork;
use alloy_primitives::{Bloom, Bytes};
use core::cell::RefCell;
use revm::{Inspector, database::State};
use std::borrow::Cow;
use thinstate_formats::{AccountUpdate, StateChanges, StateReader};

/// What execution of a block leaves behind.
#[derive(Clone, Debug)]
pub struct BlockOutcome {
    /// What it changes in the state.
    pub changes: StateChanges,
    /// The fork whose rules were applied.
    pub fork: EthereumHardfork,
    /// One receipt for each transaction. Before Byzantium receipts held a state root in place of a
    /// status; these hold a status always.
    pub receipts: Vec<ReceiptEnvelope>,
    /// Gas of all transactions.
    pub gas_used: u64,
    /// Blob gas of all transactions; 0 before Cancun.
    pub blob_gas_used: u64,
    /// Bloom filter over all logs.
    pub logs_bloom: Bloom,
    /// Requests to the consensus layer (EIP-7685); none before Prague.
    pub requests: Requests,
    /// How much of the state was read.
    pub reads: ReadCounts,
    /// How much of the state was written.
    pub writes: WriteCounts,
}

/// How much of the state a block has written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WriteCounts {
    /// Accounts with a change, deleted ones and those with a change in storage only included.
    pub accounts: u64,
    /// Accounts that are deleted.
    pub accounts_deleted: u64,
    /// Slots with another value than before the block; slots that went with a wipe not counted.
    pub slots: u64,
    /// Codes.
    pub codes: u64,
    /// Bytes of these codes.
    pub code_bytes: u64,
}

type Outcome<R> = Result<BlockOutcome, ExecError<<R as StateReader>::Error>>;
type EthExecutor<'a, DB, I> =
    EthBlockExecutor<'a, EthEvm<DB, I, PrecompilesMap>, &'a ChainSpec, AlloyReceiptBuilder>;

/// Executes a block on the state of its parent.
///
/// `block_hashes` has to hold the hashes of those ancestors that the block's code asks for by
/// `BLOCKHASH`. The state is not changed: what would change is in the outcome. Compare that with
/// the header by [`check_outcome`](super::check_outcome).
pub fn execute_block<R: StateReader>(
    reader: &R,
    block: &Block<TxEnvelope>,
    block_hashes: &BlockHashes,
    spec: &ChainSpec,
) -> Outcome<R> {
    let job = Job::new(block, spec)?;
    let mut state = block_state(reader, block_hashes);
    let evm = EthEvmBuilder::new(&mut state, job.env.clone()).build();
    let run = job.run(evm);
    conclude(state, run, &job)
}

/// [`execute_block`], shown to an observer step by step. Slower: each instruction is looked at.
pub fn execute_block_observed<R: StateReader>(
    reader: &R,
    block: &Block<TxEnvelope>,
    block_hashes: &BlockHashes,
    spec: &ChainSpec,
    observer: &mut dyn BlockObserver,
) -> Outcome<R> {
    let job = Job::new(block, spec)?;
    let mut state = block_state(reader, block_hashes);
    let shared: Shared<'_> = RefCell::new(observer);
    let observed = Observed::new(&mut state, &shared);
    let evm = EthEvmBuilder::new(observed, job.env.clone())
        .activate_inspector(KeccakInspector(&shared))
        .build();
    let run = job.run(evm);
    conclude(state, run, &job)
}

/// revm's block cache over the state that is read.
pub(super) fn block_state<'a, R: StateReader>(
    reader: &'a R,
    block_hashes: &'a BlockHashes,
) -> State<StateDb<'a, R>> {
    State::builder()
        .with_database(StateDb::new(reader, block_hashes))
        .with_bundle_update()
        .build()
}

/// A step that failed, and why.
type Failure = (AccessIndex, BlockExecutionError);

/// A block made ready: its fork known, its senders recovered.
struct Job<'a> {
    header: &'a Header,
    ommers: &'a [Header],
    withdrawals: Option<&'a [Withdrawal]>,
    transactions: Vec<Recovered<&'a TxEnvelope>>,
    fork: EthereumHardfork,
    env: EvmEnv,
    spec: &'a ChainSpec,
}

impl<'a> Job<'a> {
    fn new<E: core::error::Error + 'static>(
        block: &'a Block<TxEnvelope>,
        spec: &'a ChainSpec,
    ) -> Result<Self, ExecError<E>> {
        let fork = spec.fork(&block.header)?;
        Ok(Self {
            header: &block.header,
            ommers: &block.body.ommers,
            withdrawals: block.body.withdrawals.as_ref().map(|list| list.as_slice()),
            transactions: recover_senders(&block.body.transactions, fork)?,
            fork,
            env: spec.evm_env(&block.header, fork),
            spec,
        })
    }

    fn executor<DB, I>(&self, evm: EthEvm<DB, I, PrecompilesMap>) -> EthExecutor<'_, DB, I>
    where
        DB: StateDB,
    {
        let ctx = EthBlockExecutionCtx {
            parent_hash: self.header.parent_hash,
            parent_beacon_block_root: self.header.parent_beacon_block_root,
            ommers: self.ommers,
            withdrawals: self.withdrawals.map(Cow::Borrowed),
            extra_data: Bytes::new(),
            tx_count_hint: Some(self.transactions.len()),
            slot_number: self.header.slot_number,
        };
        EthBlockExecutor::new(evm, ctx, self.spec, AlloyReceiptBuilder::default())
    }

    fn run<DB, I>(
        &self,
        evm: EthEvm<DB, I, PrecompilesMap>,
    ) -> Result<BlockExecutionResult<ReceiptEnvelope>, Failure>
    where
        DB: StateDB + Stepped,
        I: Inspector<EthEvmContext<DB>>,
    {
        let mut executor = self.executor(evm);
        let mut index = AccessIndex(0);
        executor
            .apply_pre_execution_changes()
            .map_err(|error| (index, error))?;
        for transaction in &self.transactions {
            index.0 += 1;
            executor.evm_mut().db_mut().set_step(index);
            executor
                .execute_transaction(*transaction)
                .map_err(|error| (index, error))?;
        }
        index.0 += 1;
        executor.evm_mut().db_mut().set_step(index);
        executor
            .apply_post_execution_changes()
            .map_err(|error| (index, error))
    }
}

/// The outcome of a run, or why there is none: a failed read comes before what it led to.
fn conclude<R: StateReader>(
    mut state: State<StateDb<'_, R>>,
    run: Result<BlockExecutionResult<ReceiptEnvelope>, Failure>,
    job: &Job<'_>,
) -> Outcome<R> {
    let result = run.map_err(|(index, source)| match state.database.take_failure() {
        Some(source) => ExecError::Read { index, source },
        None => ExecError::Invalid { index, source },
    })?;
    let changes = take_changes(&mut state);
    Ok(BlockOutcome {
        writes: WriteCounts::of(&changes),
        changes,
        fork: job.fork,
        logs_bloom: result
            .receipts
            .iter()
            .fold(Bloom::ZERO, |all, receipt| all | receipt.bloom()),
        receipts: result.receipts,
        gas_used: result.gas_used,
        blob_gas_used: result.blob_gas_used,
        requests: result.requests,
        reads: state.database.counts(),
    })
}

/// What all commits to the block cache change together.
pub(super) fn take_changes<DB>(state: &mut State<DB>) -> StateChanges {
    let transitions = state.transition_state.take().unwrap_or_default();
    changes::from_transitions(transitions.transitions)
}

impl WriteCounts {
    /// The counts of some changes.
    pub fn of(changes: &StateChanges) -> Self {
        let deleted = changes
            .accounts
            .values()
            .filter(|c| c.account == AccountUpdate::Delete);
        Self {
            accounts: changes.accounts.len() as u64,
            accounts_deleted: deleted.count() as u64,
            slots: changes.slots_written() as u64,
            codes: changes.code.len() as u64,
            code_bytes: changes.code.values().map(|code| code.len() as u64).sum(),
        }
    }
}
