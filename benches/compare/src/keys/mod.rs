//! The key-value workload: 32-byte hashed keys, 32-byte values, blocks of updates of which nine in ten are of keys that
//! exist and one in ten is new.
//!
//! Everything is a function of a seed:
//!
//! ```text
//! key i        keccak(seed ‖ i)                                          i from 0; inserts take the next ones
//! value        i ⊕ key[0..8] | block ⊕ key[8..16] | 16 bytes of all      so that a read can be checked without a model
//! block b      existing keys drawn by the distribution, each once, by a generator seeded with seed and b; then the new ones
//! ```
//!
//! A process may therefore take blocks up where another has left off, and holds nothing of the state. Values do not compress.

mod blocks;
mod space;

pub use blocks::{KeyBlocks, Position, WorkloadError};
pub use space::KeySpace;
