//! Archived periods: one immutable, memory-mapped segment file for each sealed period, from which the
//! proof of any leaf, or of the absence of one, is served with few reads.
//!
//! # Files
//!
//! ```text
//! FOLDER/LOCK                          held while the archive is open, by one process
//! FOLDER/period-0000000012.seg         a finished segment, never changed
//! FOLDER/period-0000000013.seg.partial one that is being written
//! ```
//!
//! A *page* has the leaves whose locations start with one prefix of `page bits` bits, and there is one
//! page for each prefix, empty ones included. The tree of a page is a whole subtree of the period's
//! ([`counted`](thinstate_formats::counted)), and the tree over the pages is a complete binary one.
//!
//! ```text
//! segment    | header 64 | page 0 | page 1 | ... | directory | levels | footer 128 |
//!
//! header     |0 "TSPERIOD" |8 version u16 |10 hash u8 |11 page bits u8 |12 zeros 4 |16 period u64
//!            |24 zeros 36 |60 crc u32 |
//! page       | page header 64 | leaves, ascending, one after the other |
//!   header   |0 "PAGE" |4 page u32 |8 leaves u32 |12 bytes u32 |16 root hash 32 |48 crc of the leaves
//!            |52 zeros 8 |60 crc u32 |
//!   leaf     | location 32 | length u8 | value without leading zero bytes |
//! directory  2^bits entries |0 offset of the page u64 |8 bytes of its leaves u32 |12 crc of them u32 |
//! levels     2^(bits + 1) - 1 nodes |0 hash 32 |32 count u64 |
//!            the root first, then its level's two, and so on; the pages last
//! footer     |0 "TSPEREND" |8 version u16 |10 hash u8 |11 page bits u8 |12 crc of the directory u32
//!            |16 period u64 |24 leaf count u64 |32 root hash 32 |64 offset of the directory u64
//!            |72 bytes of the file u64 |80 crc of the levels u32 |84 zeros 40 |124 crc u32 |
//! ```
//!
//! Numbers are little-endian. `crc` is CRC-32 (that of zlib), at the end of a part over the bytes
//! before it. Every byte of the file is under one checksum.
//!
//! # Invariants
//!
//! - Pages lie one behind the other from offset 64 to the directory, in the order of their prefixes.
//! - A page's leaves ascend, start with its prefix, and hash to its node in the levels.
//! - Each node of the levels is the join of the two below it; the first is the footer's root.
//!
//! # Cost
//!
//! With n leaves in `2^bits` pages: about 40 bytes for each leaf (values are mostly short) and 160 for
//! each page. A proof reads one page and one node for each page bit; of absence at most two pages that
//! have leaves ([`ReadCount`]). The page's tree is hashed again for each proof, and what is about to be
//! served is verified against the root. [`page_bits`] gives pages of some hundred leaves.
//!
//! The upper levels, which all proofs share, lie together in a few pages of the page cache. Opening
//! reads the directory and the levels; with [`Check::Everything`] the leaves too.
//!
//! # Crashes
//!
//! A segment is written under its partial name: pages are appended, and durable after
//! [`PeriodWriter::sync`]. Whoever seals records how many are, and continues there: what lies behind is
//! cut off, and the outcome is the same file, byte for byte. [`PeriodWriter::finish`] syncs the file,
//! gives it its name and syncs the folder. A finished segment is never written to; should the seal not
//! have learned of it, it is continued from a copy.
//!
//! # Mapped files
//!
//! Reading a mapped file that was cut raises SIGBUS, which no code here could catch. So lengths are
//! compared with the footer's before anything is mapped, finished segments are read-only files that
//! nothing in this code ever cuts or writes to, and the lock keeps a second process out. Deleting unlinks: mappings
//! that are still in use stay good. What remains is someone else cutting the file by force, or a device that
//! fails under it; both end the process, and the next opening reports the segment. No store of ours is changed
//! through a mapping, so that nothing else is lost.

mod archive;
mod cells;
mod error;
mod fault;
mod folder;
mod layout;
mod leaves;
mod prove;
mod reads;
mod resume;
mod segment;
#[cfg(test)]
mod tests;
mod verify;
mod writer;

pub use archive::{Check, PeriodArchive, SegmentInfo};
pub use error::PeriodArchiveError;
pub use fault::{Part, SegmentFault};
pub use leaves::Leaves;
pub use reads::ReadCount;
pub use writer::PeriodWriter;

use thinstate_formats::counted::MAX_PAGE_BITS;

/// Leaves that a page is to have, about: hashing them takes as long as one read of a good device.
const PAGE_LEAVES: u64 = 256;

/// The page bits for a period of about so many leaves.
pub const fn page_bits(leaves: u64) -> u32 {
    let pages = leaves / PAGE_LEAVES;
    let bits = pages.saturating_add(1).ilog2();
    if bits < MAX_PAGE_BITS {
        bits
    } else {
        MAX_PAGE_BITS
    }
}
