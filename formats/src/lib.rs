//! Formats of thinstate: what is pure. Objects, commitments, proofs and codecs, no I/O.

pub mod keccak;
pub mod proof;

mod ids;
mod state;
pub mod trace;

pub use ids::BlockNumber;
pub use keccak::BatchHasher;
pub use state::{Account, AccountChange, AccountUpdate, StateChanges, StateReader};
