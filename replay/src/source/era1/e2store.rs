//! The container under era1: a row of typed, length-prefixed records.
//!
//! ```text
//! record = | type u16 | length u32 | reserved u16 = 0 | payload, length bytes |      little-endian
//! ```
//!
//! Parsing borrows from the file's bytes and allocates nothing. A record is handed out only when
//! all of its payload is there.

use std::fmt;

use super::error::{Era1Fault, Located};

/// Type of an e2store record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RecordKind(pub u16);

impl RecordKind {
    /// First record of the file, without payload.
    pub const VERSION: Self = Self(0x3265);
    /// Framed snappy of a header's RLP.
    pub const COMPRESSED_HEADER: Self = Self(0x03);
    /// Framed snappy of a body's RLP.
    pub const COMPRESSED_BODY: Self = Self(0x04);
    /// Framed snappy of the RLP list of a block's receipts.
    pub const COMPRESSED_RECEIPTS: Self = Self(0x05);
    /// 32 bytes, little-endian.
    pub const TOTAL_DIFFICULTY: Self = Self(0x06);
    /// 32 bytes, SSZ root.
    pub const ACCUMULATOR: Self = Self(0x07);
    /// Last record of the file.
    pub const BLOCK_INDEX: Self = Self(0x3266);

    /// The type's name in the era1 specification, `None` for types foreign to it.
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Self::VERSION => Some("Version"),
            Self::COMPRESSED_HEADER => Some("CompressedHeader"),
            Self::COMPRESSED_BODY => Some("CompressedBody"),
            Self::COMPRESSED_RECEIPTS => Some("CompressedReceipts"),
            Self::TOTAL_DIFFICULTY => Some("TotalDifficulty"),
            Self::ACCUMULATOR => Some("Accumulator"),
            Self::BLOCK_INDEX => Some("BlockIndex"),
            _ => None,
        }
    }
}

impl fmt::Display for RecordKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({:#06x})", self.name().unwrap_or("foreign"), self.0)
    }
}

/// Bytes of a record before its payload.
pub(super) const RECORD_HEADER_BYTES: usize = 8;

/// One whole record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record<'a> {
    /// Where its header starts in the file.
    pub(super) offset: u64,
    pub(super) kind: RecordKind,
    pub(super) payload: &'a [u8],
}

impl<'a> Record<'a> {
    /// Where the payload starts in the file.
    pub(super) const fn payload_offset(&self) -> u64 {
        self.offset + RECORD_HEADER_BYTES as u64
    }

    /// The payload of a record whose length is fixed.
    pub(super) fn payload_exact<const N: usize>(&self) -> Result<[u8; N], Located> {
        self.payload.try_into().map_err(|_| self.wrong_length(N))
    }

    /// The fault of a payload that should have been `expected` bytes long.
    pub(super) const fn wrong_length(&self, expected: usize) -> Located {
        let (expected, got) = (expected as u64, self.payload.len() as u64);
        Era1Fault::RecordLength {
            kind: self.kind,
            expected,
            got,
        }
        .at(self.offset)
    }

    /// The fault of a record that stands where `expected` should.
    pub(super) const fn unexpected(&self, expected: &'static str) -> Located {
        Era1Fault::RecordUnexpected {
            expected,
            got: self.kind,
        }
        .at(self.offset)
    }
}

/// Reads records one after the other.
#[derive(Clone, Debug)]
pub(super) struct Records<'a> {
    rest: &'a [u8],
    offset: u64,
}

impl<'a> Records<'a> {
    /// Records from `offset` on; none where the offset lies behind the end.
    pub(super) fn from_offset(file: &'a [u8], offset: u64) -> Self {
        let rest = usize::try_from(offset)
            .ok()
            .and_then(|at| file.get(at..))
            .unwrap_or_default();
        Self { rest, offset }
    }

    /// Bytes not yet read.
    pub(super) const fn bytes_left(&self) -> u64 {
        self.rest.len() as u64
    }

    /// Where the next record starts.
    pub(super) const fn offset(&self) -> u64 {
        self.offset
    }

