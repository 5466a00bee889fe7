//! What can be wrong with a trace.

use super::TraceFault;
use crate::BlockNumber;
use core::fmt;

/// A part of a trace file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The first bytes of the file.
    FileHeader,
    /// The fixed bytes before a block's payload.
    FrameHeader,
    /// A block's compressed record.
    Payload,
    /// The list of frames.
    Index,
    /// The last bytes of the file.
    Footer,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::FileHeader => "file header",
            Self::FrameHeader => "frame header",
            Self::Payload => "payload",
            Self::Index => "index",
            Self::Footer => "footer",
        })
    }
}

/// Bytes that are not a trace. Offsets count from the start of the file.
///
/// Nothing from the offset on can be trusted. A file with a good header can be opened for recovery,
/// which keeps what lies before it.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// The bytes end too early: the file was cut, or its writer was killed. Recover it.
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
    /// A magic number is another one: not a trace, or damaged there. A file without the footer's
    /// was never finished; recover it.
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
    #[error("file header: expected version {expected}, got {got}")]
    Version {
        /// The one read here.
        expected: u16,
        /// The file's.
        got: u16,
    },
    /// Bytes are not those that were written.
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
    /// A field holds what the format does not allow there.
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
    /// A length above the format's limit; no memory was taken for it.
    #[error("{part} at offset {offset}: expected {field} of at most {limit} bytes, got {got}")]
    TooLarge {
        /// Whose length.
        part: Part,
        /// Where the part starts.
        offset: u64,
        /// Which length.
        field: &'static str,
        /// The limit.
        limit: u64,
        /// The length.
        got: u64,
    },
    /// Blocks do not ascend.
    #[error("{part} at offset {offset}: expected a block above {previous}, got {got}")]
    BlockOrder {
        /// Where it was noticed.
        part: Part,
        /// Where the part starts.
        offset: u64,
        /// The block before.
        previous: BlockNumber,
        /// The block in question.
        got: BlockNumber,
    },
    /// The payload is not zstd.
    #[error("payload at offset {offset}: expected a zstd frame of {expected} bytes")]
    Decompress {
        /// Where the payload starts.
        offset: u64,
        /// Bytes that it should hold.
        expected: u64,
        /// What zstd says.
        source: std::io::Error,
    },
    /// The record does not decode.
    #[error("record in the payload at offset {offset}: expected a block's accesses")]
    Record {
        /// Where the payload starts.
        offset: u64,
        /// What wincode says.
        source: wincode::ReadError,
    },
    /// The record decodes, but not to what a writer may write.
    #[error("record of block {number} in the payload at offset {offset}")]
    Fault {
        /// Where the payload starts.
        offset: u64,
        /// The block.
        number: BlockNumber,
        /// The rule that is broken.
        source: Box<TraceFault>,
    },
}

/// A block that cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// The block breaks a rule of the record. Correct the recorder, or sort.
    #[error("block {number}")]
    Fault {
        /// The block.
        number: BlockNumber,
        /// The rule that is broken.
        source: Box<TraceFault>,
    },
    /// The block is above the format's limit. Split it, or trace fewer blocks in one.
    #[error("block {number}: expected at most {limit} bytes, got {got}")]
    TooLarge {
        /// The block.
        number: BlockNumber,
        /// The limit.
        limit: u64,
        /// The block's bytes.
        got: u64,
    },
    /// wincode refused.
    #[error("block {number}: record not written")]
    Record {
        /// The block.
        number: BlockNumber,
        /// Why.
        source: wincode::WriteError,
    },
    /// zstd refused, which it does where memory is short.
    #[error("block {number}: record not compressed")]
    Compress {
        /// The block.
        number: BlockNumber,
        /// Why.
        source: std::io::Error,
    },
}
