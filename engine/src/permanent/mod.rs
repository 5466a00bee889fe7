//! The permanent tier: Ethereum's accounts, code and storage, with Ethereum's own state root.
//!
//! [`PermanentTier`] keeps the flat state in a [`LeafStore`](crate::leaf_store::LeafStore) and the
//! interior of its tries in memory (see the `trie` module for the shape and its costs).
//!
//! | what | how |
//! |---|---|
//! | read | [`PermanentTier::view`], an immutable [`View`] for any number of threads |
//! | a block | [`PermanentTier::prepare`] gives the root, [`PermanentTier::commit`] makes it durable |
//! | a whole state at once | [`PermanentTier::bulk_build`], on an empty store |
//! | undo | [`PermanentTier::undo`], the last 128 blocks |
//! | part of the state | [`PermanentTier::adopt_root`], [`PermanentTier::insert_witness`] |
//! | proofs | [`View::prove`], [`View::prove_account`], [`View::prove_slots`] |
//! | expiry | [`PermanentTier::expire`], [`PermanentTier::restore`], [`View::last_written`] |
//! | check | [`PermanentTier::verify`] recomputes everything from the leaves |
//!
//! A commit is one atomic, durable batch: entries, code, the reverse diff, the head. What is in
//! memory changes only once the batch is durable, so a failed commit leaves the state as it was,
//! and a process killed at any moment reopens at the last committed block.

mod assume;
mod block;
mod bulk;
mod error;
mod expiry;
mod export;
mod head;
mod interiors;
mod keys;
mod open;
mod options;
mod prove;
mod restore;
mod threads;
mod tier;
mod transition;
mod undo;
mod undo_block;
mod verify;
mod view;
mod witness;

pub use block::{CommitReport, PreparedBlock};
pub use bulk::{
    BulkAccount, BulkError, BulkPart, BulkProgress, BulkReport, BulkSlot, BulkSource,
    bulk_cut_back, bulk_load_codes,
};
pub use error::{CommitError, MalformedNode, OpenError, UndoError, WitnessError};
pub use expiry::{Expired, ExpiryError, ExpiryReport, ExpiryRule, StateKey};
pub use export::StateEntry;
pub use head::{BlockId, FORMAT_VERSION, Head};
pub use options::{ExpiredReads, Options};
pub use tier::PermanentTier;
pub use verify::{VerifyError, VerifyReport};
pub use view::View;
pub use witness::{StubLocation, Witness, WitnessReport};
