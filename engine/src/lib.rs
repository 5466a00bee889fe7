//! The engine of thinstate: where state is stored, changed and committed.
//!
//! [`PermanentTier`] is Ethereum's own state, with Ethereum's own root, over a
//! [`leaf_store::LeafStore`].

pub mod leaf_store;
mod permanent;
mod trie;

pub use permanent::{
    BlockId, CommitError, CommitReport, FORMAT_VERSION, Head, MalformedNode, OpenError, Options,
    PermanentTier, PreparedBlock, StateEntry, StubLocation, UndoError, VerifyError, VerifyReport,
    View, Witness, WitnessError, WitnessReport,
};
pub use trie::{
    error::{MissingNode, Need, StateError, TrieName},
    interior::InteriorSize,
    work::TrieWork,
};
