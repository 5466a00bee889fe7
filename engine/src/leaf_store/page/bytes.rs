//! Reading and writing the bytes of every format of the store: little-endian integers and varints.

use super::super::StoreError;
use core::fmt;
use std::path::Path;

/// Bytes that are not what the format asks for; says what was expected and what was found.
#[derive(Debug)]
pub(super) struct Malformed(String);

/// What decoding gives.
pub(super) type Parsed<T> = Result<T, Malformed>;

impl Malformed {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }

    /// `what` should be `expected`.
    pub(super) fn unequal(what: &str, expected: impl fmt::Display, got: impl fmt::Display) -> Self {
        Self(format!("{what}: expected {expected}, got {got}"))
    }

    /// As the error of the file `name` in `folder`, found at `place` in it.
    pub(super) fn at(self, folder: &Path, name: &str, place: impl fmt::Display) -> StoreError {
        StoreError::Corrupt {
            path: folder.join(name),
            message: format!("{place}: {}", self.0),
        }
    }
}

/// Bytes that are left to decode.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn take(&mut self, len: usize) -> Parsed<&'a [u8]> {
        let Some((taken, rest)) = self.rest.split_at_checked(len) else {
            return Err(Malformed::unequal("bytes", len, self.rest.len()));
        };
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Parsed<[u8; N]> {
        let bytes = self.take(N)?;
        Ok(bytes.try_into().expect("as many bytes were taken"))
    }

    pub(super) fn u8(&mut self) -> Parsed<u8> {
        Ok(self.array::<1>()?[0])
    }

    pub(super) fn u16(&mut self) -> Parsed<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self) -> Parsed<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Parsed<u64> {
        self.array().map(u64::from_le_bytes)
    }

    /// A varint that stands for a length of bytes that follow.
    pub(super) fn len(&mut self) -> Parsed<usize> {
        let mut at = 0;
        let Some(value) = varint(self.rest, &mut at) else {
            return Err(Malformed::new("a varint of at most 5 bytes expected"));
        };
        self.rest = &self.rest[at..];
        Ok(value as usize)
    }
}

/// Appends a varint: seven bits a byte, the lowest first, the top bit where more follow.
pub(super) fn put_varint(out: &mut Vec<u8>, value: u32) {
    thinstate_formats::varint::put(out, value.into());
}

/// Bytes that [`put_varint`] takes.
pub(super) fn varint_len(value: u32) -> usize {
    ((38 - (value | 1).leading_zeros()) / 7) as usize
}

/// The varint at `at`, which moves behind it.
#[inline]
pub(super) fn varint(bytes: &[u8], at: &mut usize) -> Option<u32> {
    let first = *bytes.get(*at)?;
    *at += 1;
    if first < 0x80 {
        return Some(u32::from(first));
    }
    let mut value = u64::from(first & 0x7f);
    for shift in [7, 14, 21, 28] {
        let byte = *bytes.get(*at)?;
        *at += 1;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return u32::try_from(value).ok();
        }
    }
    None
}

/// Bytes that two keys share at their beginning.
#[inline]
pub(super) fn shared_len(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_varint_is_read_as_it_was_written() {
        for value in (0..32)
            .flat_map(|bit| [(1_u32 << bit) - 1, 1 << bit])
            .chain([u32::MAX])
        {
            let mut bytes = Vec::new();
            put_varint(&mut bytes, value);
            assert_eq!(bytes.len(), varint_len(value));
            let mut at = 0;
            assert_eq!(varint(&bytes, &mut at), Some(value));
            assert_eq!(at, bytes.len());
            bytes.pop();
            assert_eq!(varint(&bytes, &mut 0), None);
        }
        assert_eq!(varint(&[0xff; 5], &mut 0), None);
    }
}
