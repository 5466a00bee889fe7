//! A block with its witness: a store of its own for each.

use super::{
    block::{BlockError, verify_block},
    partial::{PartialStateError, partial_state},
    report::{BlockReport, Verdict},
};
use crate::{
    exec::ChainSpec,
    source::witness::{self, WitnessError},
};
use std::path::Path;
use thinstate_engine::{Options, StubLocation, leaf_store::StoreKind};

/// Why a block with a witness does not hold.
#[derive(Debug, thiserror::Error)]
pub enum SingleError {
    /// The file is not what it should be.
    #[error(transparent)]
    File(#[from] WitnessError),
    /// The witness does not become a state.
    #[error(transparent)]
    State(#[from] PartialStateError),
    /// The block does not hold.
    #[error(transparent)]
    Block(#[from] BlockError),
}

/// How blocks with witnesses are verified.
#[derive(Clone, Debug, Default)]
pub struct SingleOptions {
    /// Take a sibling that a collapse needs, and that the witness lacks, for a branch. The state
    /// root has to come out all the same.
    pub assume_branch_siblings: bool,
    /// The leaf store.
    pub leaves: StoreKind,
    /// Parameters of the store.
    pub store: Options,
}

/// Verifies the block in `file` in a new store in `dir`.
pub fn verify_witness(
    file: &Path,
    dir: &Path,
    spec: &ChainSpec,
    options: &SingleOptions,
) -> Result<BlockReport, SingleError> {
    let witness = witness::read(file)?;
    let (tier, filled) = partial_state(dir, &witness, options.leaves, options.store.clone())?;
    // What the block reads is then in table files, and the pages that it reads can be counted.
    tier.compact().map_err(PartialStateError::from)?;
    let mut assumed = Vec::new();
    loop {
        let mut report = verify_block(
            &tier,
            &witness.block,
            witness.hash,
            &witness.block_hashes,
            spec,
        )?;
        report.witness_nodes = filled.nodes_used;
        match report.missing.take() {
            Some(missing) if options.assume_branch_siblings => {
                let sibling = StubLocation {
                    account: missing.trie.0,
                    path: missing.path,
                };
                tier.assume_branch(&sibling)
                    .map_err(PartialStateError::from)?;
                assumed.push(missing.to_string());
            }
            Some(_) => return Ok(report),
            None => {
                if !assumed.is_empty() {
                    report.verdict = Verdict::VerifiedAssuming { assumed };
                }
                return Ok(report);
            }
        }
    }
}