    /// The next record, whatever its type; `expected` is what the error says if the file ends here.
    pub(super) fn next_record(&mut self, expected: &'static str) -> Result<Record<'a>, Located> {
        if self.rest.is_empty() {
            return Err(Era1Fault::RecordMissing { expected }.at(self.offset));
        }
        let record = self.peek()?;
        let taken = RECORD_HEADER_BYTES + record.payload.len();
        self.rest = self.rest.get(taken..).unwrap_or_default();
        self.offset += taken as u64;
        Ok(record)
    }

    /// The next record, which must be of this type.
    pub(super) fn next_of(&mut self, kind: RecordKind) -> Result<Record<'a>, Located> {
        let expected = kind.name().unwrap_or("foreign");
        let record = self.next_record(expected)?;
        if record.kind == kind {
            Ok(record)
        } else {
            Err(record.unexpected(expected))
        }
    }

    /// Whether a record of this type comes next, be it whole or not.
    pub(super) fn next_is(&self, kind: RecordKind) -> bool {
        self.rest.starts_with(&kind.0.to_le_bytes())
    }

    fn peek(&self) -> Result<Record<'a>, Located> {
        let Some((header, rest)) = self.rest.split_first_chunk::<RECORD_HEADER_BYTES>() else {
            return Err(Era1Fault::RecordHeaderTruncated {
                got: self.bytes_left(),
            }
            .at(self.offset));
        };
        let [k0, k1, l0, l1, l2, l3, r0, r1] = *header;
        let kind = RecordKind(u16::from_le_bytes([k0, k1]));
        let reserved = u16::from_le_bytes([r0, r1]);
        if reserved != 0 {
            return Err(Era1Fault::ReservedNotZero {
                kind,
                got: reserved,
            }
            .at(self.offset));
        }
        let length = u32::from_le_bytes([l0, l1, l2, l3]);
        let payload = usize::try_from(length)
            .ok()
            .and_then(|length| rest.get(..length));
        let Some(payload) = payload else {
            let (expected, got) = (u64::from(length), rest.len() as u64);
            return Err(Era1Fault::RecordTruncated {
                kind,
                expected,
                got,
            }
            .at(self.offset));
        };
        Ok(Record {
            offset: self.offset,
            kind,
            payload,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example record of the e2store specification.
    const EXAMPLE: [u8; 12] = [0x22, 0x32, 4, 0, 0, 0, 0, 0, 1, 2, 3, 4];

    fn first(bytes: &[u8]) -> Result<(RecordKind, Vec<u8>), Located> {
        let mut records = Records::from_offset(bytes, 0);
        records
            .next_record("a record")
            .map(|r| (r.kind, r.payload.to_vec()))
    }

    #[test]
    fn the_specifications_example_is_not_misread() {
        assert_eq!(first(&EXAMPLE), Ok((RecordKind(0x3222), vec![1, 2, 3, 4])));
    }

    #[test]
    fn a_cut_record_is_not_handed_out() {
        let kind = RecordKind(0x3222);
        for cut in 0..EXAMPLE.len() {
            let got = cut as u64;
            let fault = match cut {
                0 => Era1Fault::RecordMissing {
                    expected: "a record",
                },
                1..8 => Era1Fault::RecordHeaderTruncated { got },
                _ => Era1Fault::RecordTruncated {
                    kind,
                    expected: 4,
                    got: got - 8,
                },
            };
            assert_eq!(first(&EXAMPLE[..cut]), Err(fault.at(0)), "cut at {cut}");
        }
    }

    #[test]
    fn a_reserved_field_is_not_ignored() {
        let mut bytes = EXAMPLE;
        bytes[7] = 1;
        let fault = Era1Fault::ReservedNotZero {
            kind: RecordKind(0x3222),
            got: 0x100,
        };
        assert_eq!(first(&bytes), Err(fault.at(0)));
    }

    #[test]
    fn an_offset_behind_the_end_is_not_read() {
        for offset in [13, u64::MAX] {
            let mut records = Records::from_offset(&EXAMPLE, offset);
            let fault = Era1Fault::RecordMissing {
                expected: "Version",
            };
            assert_eq!(
                records.next_of(RecordKind::VERSION).err(),
                Some(fault.at(offset))
            );
        }
    }
}
