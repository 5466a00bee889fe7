//! The UTXO tier: records that are written once, spent whole, and forgotten but for one bit.
//!
//! [`UtxoTier`] keeps what `thinstate_formats::record` commits to: the next index, the ring of the
//! last `ring_len` block roots, the roots of sealed batches. Whether a record is spent is in the
//! field [`FieldId::Utxo`](crate::spent::FieldId) of the spent bits. The records themselves go to the
//! archive ([`crate::archive::records`]), if there is one; whoever spends a record brings it, with
//! its path.
//!
//! # A spend
//!
//! The record's index must have been given in an earlier block. Its path must lead to the root of its
//! block in the ring, or, if it goes on into a batch, to the root of that batch; a block is in the
//! ring for `ring_len` blocks, and its batch is sealed before it leaves. No path is needed for records
//! of the last `hybrid_window` blocks, whose hashes the tier has. Then the bit: it must be clear, and
//! no other spend of the same block may name it. All spends of a block are checked before anything
//! is written, the first that fails refuses the block, and nothing has changed then.
//!
//! # Table "utxo" of the leaf store
//!
//! ```text
//! 'h'                     version u8 = 1 | hash u8 | ring_len u32 | first block u64 | last block u64 |
//!                         next index u64
//! 'r' place u32           block root 32 | first index u64             one put for each block
//! 'b' batch u64           batch root 32 | index after its last u64    one put for each batch
//! 'w' block u64 chunk u32 up to 64 new records, encoded               hybrid window only
//! 'u' block u64           version u8 = 1 | 0 or 1 | place before the block 40 | spent indexes |
//!                         crc32 u32                                   the last undo_blocks blocks
//! 'a'                     batch u64 | bytes of its file u64           with an archive only
//! ```
//!
//! Keys are big-endian, values little-endian; spent indexes are sorted LEB128 distances, as in the
//! journal of spent bits. Blocks that leave the window are dropped by range. They are kept for
//! `undo_blocks` longer, since a block that is undone brings them back.
//!
//! # What a power cut leaves
//!
//! All of this is in the block's batch. What is in memory changes when the batch is durable
//! ([`UtxoTier::publish`]); the archive's frame is synced before it, and cut off at opening if the
//! batch is not there.
//!
//! # Costs
//!
//! | | |
//! |---|---|
//! | permanent | 40 bytes and a key for each batch, for all its records; one bit for each record |
//! | memory | 72 bytes for each place of the ring, 64 for each batch, 32 for each record of the window |
//! | a block | a put of 40 bytes, the head, the undo entry: about 2 bytes for each spend |
//! | hashes | 2 for each record appended, at most siblings + 2 for each spend (those that paths share count once), log2(ring_len) for the block |

mod error;
mod keys;
mod ring;
mod rules;
mod sizes;
mod spend;
mod stage;
mod tier;
mod together;
mod undo;
mod window;

#[cfg(test)]
mod tests;

pub use error::UtxoError;
pub use rules::{UtxoLimits, UtxoRules};
pub use sizes::UtxoSizes;
pub use spend::Spend;
pub use stage::{UtxoStaged, UtxoWork};
pub use tier::UtxoTier;
pub use undo::UtxoUndo;
