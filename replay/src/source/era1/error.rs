//! What can be wrong with an era1 file, and where in it.

use std::{io, path::PathBuf};

use alloy_primitives::{B256, U256};

use super::RecordKind;

/// An era1 file that cannot be read, or that is not what it claims to be.
///
/// The message always starts with the file's path; for [`Era1Error::Invalid`] the offset of the
/// first byte of the offending thing follows.
#[derive(Debug, thiserror::Error)]
pub enum Era1Error {
    /// The operating system refused the file. Check the path, the rights and the memory left.
    #[error("{}: cannot read the file: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The operating system's reason.
        source: io::Error,
    },
    /// The bytes are not a valid era1 file. Fetch the file again: nothing of it from this offset on
    /// is to be trusted.
    #[error("{}: at byte {offset}: {fault}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Offset in the file of the record, chunk or field at fault.
        offset: u64,
        /// What is wrong there.
        fault: Box<Era1Fault>,
    },
}

impl Era1Error {
    /// Where in the file the fault lies, `None` if the file could not be read at all.
    pub const fn offset(&self) -> Option<u64> {
        match self {
            Self::Io { .. } => None,
            Self::Invalid { offset, .. } => Some(*offset),
        }
    }

    /// What is wrong, `None` if the file could not be read at all.
    pub fn fault(&self) -> Option<&Era1Fault> {
        match self {
            Self::Io { .. } => None,
            Self::Invalid { fault, .. } => Some(fault),
        }
    }
}

