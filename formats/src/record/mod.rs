//! Records of the UTXO tier, and how a block, a batch of blocks and the tier commit to them.
//!
//! A record is written once and spent whole. Its index is global and given by the store in the order
//! of creation. The records of one block are the leaves of a [`list`](crate::list) tree; the roots of
//! the last `ring_len` blocks lie in a ring, block `b` at place `b % ring_len`, and the ring, whenever
//! its last place is written, is sealed into the root of a batch: batch `b / ring_len`.
//!
//! # What is hashed
//!
//! Numbers are little-endian; every message but a list's nodes has 128 bytes.
//!
//! ```text
//! record      index u64 | class u8 | contract 20 | owner 20 | payload length u8 | payload | zeros
//! block       "thinstate/block" 16 | block u64 | first index u64 | records u64 | list root 32 | zeros
//! batch       "thinstate/batch" 16 | batch u64 | ring_len u64 | list root 32 | zeros
//! tier        "thinstate/utxo" 16 | next index u64 | ring_len u64 | ring's list root 32 |
//!             batches u64 | batches' list root 32 | zeros
//! ```
//!
//! A block without records has the root zero, and so has a place of the ring that was never written.
//! The list of a block is over its records' hashes, that of a batch over its `ring_len` block roots,
//! that of the ring over its places as they are, that of the batches over their roots. The names are
//! filled up with zeros. No record's message can be taken for a block's: its index would be about
//! 8 * 10^18.
//!
//! A ring that was just sealed and a batch have the same list root, so sealing costs one hash.
//!
//! # Bytes
//!
//! ```text
//! record      index u64 | class u8 | contract 20 | owner 20 | payload length u8 | payload
//! new record  the same without index
//! path        block u64 | first index u64 | records u32 | kind u8 | siblings u8 | sibling 32 * |
//!             if kind is 1 (into a batch): siblings u8 | sibling 32 *
//! ```
//!
//! One value has one encoding; all else is refused, bytes behind the end too. A payload has at most
//! 64 bytes. A path says which block it is of; the place of the record in the block is its index less
//! the block's first, which gives the number of siblings and the side of each. It is verified against
//! the block root of the ring ([`RecordPath::verify_in_ring`]) or the root of a batch
//! ([`RecordPath::verify_in_batch`]), and everything that the path or the record says goes into that
//! root: block, first index, number of records, every byte of the record.

mod codec;
mod path;
mod roots;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod vectors;

pub use codec::{NewRecord, PAYLOAD_BYTES_MAX, PayloadTooLong, Record, RecordDecodeError};
pub use path::{RecordPath, RecordPathError};
pub use roots::{BlockTree, RecordRange, UtxoState, batch_root, block_root, leaf_hashes};
