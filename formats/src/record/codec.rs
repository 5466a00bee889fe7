//! Records and their bytes.

use crate::{NodeHasher, RecordIndex};
use alloy_primitives::{Address, B256, Bytes};

/// Most bytes of a payload.
pub const PAYLOAD_BYTES_MAX: usize = 64;
/// Bytes of an encoded record before its payload.
const HEAD_LEN: usize = 50;
const INDEX_LEN: usize = 8;

/// A record that has an index.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Record {
    /// Its index.
    pub index: RecordIndex,
    /// The class of the object that it holds.
    pub class: u8,
    /// The contract whose record it is.
    pub contract: Address,
    /// Who may spend it.
    pub owner: Address,
    /// The object, encoded; at most [`PAYLOAD_BYTES_MAX`] bytes.
    pub payload: Bytes,
}

/// A record that is to be appended.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NewRecord {
    /// The class of the object that it holds.
    pub class: u8,
    /// The contract whose record it is.
    pub contract: Address,
    /// Who may spend it.
    pub owner: Address,
    /// The object, encoded; at most [`PAYLOAD_BYTES_MAX`] bytes.
    pub payload: Bytes,
}

/// A payload is too long for a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("payload of {got} bytes, expected at most 64")]
pub struct PayloadTooLong {
    /// Its bytes.
    pub got: usize,
}

/// Bytes are not those of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordDecodeError {
    /// They end too early.
    #[error("a record ends at byte {got}, expected {expected}")]
    Short {
        /// Bytes there are.
        got: usize,
        /// Bytes that are needed.
        expected: usize,
    },
    /// The payload is too long.
    #[error(transparent)]
    Payload(#[from] PayloadTooLong),
    /// Something follows the record.
    #[error("{got} bytes follow a record")]
    Trailing {
        /// How many bytes.
        got: usize,
    },
}

impl NewRecord {
    /// The record that this becomes.
    pub fn at(self, index: RecordIndex) -> Record {
        Record {
            index,
            class: self.class,
            contract: self.contract,
            owner: self.owner,
            payload: self.payload,
        }
    }

    /// What is hashed for the record that this becomes.
    pub fn leaf_message(&self, index: RecordIndex) -> Result<[u8; 128], PayloadTooLong> {
        leaf_message(
            index,
            self.class,
            &self.contract,
            &self.owner,
            &self.payload,
        )
    }

    /// Bytes of its encoding.
    pub const fn encoded_len(&self) -> usize {
        HEAD_LEN - INDEX_LEN + self.payload.0.len()
    }

    /// Appends its bytes to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), PayloadTooLong> {
        let len = payload_len(&self.payload)?;
        out.push(self.class);
        out.extend_from_slice(self.contract.as_slice());
        out.extend_from_slice(self.owner.as_slice());
        out.push(len);
        out.extend_from_slice(&self.payload);
        Ok(())
    }

    /// The record that these bytes are, all of them.
    pub fn decode(bytes: &[u8]) -> Result<Self, RecordDecodeError> {
        let (record, used) = Self::decode_first(bytes)?;
        all_used(bytes, used)?;
        Ok(record)
    }

    /// The record that the bytes begin with, and how many of them it takes.
    pub fn decode_first(bytes: &[u8]) -> Result<(Self, usize), RecordDecodeError> {
        decode_body(bytes, 0)
    }
}

impl Record {
    /// What is hashed for the record.
    pub fn leaf_message(&self) -> Result<[u8; 128], PayloadTooLong> {
        leaf_message(
            self.index,
            self.class,
            &self.contract,
            &self.owner,
            &self.payload,
        )
    }

    /// The record's hash: a leaf of its block's tree.
    pub fn leaf_hash(&self, hasher: &NodeHasher) -> Result<B256, PayloadTooLong> {
        Ok(hasher.hash(&self.leaf_message()?))
    }

    /// Bytes of its encoding.
    pub const fn encoded_len(&self) -> usize {
        HEAD_LEN + self.payload.0.len()
    }

    /// Appends its bytes to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), PayloadTooLong> {
        let message = self.leaf_message()?;
        out.extend_from_slice(&message[..HEAD_LEN + self.payload.len()]);
        Ok(())
    }

    /// The record that these bytes are, all of them.
    pub fn decode(bytes: &[u8]) -> Result<Self, RecordDecodeError> {
        let (record, used) = Self::decode_first(bytes)?;
        all_used(bytes, used)?;
        Ok(record)
    }

    /// The record that the bytes begin with, and how many of them it takes.
    pub fn decode_first(bytes: &[u8]) -> Result<(Self, usize), RecordDecodeError> {
        let short = RecordDecodeError::Short {
            got: bytes.len(),
            expected: HEAD_LEN,
        };
        let (index, body) = bytes.split_first_chunk::<INDEX_LEN>().ok_or(short)?;
        let index = RecordIndex(u64::from_le_bytes(*index));
        let (record, used) = decode_body(body, INDEX_LEN)?;
        Ok((record.at(index), INDEX_LEN + used))
    }
}

fn leaf_message(
    index: RecordIndex,
    class: u8,
    contract: &Address,
    owner: &Address,
    payload: &[u8],
) -> Result<[u8; 128], PayloadTooLong> {
    let len = payload_len(payload)?;
    let mut message = [0; 128];
    message[..8].copy_from_slice(&index.0.to_le_bytes());
    message[8] = class;
    message[9..29].copy_from_slice(contract.as_slice());
    message[29..49].copy_from_slice(owner.as_slice());
    message[49] = len;
    message[HEAD_LEN..HEAD_LEN + payload.len()].copy_from_slice(payload);
    Ok(message)
}

fn payload_len(payload: &[u8]) -> Result<u8, PayloadTooLong> {
    let got = payload.len();
    match u8::try_from(got) {
        Ok(len) if got <= PAYLOAD_BYTES_MAX => Ok(len),
        _ => Err(PayloadTooLong { got }),
    }
}

const fn all_used(bytes: &[u8], used: usize) -> Result<(), RecordDecodeError> {
    match bytes.len() - used {
        0 => Ok(()),
        got => Err(RecordDecodeError::Trailing { got }),
    }
}

/// A record without its index, `before` bytes into its encoding.
fn decode_body(bytes: &[u8], before: usize) -> Result<(NewRecord, usize), RecordDecodeError> {
    let short = |expected| RecordDecodeError::Short {
        got: before + bytes.len(),
        expected: before + expected,
    };
    let head_len = HEAD_LEN - INDEX_LEN;
    let head = bytes.first_chunk::<{ HEAD_LEN - INDEX_LEN }>();
    let head = head.ok_or_else(|| short(head_len))?;
    let len = usize::from(head[41]);
    if len > PAYLOAD_BYTES_MAX {
        return Err(PayloadTooLong { got: len }.into());
    }
    let payload = bytes.get(head_len..head_len + len);
    let payload = payload.ok_or_else(|| short(head_len + len))?;
    let record = NewRecord {
        class: head[0],
        contract: Address::from_slice(&head[1..21]),
        owner: Address::from_slice(&head[21..41]),
        payload: Bytes::copy_from_slice(payload),
    };
    Ok((record, head_len + len))
}
