//! Header, frames and trailer of a batch's file.

use super::RecordArchiveError;
use std::path::Path;
use thinstate_formats::{BatchId, BlockNumber, HashKind, RecordIndex, record::RecordRange};

const MAGIC: &[u8; 8] = b"thinrecs";
const SEAL: &[u8; 8] = b"thinseal";
const VERSION: u32 = 1;
pub(super) const HEADER_LEN: usize = 32;
pub(super) const FRAME_LEN: usize = 32;
pub(super) const TRAILER_LEN: usize = 40;
/// Bytes of a frame in the footer's directory.
pub(super) const ENTRY_LEN: usize = 28;
/// Bytes of a record in the footer's index of owners.
pub(super) const OWNER_LEN: usize = 16;

const _: () = assert!(8 + 4 + 4 + 8 + 1 + 3 + 4 == HEADER_LEN);
const _: () = assert!(8 + 8 + 4 + 4 + 4 + 4 == FRAME_LEN);
const _: () = assert!(8 + 4 + 8 + 1 + 3 + 4 + 4 + 8 == TRAILER_LEN);

type Result<T> = core::result::Result<T, RecordArchiveError>;

/// What all files of an archive have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kind {
    pub(super) ring_len: u32,
    pub(super) hash: HashKind,
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let mut number = [0; 4];
    number.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(number)
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let mut number = [0; 8];
    number.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(number)
}

pub(super) fn header(kind: Kind, batch: BatchId) -> [u8; HEADER_LEN] {
    let mut bytes = [0; HEADER_LEN];
    bytes[..8].copy_from_slice(MAGIC);
    bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
    bytes[12..16].copy_from_slice(&kind.ring_len.to_le_bytes());
    bytes[16..24].copy_from_slice(&batch.0.to_le_bytes());
    bytes[24] = kind.hash.id();
    let checksum = crc32fast::hash(&bytes[..28]);
    bytes[28..].copy_from_slice(&checksum.to_le_bytes());
    bytes
}

/// Checks that a file begins as one of this batch does.
pub(super) fn check_header(
    path: &Path,
    kind: Kind,
    batch: BatchId,
    got: &[u8; HEADER_LEN],
) -> Result<()> {
    let expected = header(kind, batch);
    if *got == expected {
        return Ok(());
    }
    let hex = |bytes: &[u8]| alloy_primitives::hex::encode(bytes);
    let what = match (&got[..8] == MAGIC, u32_at(got, 8) == VERSION) {
        (false, _) => "not a file of records",
        (true, false) => "unknown version",
        (true, true) => "header of another batch, ring or hash function",
    };
    Err(RecordArchiveError::corrupt(
        path,
        0,
        what,
        hex(got),
        hex(&expected),
    ))
}

/// What a frame begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) range: RecordRange,
    /// Bytes of the body.
    pub(super) len: u32,
    pub(super) checksum: u32,
}

impl Frame {
    pub(super) fn encode(&self) -> [u8; FRAME_LEN] {
        let mut bytes = [0; FRAME_LEN];
        bytes[..8].copy_from_slice(&self.range.block.0.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.range.first_index.0.to_le_bytes());
        bytes[16..20].copy_from_slice(&self.range.count.to_le_bytes());
        bytes[20..24].copy_from_slice(&self.len.to_le_bytes());
        bytes[24..28].copy_from_slice(&self.checksum.to_le_bytes());
        let checksum = crc32fast::hash(&bytes[..28]);
        bytes[28..].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    pub(super) fn decode(path: &Path, offset: u64, bytes: &[u8; FRAME_LEN]) -> Result<Self> {
        let (got, expected) = (u32_at(bytes, 28), crc32fast::hash(&bytes[..28]));
        if got != expected {
            let what = "checksum of a frame's head";
            return Err(RecordArchiveError::corrupt(
                path, offset, what, got, expected,
            ));
        }
        let frame = Self {
            range: RecordRange {
                block: BlockNumber(u64_at(bytes, 0)),
                first_index: RecordIndex(u64_at(bytes, 8)),
                count: u32_at(bytes, 16),
            },
            len: u32_at(bytes, 20),
            checksum: u32_at(bytes, 24),
        };
        if u64::from(frame.len) < 4 * u64::from(frame.range.count) {
            let (got, expected) = (frame.len, "the ends of its records at least");
            let what = "bytes of a frame";
            return Err(RecordArchiveError::corrupt(
                path, offset, what, got, expected,
            ));
        }
        Ok(frame)
    }
}

/// A frame, and where it lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) range: RecordRange,
    pub(super) offset: u64,
}