/// What is wrong at one offset of an era1 file.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Era1Fault {
    /// The file ends inside a record's eight-byte header.
    #[error("record header cut short: expected 8 bytes, got {got}")]
    RecordHeaderTruncated {
        /// Bytes left in the file.
        got: u64,
    },
    /// The file ends inside a record's payload.
    #[error("{kind} record cut short: expected {expected} payload bytes, got {got}")]
    RecordTruncated {
        /// The record's type.
        kind: RecordKind,
        /// Length in the record's header.
        expected: u64,
        /// Bytes left in the file.
        got: u64,
    },
    /// The reserved field of a record's header is not zero.
    #[error("reserved field of a {kind} record: expected 0, got {got:#06x}")]
    ReservedNotZero {
        /// The record's type.
        kind: RecordKind,
        /// The field's value.
        got: u16,
    },
    /// A record stands where the grammar of the file wants another.
    #[error("expected {expected}, got a {got} record")]
    RecordUnexpected {
        /// What may stand here.
        expected: &'static str,
        /// What stands here.
        got: RecordKind,
    },
    /// The file ends where a record must follow.
    #[error("expected {expected}, got the end of the file")]
    RecordMissing {
        /// What must stand here.
        expected: &'static str,
    },
    /// A record of fixed length has another.
    #[error("payload of a {kind} record: expected {expected} bytes, got {got}")]
    RecordLength {
        /// The record's type.
        kind: RecordKind,
        /// Length this record must have.
        expected: u64,
        /// Length in its header.
        got: u64,
    },
    /// Something follows the block index, which must be the last record.
    #[error("expected the end of the file after the block index, got {got} more bytes")]
    TrailingBytes {
        /// Bytes after the index.
        got: u64,
    },
    /// More blocks than the accumulator can hold.
    #[error("too many blocks: expected at most {max}, got another")]
    TooManyBlocks {
        /// Capacity of the accumulator.
        max: u64,
    },
    /// The index counts another number of blocks than the file holds.
    #[error("block count in the index: expected {expected}, got {got}")]
    IndexCount {
        /// Blocks found in the file.
        expected: u64,
        /// Count in the index.
        got: u64,
    },
    /// The index starts so high that its last block number overflows.
    #[error("first block number in the index: {got} leaves no room for {count} blocks")]
    IndexStart {
        /// First block number.
        got: u64,
        /// Blocks in the file.
        count: u64,
    },
    /// An index entry does not point at its block's header record.
    #[error("index entry of block {number}: expected relative offset {expected}, got {got}")]
    IndexOffset {
        /// The block.
        number: u64,
        /// Where the header record is, relative to the index record.
        expected: i64,
        /// Where the entry points.
        got: i64,
    },
    /// A snappy chunk is cut short by the end of its record.
    #[error("snappy chunk cut short: expected {expected} bytes, got {got}")]
    ChunkTruncated {
        /// Bytes the chunk must have.
        expected: u64,
        /// Bytes left in the record.
        got: u64,
    },
    /// A compressed record does not begin with snappy's stream identifier.
    #[error("snappy stream identifier missing or altered")]
    StreamIdentifier,
    /// A snappy chunk of a type that a reader must refuse.
    #[error("snappy chunk type: expected a data chunk, got {got:#04x}")]
    ChunkType {
        /// The chunk's type byte.
        got: u8,
    },
    /// A snappy chunk declares more content than the framing format allows.
    #[error("snappy chunk content: expected at most {max} bytes, got {got}")]
    ChunkTooLarge {
        /// Limit of the framing format.
        max: u64,
        /// Declared length.
        got: u64,
    },
    /// A snappy chunk's compressed bytes do not decompress.
    #[error("snappy chunk does not decompress: {0}")]
    ChunkCorrupt(#[source] snap::Error),
    /// A snappy chunk's content does not have the checksum it is stored with.
    #[error("snappy chunk checksum: expected {expected:#010x}, got {got:#010x}")]
    ChunkChecksum {
        /// Checksum stored with the chunk.
        expected: u32,
        /// Checksum of the content.
        got: u32,
    },
    /// A record decompresses to more than any block's could.
    #[error("content of a {kind} record: expected at most {max} bytes, got at least {got}")]
    ContentTooLarge {
        /// The record's type.
        kind: RecordKind,
        /// The limit.
        max: u64,
        /// Length reached when decompression was given up.
        got: u64,
    },
    /// A record's content is not the RLP of what it should hold.
    #[error("content of a {kind} record does not decode: {source}")]
    Rlp {
        /// The record's type.
        kind: RecordKind,
        /// The decoder's reason.
        source: alloy_rlp::Error,
    },
    /// A record's content goes on after the RLP item.
    #[error("content of a {kind} record: expected one RLP item, got {got} more bytes")]
    RlpTrailing {
        /// The record's type.
        kind: RecordKind,
        /// Bytes after the item.
        got: u64,
    },
    /// A header carries another number than its place in the file gives it.
    #[error("block number: expected {expected}, got {got}")]
    BlockNumber {
        /// Number by position.
        expected: u64,
        /// Number in the header.
        got: u64,
    },
    /// A header does not name the block before it as its parent.
    #[error("parent hash of block {number}: expected {expected}, got {got}")]
    ParentHash {
        /// The block.
        number: u64,
        /// Hash of the block before.
        expected: B256,
        /// Parent hash in the header.
        got: B256,
    },
    /// The transactions are not those that the header commits to.
    #[error("transactions root of block {number}: expected {expected}, got {got}")]
    TransactionsRoot {
        /// The block.
        number: u64,
        /// Root in the header.
        expected: B256,
        /// Root of the body's transactions.
        got: B256,
    },
    /// The ommers are not those that the header commits to.
    #[error("ommers hash of block {number}: expected {expected}, got {got}")]
    OmmersHash {
        /// The block.
        number: u64,
        /// Hash in the header.
        expected: B256,
        /// Hash of the body's ommers.
        got: B256,
    },
    /// The withdrawals are not those that the header commits to; before Shanghai there are none.
    #[error("withdrawals root of block {number}: expected {expected:?}, got {got:?}")]
    WithdrawalsRoot {
        /// The block.
        number: u64,
        /// Root in the header.
        expected: Option<B256>,
        /// Root of the body's withdrawals.
        got: Option<B256>,
    },
    /// The receipts are not those that the header commits to.
    #[error("receipts root of block {number}: expected {expected}, got {got}")]
    ReceiptsRoot {
        /// The block.
        number: u64,
        /// Root in the header.
        expected: B256,
        /// Root of the receipts.
        got: B256,
    },
    /// The block has not one receipt for each transaction.
    #[error("receipts of block {number}: expected {expected}, got {got}")]
    ReceiptCount {
        /// The block.
        number: u64,
        /// Transactions in the body.
        expected: u64,
        /// Receipts.
        got: u64,
    },
    /// A total difficulty is not its parent's plus the block's own difficulty.
    #[error("total difficulty of block {number}: expected {expected}, got {got}")]
    TotalDifficulty {
        /// The block.
        number: u64,
        /// Sum of the difficulties.
        expected: U256,
        /// Value in the file.
        got: U256,
    },
    /// A total difficulty is less than the block's own difficulty, or their sum overflows.
    #[error("total difficulty of block {number}: {got} does not fit a difficulty of {difficulty}")]
    TotalDifficultyRange {
        /// The block.
        number: u64,
        /// Difficulty in the header.
        difficulty: U256,
        /// Value in the file.
        got: U256,
    },
    /// The accumulator is not the root of the file's block hashes and total difficulties.
    #[error("accumulator: expected {expected}, got {got}")]
    Accumulator {
        /// Root computed from the blocks.
        expected: B256,
        /// Root in the file.
        got: B256,
    },
    /// A block was asked for that the file does not hold.
    #[error("block {number} is not in the file: expected {first} to {last}")]
    BlockOutside {
        /// The block asked for.
        number: u64,
        /// First block of the file.
        first: u64,
        /// Last block of the file.
        last: u64,
    },
}

/// A fault with its place, not yet with its file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Located {
    pub(super) offset: u64,
    pub(super) fault: Era1Fault,
}

impl Located {
    /// Names the file.
    pub(super) fn in_file(self, path: &std::path::Path) -> Era1Error {
        Era1Error::Invalid {
            path: path.to_path_buf(),
            offset: self.offset,
            fault: Box::new(self.fault),
        }
    }
}

impl Era1Fault {
    /// Gives the fault its place.
    pub(super) const fn at(self, offset: u64) -> Located {
        Located {
            offset,
            fault: self,
        }
    }
}
