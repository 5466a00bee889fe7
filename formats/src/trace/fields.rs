//! Fields at fixed places of fixed headers. A field that would reach past its header does not compile.

use super::{Part, TraceError};

/// The `N` bytes at `AT`.
pub(super) fn bytes_at<const AT: usize, const N: usize, const LEN: usize>(
    header: &[u8; LEN],
) -> [u8; N] {
    const { assert!(AT + N <= LEN, "a field lies inside its header") };
    let mut field = [0; N];
    field.copy_from_slice(&header[AT..AT + N]);
    field
}

/// The u16 at `AT`.
pub(super) fn u16_at<const AT: usize, const LEN: usize>(header: &[u8; LEN]) -> u16 {
    u16::from_le_bytes(bytes_at::<AT, 2, LEN>(header))
}

/// The u32 at `AT`.
pub(super) fn u32_at<const AT: usize, const LEN: usize>(header: &[u8; LEN]) -> u32 {
    u32::from_le_bytes(bytes_at::<AT, 4, LEN>(header))
}

/// The u64 at `AT`.
pub(super) fn u64_at<const AT: usize, const LEN: usize>(header: &[u8; LEN]) -> u64 {
    u64::from_le_bytes(bytes_at::<AT, 8, LEN>(header))
}

/// Writes `field` at `AT`.
pub(super) fn put<const AT: usize, const N: usize, const LEN: usize>(
    header: &mut [u8; LEN],
    field: [u8; N],
) {
    const { assert!(AT + N <= LEN, "a field lies inside its header") };
    header[AT..AT + N].copy_from_slice(&field);
}

/// The CRC-32 of the header's bytes before `AT`, where it is stored.
pub(super) fn crc_before<const AT: usize, const LEN: usize>(header: &[u8; LEN]) -> u32 {
    const { assert!(AT + 4 <= LEN, "the checksum lies inside its header") };
    crc32fast::hash(&header[..AT])
}

/// Stores the CRC-32 of the header's bytes before `AT` at `AT`.
pub(super) fn seal<const AT: usize, const LEN: usize>(header: &mut [u8; LEN]) {
    let crc = crc_before::<AT, LEN>(header);
    put::<AT, 4, LEN>(header, crc.to_le_bytes());
}

/// The part of a file that is being read, and where it starts: what its errors have in common.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) part: Part,
    pub(super) offset: u64,
}

impl Place {
    pub(super) fn magic(self, expected: &[u8], got: &[u8]) -> Result<(), TraceError> {
        if expected == got {
            return Ok(());
        }
        Err(TraceError::Magic {
            part: self.part,
            offset: self.offset,
            expected: expected.escape_ascii().to_string(),
            got: got.escape_ascii().to_string(),
        })
    }

    pub(super) fn checksum(self, expected: u32, got: u32) -> Result<(), TraceError> {
        if expected == got {
            return Ok(());
        }
        Err(TraceError::Checksum {
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
    ) -> Result<(), TraceError> {
        if expected == got {
            return Ok(());
        }
        Err(TraceError::Field {
            part: self.part,
            offset: self.offset,
            field,
            expected,
            got,
        })
    }

    pub(super) fn at_most(
        self,
        field: &'static str,
        limit: u64,
        got: u64,
    ) -> Result<(), TraceError> {
        if got <= limit {
            return Ok(());
        }
        Err(TraceError::TooLarge {
            part: self.part,
            offset: self.offset,
            field,
            limit,
            got,
        })
    }

    pub(super) fn at_least(
        self,
        field: &'static str,
        least: u64,
        got: u64,
    ) -> Result<(), TraceError> {
        if got >= least {
            return Ok(());
        }
        self.field(field, least, got)
    }

    pub(super) const fn truncated(self, expected: u64, got: u64) -> TraceError {
        TraceError::Truncated {
            part: self.part,
            offset: self.offset,
            expected,
            got,
        }
    }
}
