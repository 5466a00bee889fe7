//! Bytes that fill a run of pages by themselves: large values, directory chunks, the root.
//!
//! The bytes lie in the pages as they are, the rest of the last page is zeros. Their place, length
//! and checksum stand in what refers to them ([`Extent`], 12 bytes), so that a run that was
//! damaged, misdirected or never written is found out, whatever lay there before.

use super::bytes::{Malformed, Parsed};
use super::ids::{PageId, Run};

/// Where bytes lie, and what they are. The default is nowhere.
#[derive(Default, Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) start: PageId,
    pub(super) bytes: u32,
    pub(super) checksum: u32,
}

impl Extent {
    /// Nowhere.
    pub(super) const NONE: Self = Self {
        start: PageId::NONE,
        bytes: 0,
        checksum: 0,
    };

    /// Pages that `bytes` take.
    pub(super) fn pages_of(bytes: usize, page_bytes: usize) -> u32 {
        bytes.div_ceil(page_bytes) as u32
    }

    pub(super) fn run(&self, page_bytes: usize) -> Run {
        Run {
            start: self.start.0,
            pages: Self::pages_of(self.bytes as usize, page_bytes),
        }
    }

    /// Whether `bytes` are those that were written.
    pub(super) fn check(&self, bytes: &[u8]) -> Parsed<()> {
        let checksum = crc32fast::hash(bytes);
        if checksum != self.checksum {
            return Err(Malformed::unequal("checksum", self.checksum, checksum));
        }
        Ok(())
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.start.0.to_le_bytes());
        out.extend_from_slice(&self.bytes.to_le_bytes());
        out.extend_from_slice(&self.checksum.to_le_bytes());
    }

    /// The extent that [`Self::write`] wrote; `None` if these are not 12 bytes.
    #[inline]
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let ([start, length, checksum], []) = bytes.as_chunks::<4>() else {
            return None;
        };
        Some(Self {
            start: PageId(u32::from_le_bytes(*start)),
            bytes: u32::from_le_bytes(*length),
            checksum: u32::from_le_bytes(*checksum),
        })
    }
}
