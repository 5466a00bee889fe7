//! Sealing: from the entries of a frozen period to its root and its segment in the archive, between
//! blocks, in steps.
//!
//! A period's entries are divided into pages by the first `page_bits` bits of their locations, about
//! 64 to 128 leaves to a page. A step takes the next pages in order: it sorts the entries of the
//! shards that they lie in (once for each shard), hashes the tree of each page, appends the pages to the archive's
//! segment and syncs that. Steps run on a thread of their own ([`worker`]), one after a block is
//! published; the block after puts the nodes of the finished pages into its batch, so that after
//! a crash the work goes on behind the last page that a committed block knows of. What a segment has
//! beyond that is cut off when it is opened again. When all pages are done, their nodes are joined to
//! the root.
//!
//! Nothing of this is committed to before the block that seals the period, a rule of its number
//! ([`thinstate_formats::temporary`]); that block finishes what is left.
//!
//! ```text
//! table periods
//! "s" | period u64 BE                       a frozen period, until it is sealed:
//!     page bits u8 | 0 | crc32 u32 LE                 its log is there, pages follow
//!     page bits u8 | 1 | root 32 | leaf count u64 LE | crc32 u32 LE
//!                                                     its log is gone: a block that sealed it was undone
//! "p" | period u64 BE | first page u32 BE   pages of one step: for each, hash 32 | leaf count u64 LE;
//!                                           crc32 u32 LE
//! ```
//!
//! Checksums cover key and value. Costs: 0.4 to 0.7 byte written to the store for each leaf, each
//! leaf hashed once, after a crash at most those of one step twice. All of it is deleted by the block
//! that seals the period, in a fixed number of operations.

mod frozen;
mod progress;
mod sealer;
mod segment;
mod sorted;
mod worker;

pub(super) use frozen::{Frozen, Sealing};
pub(super) use progress::{
    Header, PAGES_KEY, Pages, SEAL_KEY, clear_progress, decode_header, decode_pages, put_header,
};
pub(super) use sealer::Sealer;
pub(crate) use segment::{PeriodSink, SegmentSink, SinkError};
pub(super) use sorted::seal_sorted;
pub(super) use worker::Worker;
