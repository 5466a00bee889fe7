//! The superblock: where the newest tree begins.
//!
//! Two of them, at bytes 0 and 4096 of the file, are written in turn:
//!
//! ```text
//! 0   magic "tsPAGES\n"
//! 8   format version, 4 bytes
//! 12  bytes of a page, 4 bytes
//! 16  generation: one more than the other one's, 8 bytes
//! 24  the root, an extent of 12 bytes
//! 36  0, 4 bytes
//! 40  the first segment of the log that is to be replayed, 8 bytes
//! 48  the last sequence before it, 8 bytes
//! 56  crc32 of all before, 4 bytes
//! ```
//!
//! All of it lies in one sector, so that a write is there or not.

use super::bytes::{Malformed, Parsed, Reader};
use super::extent::Extent;
use super::folder::SegmentId;
use super::options::is_page_size;

const MAGIC: [u8; 8] = *b"tsPAGES\n";
const VERSION: u32 = 1;
const LENGTH: usize = 60;
/// Bytes that are written of it, so that direct writes are whole blocks.
pub(super) const SLOT_BYTES: usize = 4096;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Superblock {
    pub(super) page_bytes: u32,
    pub(super) generation: u64,
    pub(super) root: Extent,
    pub(super) segment: SegmentId,
    pub(super) sequence: u64,
}

impl Superblock {
    /// Its place in the file.
    pub(super) fn offset(&self) -> u64 {
        self.generation % 2 * SLOT_BYTES as u64
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(SLOT_BYTES);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&self.page_bytes.to_le_bytes());
        bytes.extend_from_slice(&self.generation.to_le_bytes());
        self.root.write(&mut bytes);
        bytes.extend_from_slice(&[0; 4]);
        bytes.extend_from_slice(&self.segment.0.to_le_bytes());
        bytes.extend_from_slice(&self.sequence.to_le_bytes());
        let checksum = crc32fast::hash(&bytes);
        bytes.extend_from_slice(&checksum.to_le_bytes());
        debug_assert_eq!(bytes.len(), LENGTH);
        bytes.resize(SLOT_BYTES, 0);
        bytes
    }

    pub(super) fn decode(bytes: &[u8]) -> Parsed<Self> {
        let mut reader = Reader::new(bytes);
        if reader.take(8)? != MAGIC {
            return Err(Malformed::new("not a page store: magic expected"));
        }
        let version = reader.u32()?;
        if version != VERSION {
            return Err(Malformed::unequal("format version", VERSION, version));
        }
        let page_bytes = reader.u32()?;
        let generation = reader.u64()?;
        let root = Extent::read(reader.take(12)?).expect("an extent has 12 bytes");
        reader.take(4)?;
        let (segment, sequence) = (SegmentId(reader.u64()?), reader.u64()?);
        let checksum = crc32fast::hash(&bytes[..LENGTH - 4]);
        let stored = reader.u32()?;
        if checksum != stored {
            return Err(Malformed::unequal("checksum", checksum, stored));
        }
        if !is_page_size(page_bytes as usize) {
            return Err(Malformed::new(format!("pages of {page_bytes} bytes")));
        }
        Ok(Self {
            page_bytes,
            generation,
            root,
            segment,
            sequence,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::ids::PageId;
    use super::*;

    #[test]
    fn it_is_read_as_it_was_written_or_not_at_all() {
        let superblock = Superblock {
            page_bytes: 4096,
            generation: 7,
            root: Extent {
                start: PageId(9),
                bytes: 100,
                checksum: 5,
            },
            segment: SegmentId(3),
            sequence: 77,
        };
        let bytes = superblock.encode();
        assert_eq!(Superblock::decode(&bytes).expect("whole"), superblock);
        for bit in 0..LENGTH * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(Superblock::decode(&damaged).is_err(), "bit {bit}");
        }
    }
}
