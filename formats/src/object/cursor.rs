//! Reads fields one after another, and says where one is wrong.

use super::{DecodeError, varint};
use alloy_primitives::{Address, U256};

/// The bytes of an object, and how far they are read.
#[derive(Debug)]
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    offset: usize,
}

/// A number and its limit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Number {
    pub(super) field: &'static str,
    pub(super) max_bytes: usize,
    pub(super) expected: &'static str,
}

impl<'a> Cursor<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, offset: 0 }
    }

    pub(super) const fn offset(&self) -> usize {
        self.offset
    }

    fn left(&self) -> &'a [u8] {
        self.bytes.get(self.offset..).unwrap_or_default()
    }

    fn take(&mut self, field: &'static str, len: usize) -> Result<&'a [u8], DecodeError> {
        let left = self.left();
        let taken = left.get(..len).ok_or(DecodeError::Truncated {
            field,
            offset: self.offset,
            expected: len,
            got: left.len(),
        })?;
        self.offset += len;
        Ok(taken)
    }

    pub(super) fn byte(&mut self, field: &'static str) -> Result<u8, DecodeError> {
        self.take(field, 1).map(|bytes| bytes[0])
    }

    pub(super) fn address(&mut self, field: &'static str) -> Result<Address, DecodeError> {
        self.take(field, 20).map(Address::from_slice)
    }

    pub(super) fn varint(&mut self, field: &'static str) -> Result<u64, DecodeError> {
        let (offset, left) = (self.offset, self.left());
        match varint::read(left) {
            varint::Read::Number(number, used) => {
                self.offset += used;
                Ok(number)
            }
            varint::Read::Truncated => Err(DecodeError::Truncated {
                field,
                offset,
                expected: left.len() + 1,
                got: left.len(),
            }),
            varint::Read::Long => Err(DecodeError::Varint { field, offset }),
        }
    }

    /// A number behind its length.
    pub(super) fn short(&mut self, number: Number) -> Result<U256, DecodeError> {
        let len = usize::from(self.byte(number.field)?);
        self.number(number, len)
    }

    /// A number that takes all that is left.
    pub(super) fn rest(&mut self, number: Number) -> Result<U256, DecodeError> {
        self.number(number, self.left().len())
    }

    fn number(&mut self, number: Number, len: usize) -> Result<U256, DecodeError> {
        let (field, offset) = (number.field, self.offset);
        if len > number.max_bytes {
            return Err(DecodeError::TooLarge {
                field,
                offset,
                expected: number.expected,
                got: len,
            });
        }
        let bytes = self.take(field, len)?;
        if bytes.first() == Some(&0) {
            return Err(DecodeError::LeadingZero { field, offset });
        }
        Ok(U256::from_be_slice(bytes))
    }
}

/// Appends a number behind its length.
pub(super) fn write_short(number: U256, out: &mut Vec<u8>) {
    out.push(number.byte_len() as u8);
    write_rest(number, out);
}

/// Appends a number that nothing follows.
pub(super) fn write_rest(number: U256, out: &mut Vec<u8>) {
    out.extend_from_slice(&number.to_be_bytes::<32>()[32 - number.byte_len()..]);
}
