//! Spent bits: one for each record and for each leaf of a sealed period, for ever.
//!
//! [`SpentFields`] holds one field of bits for the records and one for each sealed period. The bits
//! lie in mapped files, their Merkle trees (`thinstate_formats::bits`) in memory.
//!
//! # A file
//!
//! ```text
//! spent/utxo.bits, spent/period-N.bits
//! page 0     "thinbits" 8 | version u32 = 1 | kind u32 | period u64 | bits u64 | crc32 u32 | zeros
//! page 1 ..  words of 32 bytes, bit i of the field in byte i / 8 at bit i % 8; zeros to the end
//! ```
//!
//! Numbers are little-endian. `bits` is the field's length when the file was last synced; the one
//! that counts is in the leaf store. Files grow by a sixteenth, at least 64 KiB, and never shrink.
//!
//! # Table "journal" of the leaf store
//!
//! ```text
//! 'h'                      version u8 = 1 | hash u8 | commit u64 | first commit kept u64 | root 32
//! 'f' kind u8 period u64   bits u64; one entry for each field
//! 'j' commit u64           version u8 = 1 | changes | change * | crc32 u32
//! change                   kind u8 | period | flags u8 | (bits before | bits after) |
//!                          set | index * | cleared | index *
//! ```
//!
//! Keys are big-endian, values little-endian; in a change all numbers are LEB128, and indexes are
//! sorted, each given by its distance to the one before it, less one. Flags: 1 the length changes, 2
//! the field is new, 4 it is removed. With 100,000 spends among 100 million records an entry takes
//! about 2 bytes for each spend.
//!
//! # What a power cut leaves
//!
//! No file is ever ahead of what is committed:
//!
//! 1. [`SpentFields::stage`] hashes with an overlay. It adds the change to the block's batch, and
//!    makes room in files (zeros beyond the field's end, files of fields that do not exist yet), so
//!    that a full disk is found out before anything is committed. No word of a field changes.
//! 2. The batch becomes durable.
//! 3. [`SpentFields::publish`] writes the words, which cannot fail. From now on the kernel may write
//!    any page of any file to the device, at any time and in any order.
//!
//! Every `checkpoint_commits` commits all files are synced on a thread of their own; the batch that
//! follows deletes the journal up to the commit at which that began, in one range. At opening, each
//! page of a file therefore is as it was after some commit between that one and the last. The journal
//! of all commits in between is applied again, in order: setting and clearing are absolute, so a bit
//! that it mentions gets its last value, and one that it does not was the same all the time. What
//! lies beyond the committed length is made zero. A field that the journal creates starts from zeros,
//! whatever its file holds. Then all trees are computed from the words, and their root must be the
//! one that was committed with the last block: a bit that flipped on the disk, a file of another
//! store, or a missing one is an error, never another state.
//!
//! A file is deleted only after the commit that removes its field; one that a crash leaves behind is
//! deleted at the next opening.
//!
//! Without a directory the bits lie in memory, and the journal is kept whole: opening starts from
//! zeros.
//!
//! # Costs
//!
//! | | |
//! |---|---|
//! | file | 1 bit for each object, 4 KiB for each field, at most a sixteenth more |
//! | memory | nodes: 0.5 bit for each object |
//! | a commit | a word and 3 hashes for each group of 1,024 bits touched, a hash for each node above |
//! | opening | all words read, about 0.75 hash for each 256 bits that are not all zero |

mod change;
mod checkpoint;
mod error;
mod fields;
mod head;
mod journal;
mod mapped;
mod open;
pub(crate) mod varint;
mod words;

#[cfg(test)]
mod tests;

pub use change::{BitChange, SpentWork, StagedSpent};
pub use error::SpentError;
pub use fields::{FieldSize, SpentFields, SpentOptions};
pub use thinstate_formats::bits::FieldId;
