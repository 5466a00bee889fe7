//! The archive of records: from it a record and its path are served by index.
//!
//! [`RecordArchive`] keeps one file for each batch of blocks. While the batch fills, frames are
//! appended, one for each block that has records; when its ring is sealed, a footer makes the file
//! whole, and from then on it is mapped and never changes.
//!
//! ```text
//! records/batch-N.records
//! header   "thinrecs" 8 | version u32 = 1 | ring_len u32 | batch u64 | hash u8 | 3 zeros | crc32 u32
//! frame    block u64 | first index u64 | records u32 | bytes u32 | crc32 u32 of the body |
//!          crc32 u32 of these 28 bytes | body: end of each record u32 *, then the records
//! footer   for each frame: block u64 | offset u64 | first index u64 | records u32
//!          ring_len block roots of 32 bytes
//!          owners, if they are indexed: first 8 bytes of the owner | index u64, sorted
//! trailer  frames' end u64 | frames u32 | owners u64 | indexed u8 | 3 zeros | crc32 u32 of the footer |
//!          crc32 u32 of these 28 bytes | "thinseal" 8
//! ```
//!
//! Numbers are little-endian, but the first 8 bytes of an owner, which sort as they are. Records are
//! encoded as new ones: their indexes follow from the frame's.
//!
//! # What a power cut leaves
//!
//! A block's frame, and the footer where it is due, are written and synced *before* the block's batch
//! is committed, which holds the position up to which the archive is the state's: a batch and a
//! length. What lies beyond is cut off at opening, a footer too. Undoing a block cuts its frame after
//! the commit of the undoing; that of the last block of a batch takes the footer away again.
//!
//! # Costs
//!
//! 26 bytes for each block, 46 and the payload for each record, at the seal 28 bytes for each frame, 32 for each
//! block, 16 for each record if owners are indexed (sorted in memory within the block that seals).
//! Reading a record takes two reads of a frame's head and the record; a path reads the block's frame
//! and hashes it, and one into a batch also hashes its `ring_len` roots, unless they were the last
//! used. Frames are checked against their checksums when they are read; header and footer at opening.

mod archive;
mod error;
mod filling;
mod format;
mod segment;
mod serve;

pub(crate) use archive::{ArchivePosition, BlockRecords, StagedFrames};
pub use archive::{RecordArchive, RecordArchiveOptions};
pub use error::RecordArchiveError;
