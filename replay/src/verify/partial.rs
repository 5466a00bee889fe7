//! A store that holds what a block's witness holds, and stubs for the rest.

use crate::source::witness::BlockWitness;
use std::path::Path;
use thinstate_engine::{
    BlockId, OpenError, Options, PermanentTier, Witness, WitnessError, WitnessReport,
    leaf_store::{DiskOptions, DiskStore, StoreError, StoreKind},
};
use thinstate_formats::BlockNumber;

/// A witness does not become a state.
#[derive(Debug, thiserror::Error)]
pub enum PartialStateError {
    /// The store cannot be made.
    #[error("the store could not be made")]
    Store(#[from] StoreError),
    /// The store cannot be opened.
    #[error("the store could not be opened")]
    Open(#[from] OpenError),
    /// The witness is refused.
    #[error("the witness is refused")]
    Witness(#[from] WitnessError),
}

/// Makes a new store in `dir`, whose state is the one before the block of `witness` as far as the
/// witness holds it. Nodes that fill nothing are passed over: some sources add them.
pub fn partial_state(
    dir: &Path,
    witness: &BlockWitness,
    leaves: StoreKind,
    options: Options,
) -> Result<(PermanentTier<DiskStore>, WitnessReport), PartialStateError> {
    let store = DiskStore::open(dir, &DiskOptions::of(leaves))?;
    let tier = PermanentTier::open(store, options)?;
    let parent = BlockId {
        number: BlockNumber(witness.number().0.saturating_sub(1)),
        hash: witness.block.header.parent_hash,
    };
    tier.adopt_root(parent, witness.pre_state_root)?;
    let report = tier.insert_witness(&Witness {
        nodes: witness.state.clone(),
        codes: witness.codes.clone(),
        starts: Vec::new(),
        allow_unused: true,
    })?;
    Ok((tier, report))
}
