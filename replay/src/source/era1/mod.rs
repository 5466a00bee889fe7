//! Reader of era1 files: up to 8,192 consecutive blocks from before the merge, with receipts.
//!
//! # Format
//!
//! An era1 file is a row of e2store records (`type u16, length u32, 0 u16, payload`, little-endian):
//!
//! ```text
//! Version            0x3265  empty
//! per block, at most 8,192:
//!   CompressedHeader   0x0003  framed snappy of the header's RLP
//!   CompressedBody     0x0004  framed snappy of the RLP of [transactions, ommers]
//!   CompressedReceipts 0x0005  framed snappy of the RLP list of receipts
//!   TotalDifficulty    0x0006  u256, 32 bytes
//! records of foreign types, skipped
//! Accumulator        0x0007  SSZ root of List[(block hash, total difficulty), 8192], 32 bytes
//! BlockIndex         0x3266  first number u64, offset i64 of each header record relative to this
//!                            record, count u64
//! ```
//!
//! # What is checked, and when
//!
//! * [`Era1::open`] walks the record headers, decompressing nothing: types, order and lengths,
//!   reserved fields, the index entry of every block, nothing after the index.
//! * [`Era1::block`] checks the block itself: snappy checksums, strict RLP, the number, and that
//!   transactions, ommers and receipts are those of the header. It does not see the neighbours.
//! * [`Era1::blocks`] checks in addition that each block names the one before as its parent and
//!   continues its total difficulty (block 0 continues nothing: zero hash, zero difficulty). After
//!   the last block the accumulator is compared; a wrong one ends the iteration with an error.
//! * [`Era1::verify`] is a whole iteration.
//!
//! That the blocks are those of a certain chain follows from an accumulator known from elsewhere:
//! files are named after its first four bytes. The first block's parent is outside the file and is
//! in the [`Era1Summary`], for whoever reads several.
//!
//! Nothing vouches for the contents of foreign records and of chunks that snappy's framing skips;
//! they are not handed out either. Foreign records are counted.
//!
//! # Limits and costs
//!
//! The file is read into memory whole (mainnet's have a few MB to some 600 MB) and 8 bytes per
//! block are kept beside it. A record may decompress to at most [`HEADER_BYTES_MAX`],
//! [`BODY_BYTES_MAX`] or [`RECEIPTS_BYTES_MAX`]; memory grows with the chunks really present, so
//! that a bomb is an error and not an allocation. No input panics.
//!
//! ```no_run
//! use thinstate_replay::source::era1::Era1;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let file = Era1::open("mainnet-00000-5ec1ffb8.era1")?;
//! for block in file.blocks() {
//!     let block = block?;
//!     println!("{} {} {}", block.header.number, block.hash, block.body.transactions.len());
//! }
//! # Ok(())
//! # }
//! ```

mod accumulator;
mod block;
mod block_index;
mod blocks;
mod crc32c;
mod e2store;
mod error;
mod frame;
mod layout;
mod summary;
#[cfg(test)]
mod tests;

use std::{
    fmt, fs,
    path::{Path, PathBuf},
};

use alloy_primitives::B256;

pub use self::{
    accumulator::BLOCKS_MAX,
    block::{BODY_BYTES_MAX, Era1Block, HEADER_BYTES_MAX, RECEIPTS_BYTES_MAX},
    blocks::{Blocks, ChainTip},
    e2store::RecordKind,
    error::{Era1Error, Era1Fault},
    summary::Era1Summary,
};
use self::{
    e2store::Records,
    error::Located,
    layout::{BlockRecords, Layout},
};

/// An opened era1 file, whose structure is sound.
#[derive(Clone)]
pub struct Era1 {
    path: PathBuf,
    bytes: Vec<u8>,
    layout: Layout,
}

impl Era1 {
    /// Reads a file and checks its structure.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Era1Error> {
        let path = path.as_ref();
        match fs::read(path) {
            Ok(bytes) => Self::from_bytes(bytes, path),
            Err(source) => Err(Era1Error::Io {
                path: path.to_path_buf(),
                source,
            }),
        }
    }

    /// Checks the structure of a file already in memory; `path` is what errors call it.
    pub fn from_bytes(
        bytes: impl Into<Vec<u8>>,
        path: impl Into<PathBuf>,
    ) -> Result<Self, Era1Error> {
        let (bytes, path) = (bytes.into(), path.into());
        match Layout::scan(&bytes) {
            Ok(layout) => Ok(Self {
                path,
                bytes,
                layout,
            }),
            Err(fault) => Err(fault.in_file(&path)),
        }
    }

    /// What errors call the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Number of the first block.
    pub const fn start_block(&self) -> u64 {
        self.layout.start_block
    }

    /// Number of the last block.
    pub const fn last_block(&self) -> u64 {
        self.layout.last_block()
    }

    /// Blocks in the file, at least one and at most [`BLOCKS_MAX`].
    pub const fn block_count(&self) -> u64 {
        self.layout.block_offsets.len() as u64
    }

    /// The accumulator that the file claims; [`Era1::verify`] tells whether rightly.
    pub const fn accumulator(&self) -> B256 {
        self.layout.accumulator
    }

    /// All blocks in order, each checked against the one before, the accumulator at the end.
    pub fn blocks(&self) -> Blocks<'_> {
        Blocks::new(self)
    }

    /// One block, found through the index and checked against its own header.
    pub fn block(&self, number: u64) -> Result<Era1Block, Era1Error> {
        self.records_of(number)
            .and_then(|records| Era1Block::decode(&records, number))
            .map_err(|fault| fault.in_file(&self.path))
    }

    /// Makes every check there is.
    pub fn verify(&self) -> Result<Era1Summary, Era1Error> {
        Era1Summary::of(self)
    }

    fn records_of(&self, number: u64) -> Result<BlockRecords<'_>, Located> {
        let offset = self.layout.offset_of(number)?;
        BlockRecords::read(&mut Records::from_offset(&self.bytes, offset))
    }
}

impl fmt::Debug for Era1 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Era1")
            .field("path", &self.path)
            .field("bytes", &self.bytes.len())
            .field("start_block", &self.start_block())
            .field("block_count", &self.block_count())
            .field("accumulator", &self.accumulator())
            .finish_non_exhaustive()
    }
}
