//! Recording a block on the store that its witness makes.

use super::record_block;
use crate::{
    exec::{BlockOutcome, ChainSpec, ExecError, Mismatch, check_body, check_outcome},
    source::witness::BlockWitness,
    verify::{PartialStateError, partial_state},
};
use alloy_primitives::B256;
use std::path::Path;
use thinstate_engine::{
    CommitError, MissingNode, Need, Options, PermanentTier, StateError,
    leaf_store::{LeafStore, StoreKind},
};
use thinstate_formats::trace::BlockTrace;

/// A recorded block.
#[derive(Debug)]
pub struct Recorded {
    /// Its trace.
    pub trace: BlockTrace,
    /// Its execution.
    pub outcome: BlockOutcome,
    /// How its state root was checked.
    pub root: RootCheck,
}

/// How a recorded block's state root was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RootCheck {
    /// The changes lead to the header's root.
    Holds,
    /// The root cannot be computed: a branch collapses, and the witness lacks the sibling that is
    /// left. The execution needed no such node, and its outcome is the header's.
    Unknown(Box<MissingNode>),
}

/// A block is not recorded: its execution could not be done, or is not the one of its header.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The body is not the header's. Take another copy of the block.
    #[error("the body is not the header's")]
    Body(#[source] Mismatch),
    /// The witness does not become a state.
    #[error(transparent)]
    State(#[from] Box<PartialStateError>),
    /// The block was not executed to its end.
    #[error(transparent)]
    Execution(#[from] Box<ExecError<StateError>>),
    /// The block's execution gave something else than its header says.
    #[error("the execution is not the header's")]
    Outcome(#[source] Mismatch),
    /// The changes could not be applied.
    #[error("the changes cannot be applied")]
    Changes(#[from] CommitError),
    /// The changes lead to another root than the header's.
    #[error("state_root: expected {expected} (header), got {got}")]
    StateRoot {
        /// What the header says.
        expected: B256,
        /// Where the changes lead.
        got: B256,
    },
}

/// Records a block on the state of its witness, in a new store in `dir`, and checks everything that
/// its header commits to. The store stays at the block's parent.
pub fn record_witness(
    dir: &Path,
    witness: &BlockWitness,
    spec: &ChainSpec,
    options: Options,
) -> Result<Recorded, RecordError> {
    let BlockWitness { block, hash, .. } = witness;
    check_body(block).map_err(RecordError::Body)?;
    let (tier, _) = partial_state(dir, witness, StoreKind::default(), options).map_err(Box::new)?;
    let hashes = &witness.block_hashes;
    let (trace, outcome) =
        record_block(&tier.view(), block, *hash, hashes, spec).map_err(Box::new)?;
    check_outcome(&block.header, &outcome).map_err(RecordError::Outcome)?;
    let root = check_root(&tier, block.header.state_root, &outcome)?;
    Ok(Recorded {
        trace,
        outcome,
        root,
    })
}

fn check_root<S: LeafStore>(
    tier: &PermanentTier<S>,
    expected: B256,
    outcome: &BlockOutcome,
) -> Result<RootCheck, RecordError> {
    let prepared = match tier.prepare(&outcome.changes) {
        Err(CommitError::State(StateError::Missing(node))) if node.needed_for == Need::Collapse => {
            return Ok(RootCheck::Unknown(node));
        }
        prepared => prepared?,
    };
    let got = prepared.root();
    if got == expected {
        Ok(RootCheck::Holds)
    } else {
        Err(RecordError::StateRoot { expected, got })
    }
}
