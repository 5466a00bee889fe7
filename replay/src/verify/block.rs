//! One block on the state of its parent: executed, checked, committed.

use super::{
    report::{BlockReport, CheckedParts, Costs, Identity, Times, Verdict},
    timed::TimedReader,
};
use crate::{
    exec::{
        BlockHashes, BlockOutcome, ChainSpec, ExecError, Mismatch, check_body, check_outcome,
        execute_block, execute_block_observed,
    },
    trace::BlockRecorder,
};
use alloy_consensus::{Block, ReceiptEnvelope, TxEnvelope};
use alloy_primitives::{B256, Bytes, map::B256Map};
use std::time::{Duration, Instant};
use thinstate_engine::{
    BlockId, CommitError, CommitReport, Head, MissingNode, Need, PermanentTier, StateError, View,
    leaf_store::LeafStore,
};
use thinstate_formats::{BlockNumber, trace::BlockTrace};

type Reader<'a, S> = TimedReader<View<'a, S>>;

/// Why a block does not hold. The state is the one before it.
#[derive(Debug, thiserror::Error)]
pub enum BlockError {
    /// The store's state is not the parent's.
    #[error("the state is that of {head}, expected that of the parent {parent}", head = describe(head))]
    WrongParent {
        /// The parent's hash.
        parent: B256,
        /// The store's head.
        head: Box<Head>,
    },
    /// Body or outcome are not what the header says.
    #[error(transparent)]
    Mismatch(Box<Mismatch>),
    /// It cannot be executed.
    #[error(transparent)]
    Execution(Box<ExecError<StateError>>),
    /// Its changes cannot be applied.
    #[error(transparent)]
    Commit(Box<CommitError>),
    /// It ends at another state root.
    #[error("state root {got}, expected {expected} (header)")]
    StateRoot {
        /// The header's.
        expected: B256,
        /// What the changes lead to.
        got: B256,
    },
}

impl From<Mismatch> for BlockError {
    fn from(mismatch: Mismatch) -> Self {
        Self::Mismatch(Box::new(mismatch))
    }
}

impl From<ExecError<StateError>> for BlockError {
    fn from(error: ExecError<StateError>) -> Self {
        Self::Execution(Box::new(error))
    }
}

impl From<CommitError> for BlockError {
    fn from(error: CommitError) -> Self {
        Self::Commit(Box::new(error))
    }
}

fn describe(head: &Head) -> String {
    match head.block {
        Some(block) => format!("block {} ({})", block.number, block.hash),
        None => "no block".to_owned(),
    }
}

/// Executes `block` on the head of `tier`, which is its parent, reading everything through the
/// store, checks what its header commits to, and commits it.
///
/// Where the changes cannot be applied because a branch collapses onto a node that the state does
/// not hold, the report says so, and nothing is committed.
pub fn verify_block<S: LeafStore>(
    tier: &PermanentTier<S>,
    block: &Block<TxEnvelope>,
    hash: B256,
    block_hashes: &BlockHashes,
    spec: &ChainSpec,
) -> Result<BlockReport, BlockError> {
    verify(tier, block, hash, |reader| {
        Ok(execute_block(&reader, block, block_hashes, spec)?)
    })
}

/// A block that was verified, and recorded while it was.
#[derive(Debug)]
pub struct RecordedBlock {
    /// How it went.
    pub report: BlockReport,
    /// Its trace.
    pub trace: BlockTrace,
    /// The code that it deployed, by its hash.
    pub code: B256Map<Bytes>,
    /// Its receipts.
    pub receipts: Vec<ReceiptEnvelope>,
}

/// [`verify_block`], recording what the block does. The times in the report are then those of an
/// observed execution.
pub fn record_verified_block<S: LeafStore>(
    tier: &PermanentTier<S>,
    block: &Block<TxEnvelope>,
    hash: B256,
    block_hashes: &BlockHashes,
    spec: &ChainSpec,
) -> Result<RecordedBlock, BlockError> {
    let mut recorder = BlockRecorder::new();
    let mut code = B256Map::default();
    let mut receipts = Vec::new();
    let report = verify(tier, block, hash, |reader| {
        let outcome = execute_block_observed(&reader, block, block_hashes, spec, &mut recorder)?;
        code.clone_from(&outcome.changes.code);
        receipts.clone_from(&outcome.receipts);
        Ok(outcome)
    })?;
    Ok(RecordedBlock {
        report,
        trace: recorder.finish(block, hash),
        code,
        receipts,
    })
}

fn verify<S: LeafStore>(
    tier: &PermanentTier<S>,
    block: &Block<TxEnvelope>,
    hash: B256,
    execute: impl FnOnce(&Reader<'_, S>) -> Result<BlockOutcome, BlockError>,
) -> Result<BlockReport, BlockError> {
    let header = &block.header;
    check_parent(tier, header.parent_hash)?;
    check_body(block)?;
    let before = tier.counters();
    let reader = TimedReader::new(tier.view());
    let started = Instant::now();
    let outcome = execute(&reader)?;
    let evm = started.elapsed();
    let checked = CheckedParts::from(check_outcome(header, &outcome)?);
    let reads = reader.spent();
    drop(reader);
    let id = BlockId {
        number: BlockNumber(header.number),
        hash,
    };
    let applied = apply(tier, id, header.state_root, &outcome)?;
    let mut costs = Costs {
        reads: outcome.reads,
        writes: outcome.writes,
        io: tier.counters().since(&before),
        checked,
        ..Costs::default()
    };
    let identity = identity(block, hash, &outcome);
    let report = match applied {
        Applied::Committed(CommitReport {
            work,
            state_hash,
            commit,
            ..
        }) => {
            costs.work = work;
            costs.times = Times::new(evm, reads, state_hash, commit);
            BlockReport::new(identity, &costs, Verdict::Verified)
        }
        Applied::Lacks(node) => {
            costs.times = Times::new(evm, reads, Duration::ZERO, Duration::ZERO);
            let missing = node.to_string();
            BlockReport {
                missing: Some(node),
                ..BlockReport::new(identity, &costs, Verdict::Incomplete { missing })
            }
        }
    };
    Ok(report)
}

fn check_parent<S: LeafStore>(tier: &PermanentTier<S>, parent: B256) -> Result<(), BlockError> {
    let head = tier.head();
    if head.block.is_some_and(|b| b.hash == parent) {
        return Ok(());
    }
    Err(BlockError::WrongParent {
        parent,
        head: Box::new(head),
    })
}

fn identity(block: &Block<TxEnvelope>, hash: B256, outcome: &BlockOutcome) -> Identity {
    Identity {
        number: BlockNumber(block.header.number),
        hash,
        fork: outcome.fork.to_string(),
        tx_count: block.body.transactions.len() as u64,
        gas_used: outcome.gas_used,
    }
}

enum Applied {
    Committed(CommitReport),
    Lacks(Box<MissingNode>),
}

/// Commits the changes if, and only if, they lead to the header's root.
fn apply<S: LeafStore>(
    tier: &PermanentTier<S>,
    id: BlockId,
    expected: B256,
    outcome: &BlockOutcome,
) -> Result<Applied, BlockError> {
    let prepared = match tier.prepare(&outcome.changes) {
        Err(CommitError::State(StateError::Missing(node))) if node.needed_for == Need::Collapse => {
            return Ok(Applied::Lacks(node));
        }
        prepared => prepared?,
    };
    let got = prepared.root();
    if got != expected {
        return Err(BlockError::StateRoot { expected, got });
    }
    Ok(Applied::Committed(tier.commit(id, prepared)?))
}
