//! What can be wrong inside a segment file.

use alloy_primitives::B256;
use core::fmt;
use thinstate_formats::counted::{DecodeError, MergeError, OrderError, ProofError};

/// A part of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The first bytes.
    Header,
    /// The fixed bytes before a page's leaves.
    PageHeader,
    /// A page's leaves.
    Page,
    /// Where the pages are.
    Directory,
    /// The nodes over the pages.
    Levels,
    /// The last bytes.
    Footer,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Header => "header",
            Self::PageHeader => "page header",
            Self::Page => "page",
            Self::Directory => "directory",
            Self::Levels => "levels",
            Self::Footer => "footer",
        })
    }
}

/// Bytes that are not what was written. Offsets count from the start of the file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SegmentFault {
    /// The file ends too early.
    #[error("{part} at offset {offset}: expected {expected} bytes, got {got}")]
    Truncated {
        /// What was being read.
        part: Part,
        /// Where it starts.
        offset: u64,
        /// Bytes that it takes.
        expected: u64,
        /// Bytes that are there.
        got: u64,
    },
    /// A part starts with something else.
    #[error("{part} at offset {offset}: expected magic \"{expected}\", got \"{got}\"")]
    Magic {
        /// Whose magic.
        part: Part,
        /// Where it starts.
        offset: u64,
        /// The format's.
        expected: String,
        /// What is there.
        got: String,
    },
    /// A version that this code does not read. Use the release that wrote the file.
    #[error("{part} at offset {offset}: expected version {expected}, got {got}")]
    Version {
        /// Whose version.
        part: Part,
        /// Where the part starts.
        offset: u64,
        /// The one read here.
        expected: u16,
        /// The file's.
        got: u16,
    },
    /// A checksum does not fit.
    #[error("{part} at offset {offset}: expected checksum {expected:#010x}, got {got:#010x}")]
    Checksum {
        /// What was summed.
        part: Part,
        /// Where it starts.
        offset: u64,
        /// The checksum that was stored.
        expected: u32,
        /// The checksum of the bytes.
        got: u32,
    },
    /// A field holds what does not fit the rest of the file, or its name.
    #[error("{part} at offset {offset}: expected {field} {expected}, got {got}")]
    Field {
        /// Whose field.
        part: Part,
        /// Where the part starts.
        offset: u64,
        /// Which field.
        field: &'static str,
        /// What it must be.
        expected: u64,
        /// What it is.
        got: u64,
    },
    /// Nodes or leaves hash to something else.
    #[error("{part} at offset {offset}: expected hash {expected}, got {got}")]
    Hash {
        /// What was hashed, or whose hash it is.
        part: Part,
        /// Where it starts.
        offset: u64,
        /// The hash that was stored.
        expected: B256,
        /// The hash computed.
        got: B256,
    },
    /// A leaf does not decode.
    #[error("page at offset {offset}: {source}")]
    Leaf {
        /// Where the page's leaves start.
        offset: u64,
        /// Why; its offset counts from the start of the file.
        source: DecodeError,
    },
    /// Leaves do not ascend.
    #[error("page at offset {offset}: {source}")]
    LeafOrder {
        /// Where the page's leaves start.
        offset: u64,
        /// Which.
        source: OrderError,
    },
    /// A leaf lies in another page.
    #[error(
        "page at offset {offset}: expected leaves of page {expected}, got {location} of page {got}"
    )]
    LeafPage {
        /// Where the page's leaves start.
        offset: u64,
        /// The page.
        expected: u64,
        /// The leaf's page.
        got: u64,
        /// The leaf.
        location: B256,
    },
    /// A proof made from the segment does not verify: the device gave other bytes than before.
    #[error("a proof made from the segment does not verify: {0}")]
    Proof(Box<ProofError>),
    /// Proofs made from the segment do not fit one another: the same.
    #[error("proofs made from the segment do not fit one another: {0}")]
    Merge(MergeError),
}
