//! Formats of thinstate: what is pure. Objects, commitments, proofs and codecs, no I/O.

pub mod access_list;
pub mod bits;
pub mod counted;
pub mod hash;
pub mod keccak;
pub mod list;
pub mod lthash;
pub mod object;
pub mod policy;
pub mod proof;
pub mod record;
pub mod temporary;
pub mod trace;
pub mod varint;

mod commitment;
mod ids;
mod state;

pub use commitment::Commitment;
pub use hash::{HashKind, NodeHasher};
pub use ids::{BatchId, BlockNumber, LeafIndex, PeriodId, RecordIndex};
pub use keccak::BatchHasher;
pub use lthash::LtHash;
pub use state::{Account, AccountChange, AccountUpdate, StateChanges, StateReader};
pub use temporary::TemporaryRules;
