//! Reading and writing the parts of proofs. Lengths are checked before memory is taken.

use super::{Leaf, Node};
use alloy_primitives::B256;

/// Bytes that are not a proof. Offsets count from the start of the proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The bytes end too early.
    #[error("{part} at offset {offset}: expected {expected} bytes, got {got}")]
    Truncated {
        /// What was being read.
        part: &'static str,
        /// Where it starts.
        offset: u64,
        /// Bytes that it takes.
        expected: u64,
        /// Bytes that are there.
        got: u64,
    },
    /// A number is above what the format allows.
    #[error("{part} at offset {offset}: expected at most {limit}, got {got}")]
    TooLarge {
        /// What is counted.
        part: &'static str,
        /// Where the number starts.
        offset: u64,
        /// The limit.
        limit: u64,
        /// The number.
        got: u64,
    },
    /// The same could be written in another way, which is the one allowed; or it means nothing.
    #[error("{part} at offset {offset}: expected {expected}, got {got:#04x}")]
    Form {
        /// What was being read.
        part: &'static str,
        /// Where the byte in question is.
        offset: u64,
        /// What the format asks for.
        expected: &'static str,
        /// The byte.
        got: u8,
    },
    /// Bytes follow the proof.
    #[error("offset {offset}: expected the end, got {got} more bytes")]
    Trailing {
        /// Where the proof ends.
        offset: u64,
        /// Bytes behind it.
        got: u64,
    },
}

/// A leaf as proofs and archives write it: location, length, value without leading zero bytes.
#[derive(Clone, Copy, Debug)]
pub struct LeafBytes {
    bytes: [u8; Self::MAX],
    len: usize,
}

impl LeafBytes {
    /// Most bytes of a leaf.
    pub const MAX: usize = 65;

    /// The bytes of a leaf.
    pub fn new(leaf: &Leaf) -> Self {
        let zeros = leaf.value.iter().take_while(|&&byte| byte == 0).count();
        let mut bytes = [0; Self::MAX];
        bytes[..32].copy_from_slice(leaf.location.as_slice());
        bytes[32] = 32 - zeros as u8;
        let len = Self::MAX - zeros;
        bytes[33..len].copy_from_slice(&leaf.value[zeros..]);
        Self { bytes, len }
    }

    /// They.
    pub fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    /// The leaf at the front of `bytes`, which start at `offset` of what errors speak of, and its
    /// length.
    pub fn read(bytes: &[u8], offset: u64) -> Result<(Leaf, usize), DecodeError> {
        let mut reader = Reader {
            bytes,
            at: 0,
            base: offset,
        };
        Ok((reader.leaf()?, reader.at))
    }
}

pub(super) fn put_varint(out: &mut Vec<u8>, number: u64) {
    crate::varint::put(out, number);
}

pub(super) fn put_node(out: &mut Vec<u8>, node: &Node) {
    out.extend_from_slice(node.hash.as_slice());
    put_varint(out, node.count);
}

pub(super) fn put_leaf(out: &mut Vec<u8>, leaf: &Leaf) {
    out.extend_from_slice(LeafBytes::new(leaf).as_slice());
}

/// Takes one part after the other from the front.
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Offset of the first of `bytes`.
    base: u64,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            at: 0,
            base: 0,
        }
    }

    pub(super) const fn offset(&self) -> u64 {
        self.base.saturating_add(self.at as u64)
    }

    const fn remaining(&self) -> usize {
        self.bytes.len() - self.at
    }

    fn take(&mut self, part: &'static str, len: usize) -> Result<&'a [u8], DecodeError> {
        let Some(taken) = self.bytes[self.at..].get(..len) else {
            return Err(DecodeError::Truncated {
                part,
                offset: self.offset(),
                expected: len as u64,
                got: self.remaining() as u64,
            });
        };
        self.at += len;
        Ok(taken)
    }

    pub(super) fn byte(&mut self, part: &'static str) -> Result<u8, DecodeError> {
        Ok(self.take(part, 1)?[0])
    }

    fn hash(&mut self, part: &'static str) -> Result<B256, DecodeError> {
        Ok(B256::from_slice(self.take(part, 32)?))
    }

    fn varint(&mut self, part: &'static str) -> Result<u64, DecodeError> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let offset = self.offset();
            let got = self.byte(part)?;
            let form = |expected| DecodeError::Form {
                part,
                offset,
                expected,
                got,
            };
            if shift == 63 && got > 1 {
                return Err(form("a number below 2^64"));
            }
            if shift > 0 && got == 0 {
                return Err(form("the shortest form"));
            }
            number |= u64::from(got & 0x7f) << shift;
            if got < 0x80 {
                break;
            }
        }
        Ok(number)
    }

    /// A number of things, each of which takes some bits that follow: no more than `limit`.
    pub(super) fn count(&mut self, part: &'static str, limit: usize) -> Result<usize, DecodeError> {
        let offset = self.offset();
        let got = self.varint(part)?;
        match usize::try_from(got) {
            Ok(count) if count <= limit => Ok(count),
            _ => Err(DecodeError::TooLarge {
                part,
                offset,
                limit: limit as u64,
                got,
            }),
        }
    }

    /// `count` numbers of `bits` bits each (1 or 2), low bits of a byte first, the rest zero.
    pub(super) fn packed(
        &mut self,
        part: &'static str,
        count: usize,
        bits: usize,
    ) -> Result<impl Iterator<Item = u8> + use<'a>, DecodeError> {
        let each = 8 / bits;
        let offset = self.offset();
        let bytes = self.take(part, count.div_ceil(each))?;
        if let Some(&got) = bytes.last().filter(|_| !count.is_multiple_of(each))
            && got >> (bits * (count % each)) != 0
        {
            return Err(DecodeError::Form {
                part,
                offset: offset.saturating_add(bytes.len() as u64 - 1),
                expected: "zeros in the bits left over",
                got,
            });
        }
        let mask = (1 << bits) - 1;
        Ok((0..count).map(move |at| bytes[at / each] >> (bits * (at % each)) & mask))
    }

    pub(super) fn node(&mut self) -> Result<Node, DecodeError> {
        let hash = self.hash("hash")?;
        let offset = self.offset();
        let count = self.varint("count")?;
        if count == 0 {
            return Err(DecodeError::Form {
                part: "count",
                offset,
                expected: "at least 1",
                got: 0,
            });
        }
        Ok(Node { hash, count })
    }

    pub(super) fn leaf(&mut self) -> Result<Leaf, DecodeError> {
        let location = self.hash("location")?;
        let offset = self.offset();
        let len = self.byte("value length")?;
        if len > 32 {
            return Err(DecodeError::TooLarge {
                part: "value length",
                offset,
                limit: 32,
                got: len.into(),
            });
        }
        let offset = self.offset();
        let bytes = self.take("value", len.into())?;
        if bytes.first() == Some(&0) {
            return Err(DecodeError::Form {
                part: "value",
                offset,
                expected: "no leading zero byte",
                got: 0,
            });
        }
        let value = B256::left_padding_from(bytes);
        Ok(Leaf { location, value })
    }

    /// Nothing may follow.
    pub(super) const fn finish(&self) -> Result<(), DecodeError> {
        if self.remaining() > 0 {
            return Err(DecodeError::Trailing {
                offset: self.offset(),
                got: self.remaining() as u64,
            });
        }
        Ok(())
    }
}
