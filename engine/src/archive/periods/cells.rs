//! Cells at fixed places. A cell that would reach past its part does not compile.

use super::fault::{Part, SegmentFault};

/// The `N` bytes at `AT`.
pub(super) fn bytes_at<const AT: usize, const N: usize, const LEN: usize>(
    part: &[u8; LEN],
) -> [u8; N] {
    const { assert!(AT + N <= LEN, "a cell lies inside its part") };
    let mut cell = [0; N];
    cell.copy_from_slice(&part[AT..AT + N]);
    cell
}

/// The u32 at `AT`.
pub(super) fn u32_at<const AT: usize, const LEN: usize>(part: &[u8; LEN]) -> u32 {
    u32::from_le_bytes(bytes_at::<AT, 4, LEN>(part))
}

/// The u64 at `AT`.
pub(super) fn u64_at<const AT: usize, const LEN: usize>(part: &[u8; LEN]) -> u64 {
    u64::from_le_bytes(bytes_at::<AT, 8, LEN>(part))
}

/// Writes a cell at `AT`.
pub(super) fn put<const AT: usize, const N: usize, const LEN: usize>(
    part: &mut [u8; LEN],
    cell: [u8; N],
) {
    const { assert!(AT + N <= LEN, "a cell lies inside its part") };
    part[AT..AT + N].copy_from_slice(&cell);
}

/// Writes the checksum of what lies before `AT` there. It ends the part.
pub(super) fn seal<const AT: usize, const LEN: usize>(part: &mut [u8; LEN]) {
    const { assert!(AT + 4 == LEN, "the checksum ends its part") };
    let crc = crc32fast::hash(&part[..AT]);
    put::<AT, 4, LEN>(part, crc.to_le_bytes());
}

/// A part that is being read, and where it starts: what its faults have in common.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) part: Part,
    pub(super) offset: u64,
}

impl Place {
    pub(super) fn magic(self, expected: &[u8], got: &[u8]) -> Result<(), SegmentFault> {
        if expected == got {
            return Ok(());
        }
        Err(SegmentFault::Magic {
            part: self.part,
            offset: self.offset,
            expected: expected.escape_ascii().to_string(),
            got: got.escape_ascii().to_string(),
        })
    }

    pub(super) fn checksum(self, expected: u32, got: u32) -> Result<(), SegmentFault> {
        if expected == got {
            return Ok(());
        }
        Err(SegmentFault::Checksum {
            part: self.part,
            offset: self.offset,
            expected,
            got,
        })
    }

    pub(super) fn field(
        self,
        field: &'static str,
        expected: u64,
        got: u64,
    ) -> Result<(), SegmentFault> {
        if expected == got {
            return Ok(());
        }
        Err(SegmentFault::Field {
            part: self.part,
            offset: self.offset,
            field,
            expected,
            got,
        })
    }

    pub(super) const fn truncated(self, expected: u64, got: u64) -> SegmentFault {
        SegmentFault::Truncated {
            part: self.part,
            offset: self.offset,
            expected,
            got,
        }
    }
}
