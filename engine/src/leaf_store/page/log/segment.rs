//! A file of the log.
//!
//! ```text
//! 0   magic "tsLOG  \n"
//! 8   format version, 4 bytes
//! 12  crc32 of all the other bytes of the header
//! 16  number of the segment, 8 bytes
//! 24  0, 8 bytes
//! 32  records
//! ```

use super::super::super::StoreError;
use super::super::bytes::{Malformed, Parsed, Reader};
use super::super::folder::{Folder, SegmentId, SharedFile};

pub(in super::super) const HEADER: usize = 32;
const MAGIC: [u8; 8] = *b"tsLOG  \n";
const VERSION: u32 = 1;

fn header(segment: SegmentId) -> [u8; HEADER] {
    let mut bytes = [0; HEADER];
    bytes[..8].copy_from_slice(&MAGIC);
    bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
    bytes[16..24].copy_from_slice(&segment.0.to_le_bytes());
    let checksum = checksum(&bytes);
    bytes[12..16].copy_from_slice(&checksum.to_le_bytes());
    bytes
}

fn checksum(header: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&header[..12]);
    hasher.update(&header[16..HEADER]);
    hasher.finalize()
}

/// Makes an empty segment, durably. A file of that name holds nothing that counts.
pub(in super::super) fn create(
    folder: &Folder,
    segment: SegmentId,
) -> Result<SharedFile, StoreError> {
    let file = folder.segment(segment)?;
    file.set_len(0)?;
    write_header(segment, &file)?;
    folder.sync()?;
    Ok(file)
}

/// Writes the first bytes of a segment, durably.
pub(super) fn write_header(segment: SegmentId, file: &SharedFile) -> Result<(), StoreError> {
    file.write_at(0, &header(segment))?;
    file.sync()
}

/// Whether these are the first bytes of the segment.
pub(super) fn check(bytes: &[u8], segment: SegmentId) -> Parsed<()> {
    let mut reader = Reader::new(bytes);
    if reader.take(8)? != MAGIC {
        return Err(Malformed::new("not a log of pages: magic expected"));
    }
    let version = reader.u32()?;
    if version != VERSION {
        return Err(Malformed::unequal("log version", VERSION, version));
    }
    let stored = reader.u32()?;
    let number = reader.u64()?;
    reader.take(8)?;
    let checksum = checksum(bytes);
    if stored != checksum {
        return Err(Malformed::unequal("checksum", checksum, stored));
    }
    if number != segment.0 {
        return Err(Malformed::unequal("segment", segment.0, number));
    }
    Ok(())
}
