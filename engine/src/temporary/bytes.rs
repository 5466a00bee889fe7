//! Numbers and values in as few bytes as they need, each in one way only.
//!
//! ```text
//! varint   LEB128: 7 bits a byte, low ones first; no superfluous zero byte at the end
//! value    length u8 (0 to 32) | the value big-endian without leading zero bytes
//! ```

use alloy_primitives::B256;

/// Bytes do not decode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("offset {offset}: expected {expected}")]
pub struct DecodeError {
    /// Where reading failed.
    pub offset: usize,
    /// What should have been there.
    pub expected: &'static str,
}

/// Appends a varint.
pub(super) fn put_varint(bytes: &mut Vec<u8>, number: u64) {
    thinstate_formats::varint::put(bytes, number);
}

/// Appends a value.
pub(super) fn put_value(bytes: &mut Vec<u8>, value: &B256) {
    let zeros = value.iter().take_while(|byte| **byte == 0).count();
    bytes.push((32 - zeros) as u8);
    bytes.extend_from_slice(&value[zeros..]);
}

/// Reads from the front of bytes that are not trusted.
#[derive(Clone, Debug)]
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// What has not been read.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    pub(super) const fn is_done(&self) -> bool {
        self.at == self.bytes.len()
    }

    /// The error that something else was expected here.
    pub(super) const fn expected(&self, expected: &'static str) -> DecodeError {
        DecodeError {
            offset: self.at,
            expected,
        }
    }

    /// The next `len` bytes.
    pub(super) fn take(
        &mut self,
        len: usize,
        expected: &'static str,
    ) -> Result<&'a [u8], DecodeError> {
        let taken = self.rest().get(..len).ok_or(self.expected(expected))?;
        self.at += len;
        Ok(taken)
    }

    /// The next `N` bytes.
    pub(super) fn array<const N: usize>(
        &mut self,
        expected: &'static str,
    ) -> Result<[u8; N], DecodeError> {
        let taken = self.rest().first_chunk().ok_or(self.expected(expected))?;
        self.at += N;
        Ok(*taken)
    }

    pub(super) fn hash(&mut self, expected: &'static str) -> Result<B256, DecodeError> {
        self.array(expected).map(B256::from)
    }

    pub(super) fn varint(&mut self, expected: &'static str) -> Result<u64, DecodeError> {
        let start = self.clone();
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let [byte] = self.array(expected)?;
            let bits = u64::from(byte & 0x7f);
            let superfluous = byte == 0 && shift > 0;
            if superfluous || (bits << shift) >> shift != bits {
                break;
            }
            number |= bits << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(start.expected(expected))
    }

    pub(super) fn value(&mut self) -> Result<B256, DecodeError> {
        let start = self.clone();
        let [len] = self.array("the length of a value")?;
        if len > 32 {
            return Err(start.expected("a value of at most 32 bytes"));
        }
        let bytes = self.take(usize::from(len), "a value")?;
        if bytes.first() == Some(&0) {
            return Err(start.expected("a value without leading zeros"));
        }
        Ok(B256::left_padding_from(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_number_has_two_encodings(number: u64, short in 0u64..300) {
            for number in [number, short, number >> 32] {
                let mut bytes = Vec::new();
                put_varint(&mut bytes, number);
                let mut reader = Reader::new(&bytes);
                prop_assert_eq!(reader.varint("a number"), Ok(number));
                prop_assert!(reader.is_done());
            }
        }

        #[test]
        fn whatever_decodes_is_what_it_would_be_encoded_as(bytes: Vec<u8>) {
            let mut reader = Reader::new(&bytes);
            if let Ok(number) = reader.varint("a number") {
                let mut again = Vec::new();
                put_varint(&mut again, number);
                prop_assert_eq!(&again[..], &bytes[..bytes.len() - reader.rest().len()]);
            }
            let mut reader = Reader::new(&bytes);
            if let Ok(value) = reader.value() {
                let mut again = Vec::new();
                put_value(&mut again, &value);
                prop_assert_eq!(&again[..], &bytes[..bytes.len() - reader.rest().len()]);
            }
        }
    }

    #[test]
    fn no_malformed_bytes_are_read() {
        let mut too_large = vec![0xff; 9];
        too_large.push(2);
        for bytes in [&[][..], &[0x80], &[0x80, 0], &too_large, &[0xff; 11]] {
            assert!(Reader::new(bytes).varint("a number").is_err(), "{bytes:?}");
        }
        for bytes in [&[][..], &[1], &[1, 0], &[2, 0, 1], &[33; 40]] {
            assert!(Reader::new(bytes).value().is_err(), "{bytes:?}");
        }
    }
}
