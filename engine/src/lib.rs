//! The engine of thinstate: where state is stored, changed and committed.
//!
//! [`PermanentTier`] is Ethereum's own state, with Ethereum's own root, over a
//! [`leaf_store::LeafStore`].

pub mod archive;
pub mod leaf_store;
pub mod ledger;
mod permanent;
pub mod spent;
pub mod store;
mod temporary;
mod trie;
pub mod utxo;

pub use permanent::{
    BlockId, BulkAccount, BulkError, BulkPart, BulkProgress, BulkReport, BulkSlot, BulkSource,
    CommitError, CommitReport, Expired, ExpiredReads, ExpiryError, ExpiryReport, ExpiryRule,
    FORMAT_VERSION, Head, MalformedNode, OpenError, Options, PermanentTier, PreparedBlock,
    StateEntry, StateKey, StubLocation, UndoError, VerifyError, VerifyReport, View, Witness,
    WitnessError, WitnessReport, bulk_cut_back, bulk_load_codes,
};
pub use store::{BlockBuilder, BlockChanges, Store, StoreOptions, StoreRules};
pub use temporary::{
    DecodeError, HashWork, LiveProof, LiveProofError, Resurrection, ResurrectionError, SealError,
    Sealed, TemporaryError, TemporaryLimits, TemporaryOpenError, TemporaryReport, TemporaryStats,
    TemporaryWrite,
};
pub use trie::{
    error::{MissingNode, Need, StateError, TrieName},
    interior::InteriorSize,
    work::TrieWork,
};
