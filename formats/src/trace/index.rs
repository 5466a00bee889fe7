//! The end of a finished file: where each block is, and the footer that closes it.

use super::fields::{Place, bytes_at, crc_before, put, seal, u32_at, u64_at};
use super::{FRAME_HEADER_BYTES, Part, TRACE_HEADER_BYTES, TraceError};
use crate::BlockNumber;

/// Length of the index without its entries.
pub const INDEX_HEADER_BYTES: usize = 16;
/// Length of one entry of the index.
pub const INDEX_ENTRY_BYTES: usize = 16;
/// Length of the footer.
pub const FOOTER_BYTES: usize = 40;

const INDEX_MARKER: &[u8; 4] = b"INDX";
const INDEX_RESERVED_AT: usize = 4;
const INDEX_COUNT_AT: usize = 8;
const _: () = assert!(INDEX_COUNT_AT + 8 == INDEX_HEADER_BYTES);

const COUNT_AT: usize = 8;
const FILE_LEN_AT: usize = 16;
const INDEX_CRC_AT: usize = 24;
const CRC_AT: usize = 28;
const END_MAGIC: &[u8; 8] = b"THSTREND";
const END_MAGIC_AT: usize = 32;
const _: () = assert!(END_MAGIC_AT + END_MAGIC.len() == FOOTER_BYTES);

/// Where a block's frame starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndexEntry {
    /// The block.
    pub number: BlockNumber,
    /// Offset of its frame in the file.
    pub offset: u64,
}

/// The end of a file whose frames are those in `entries`, the last of which ends at `index_offset`.
pub fn encode_tail(entries: &[IndexEntry], index_offset: u64) -> Vec<u8> {
    let blocks = entries.len() as u64;
    let mut header = [0; INDEX_HEADER_BYTES];
    put::<0, 4, _>(&mut header, *INDEX_MARKER);
    put::<INDEX_COUNT_AT, 8, _>(&mut header, blocks.to_le_bytes());
    let mut tail = header.to_vec();
    for entry in entries {
        tail.extend(entry.number.0.to_le_bytes());
        tail.extend(entry.offset.to_le_bytes());
    }
    let footer = Footer {
        index_offset,
        blocks,
        index_crc: crc32fast::hash(&tail),
    };
    let file_len = index_offset + tail.len() as u64 + FOOTER_BYTES as u64;
    tail.extend(footer.encode(file_len));
    tail
}

/// Whether the index, not a frame, starts with these bytes.
pub fn starts_index(bytes: &[u8]) -> bool {
    bytes.starts_with(INDEX_MARKER)
}

/// The last bytes of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Footer {
    /// Where the index starts.
    pub index_offset: u64,
    /// Number of blocks.
    pub blocks: u64,
    /// CRC-32 of the index.
    pub index_crc: u32,
}

impl Footer {
    fn encode(&self, file_len: u64) -> [u8; FOOTER_BYTES] {
        let mut bytes = [0; FOOTER_BYTES];
        put::<0, 8, _>(&mut bytes, self.index_offset.to_le_bytes());
        put::<COUNT_AT, 8, _>(&mut bytes, self.blocks.to_le_bytes());
        put::<FILE_LEN_AT, 8, _>(&mut bytes, file_len.to_le_bytes());
        put::<INDEX_CRC_AT, 4, _>(&mut bytes, self.index_crc.to_le_bytes());
        seal::<CRC_AT, _>(&mut bytes);
        put::<END_MAGIC_AT, 8, _>(&mut bytes, *END_MAGIC);
        bytes
    }

    /// Reads the footer of a file of `file_len` bytes; header, frames, index and footer then fill it.
    pub fn decode(bytes: &[u8; FOOTER_BYTES], file_len: u64) -> Result<Self, TraceError> {
        let place = Place {
            part: Part::Footer,
            offset: file_len.saturating_sub(FOOTER_BYTES as u64),
        };
        place.magic(END_MAGIC, &bytes_at::<END_MAGIC_AT, 8, _>(bytes))?;
        place.checksum(u32_at::<CRC_AT, _>(bytes), crc_before::<CRC_AT, _>(bytes))?;
        place.field("file length", file_len, u64_at::<FILE_LEN_AT, _>(bytes))?;
        let footer = Self {
            index_offset: u64_at::<0, _>(bytes),
            blocks: u64_at::<COUNT_AT, _>(bytes),
            index_crc: u32_at::<INDEX_CRC_AT, _>(bytes),
        };
        let end = footer.index_len().saturating_add(footer.index_offset);
        place.field("end of the index", place.offset, end)?;
        Ok(footer)
    }

    /// Bytes of the index, without the footer.
    pub const fn index_len(&self) -> u64 {
        self.blocks
            .saturating_mul(INDEX_ENTRY_BYTES as u64)
            .saturating_add(INDEX_HEADER_BYTES as u64)
    }

    /// The entries in `index`, the bytes from `index_offset` to the footer. Each leaves room for a
    /// frame before the next one.
    pub fn decode_index(&self, index: &[u8]) -> Result<Vec<IndexEntry>, TraceError> {
        let place = Place {
            part: Part::Index,
            offset: self.index_offset,
        };
        let (expected, got) = (self.index_len(), index.len() as u64);
        let truncated = place.truncated(expected, got);
        let (header, entries) = index
            .split_first_chunk::<INDEX_HEADER_BYTES>()
            .ok_or(truncated)?;
        place.field("length", expected, got)?;
        place.checksum(self.index_crc, crc32fast::hash(index))?;
        place.magic(INDEX_MARKER, &bytes_at::<0, 4, _>(header))?;
        place.field("reserved", 0, u32_at::<INDEX_RESERVED_AT, _>(header).into())?;
        place.field("count", self.blocks, u64_at::<INDEX_COUNT_AT, _>(header))?;
        let (entries, _) = entries.as_chunks::<INDEX_ENTRY_BYTES>();
        let entries: Vec<_> = entries.iter().map(IndexEntry::decode).collect();
        self.check_entries(&entries, place)?;
        Ok(entries)
    }

    fn check_entries(&self, entries: &[IndexEntry], place: Place) -> Result<(), TraceError> {
        let first = entries
            .first()
            .map_or(self.index_offset, |entry| entry.offset);
        place.field(
            "offset of the first frame",
            TRACE_HEADER_BYTES as u64,
            first,
        )?;
        for pair in entries.windows(2) {
            if let [one, two] = pair
                && one.number >= two.number
            {
                return Err(TraceError::BlockOrder {
                    part: place.part,
                    offset: place.offset,
                    previous: one.number,
                    got: two.number,
                });
            }
        }
        let ends = entries.iter().skip(1).map(|entry| entry.offset);
        for (entry, end) in entries.iter().zip(ends.chain([self.index_offset])) {
            let least = entry.offset.saturating_add(FRAME_HEADER_BYTES as u64);
            place.at_least("end of a frame", least, end)?;
        }
        Ok(())
    }
}

impl IndexEntry {
    fn decode(bytes: &[u8; INDEX_ENTRY_BYTES]) -> Self {
        Self {
            number: BlockNumber(u64_at::<0, _>(bytes)),
            offset: u64_at::<8, _>(bytes),
        }
    }
}