impl Entry {
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.range.block.0.to_le_bytes());
        out.extend_from_slice(&self.offset.to_le_bytes());
        out.extend_from_slice(&self.range.first_index.0.to_le_bytes());
        out.extend_from_slice(&self.range.count.to_le_bytes());
    }

    pub(super) fn decode(bytes: &[u8; ENTRY_LEN]) -> Self {
        Self {
            range: RecordRange {
                block: BlockNumber(u64_at(bytes, 0)),
                first_index: RecordIndex(u64_at(bytes, 16)),
                count: u32_at(bytes, 24),
            },
            offset: u64_at(bytes, 8),
        }
    }
}

/// The end of a sealed file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Trailer {
    /// Where frames end and the footer begins.
    pub(super) frames_end: u64,
    pub(super) frames: u32,
    pub(super) owners: u64,
    pub(super) indexed: bool,
    /// Of the footer.
    pub(super) checksum: u32,
}

impl Trailer {
    pub(super) fn encode(&self) -> [u8; TRAILER_LEN] {
        let mut bytes = [0; TRAILER_LEN];
        bytes[..8].copy_from_slice(&self.frames_end.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.frames.to_le_bytes());
        bytes[12..20].copy_from_slice(&self.owners.to_le_bytes());
        bytes[20] = u8::from(self.indexed);
        bytes[24..28].copy_from_slice(&self.checksum.to_le_bytes());
        let checksum = crc32fast::hash(&bytes[..28]);
        bytes[28..32].copy_from_slice(&checksum.to_le_bytes());
        bytes[32..].copy_from_slice(SEAL);
        bytes
    }

    /// The trailer of a file of `file_len` bytes, whose footer fits before it exactly.
    pub(super) fn decode(
        path: &Path,
        kind: Kind,
        file_len: u64,
        bytes: &[u8; TRAILER_LEN],
    ) -> Result<Self> {
        let offset = file_len.saturating_sub(TRAILER_LEN as u64);
        let (got, expected) = (u32_at(bytes, 28), crc32fast::hash(&bytes[..28]));
        if bytes[32..] != SEAL[..] || got != expected {
            let what = "not sealed, checksum of the trailer";
            return Err(RecordArchiveError::corrupt(
                path, offset, what, got, expected,
            ));
        }
        let trailer = Self {
            frames_end: u64_at(bytes, 0),
            frames: u32_at(bytes, 8),
            owners: u64_at(bytes, 12),
            indexed: bytes[20] == 1,
            checksum: u32_at(bytes, 24),
        };
        let footer = trailer.footer_len(kind);
        let end = footer.and_then(|footer| trailer.frames_end.checked_add(footer));
        if end != Some(offset) || trailer.frames_end < HEADER_LEN as u64 {
            let what = "the footer does not end where the trailer begins";
            return Err(RecordArchiveError::corrupt(
                path,
                offset,
                what,
                format!("{end:?}"),
                offset,
            ));
        }
        Ok(trailer)
    }

    /// Bytes of the footer.
    fn footer_len(&self, kind: Kind) -> Option<u64> {
        let owners = self.owners.checked_mul(OWNER_LEN as u64)?;
        let frames = u64::from(self.frames) * ENTRY_LEN as u64;
        owners.checked_add(frames + 32 * u64::from(kind.ring_len))
    }
}
