//! The path of a record to the root of its block, or further to that of its batch.

use super::{PayloadTooLong, Record, RecordRange, batch_root, block_root};
use crate::{
    BatchId, BlockNumber, NodeHasher, RecordIndex,
    list::{self, ListPathError},
};
use alloy_primitives::B256;

/// Bytes before the siblings.
const HEAD_LEN: usize = 22;
/// Siblings that any path can have: both lists have at most 2^32 digests.
const SIBLINGS_MAX: usize = 32;
const INTO_RING: u8 = 0;
const INTO_BATCH: u8 = 1;

/// What shows that a record was appended in a block.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RecordPath {
    /// The block.
    pub block: BlockNumber,
    /// Index of the block's first record.
    pub first_index: RecordIndex,
    /// Records of the block.
    pub count: u32,
    /// From the record's hash up to the root of the block's list.
    pub siblings: Vec<B256>,
    /// From the block's root up to the root of the batch's list; `None` for a path that ends in the
    /// ring.
    pub batch: Option<Vec<B256>>,
}

/// A path shows nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordPathError {
    /// The record's payload is too long.
    #[error(transparent)]
    Payload(#[from] PayloadTooLong),
    /// The path is that of another block's records.
    #[error("record {index} is not among the {count} of block {block} from {first_index}")]
    Outside {
        /// The record.
        index: RecordIndex,
        /// The block that the path names.
        block: BlockNumber,
        /// Its first record, as the path has it.
        first_index: RecordIndex,
        /// Its records, as the path has them.
        count: u32,
    },
    /// The path has too many or too few siblings for this record's place.
    #[error("path of {got} siblings in block {block}, expected {expected}")]
    Siblings {
        /// The block.
        block: BlockNumber,
        /// Siblings of the path.
        got: usize,
        /// Siblings of any path for this place.
        expected: usize,
    },
    /// The path has too many or too few siblings for the block's place in its batch.
    #[error("path of {got} siblings from block {block} to its batch, expected {expected}")]
    BatchSiblings {
        /// The block.
        block: BlockNumber,
        /// Siblings of the path.
        got: usize,
        /// Siblings of any path for this place.
        expected: usize,
    },
    /// A path into a batch was given where one into the ring is verified.
    #[error("path into a batch for block {block}, expected one into the ring")]
    NotRing {
        /// The block.
        block: BlockNumber,
    },
    /// A path into the ring was given where one into a batch is verified.
    #[error("path into the ring for block {block}, expected one into batch {batch}")]
    NotBatch {
        /// The block.
        block: BlockNumber,
        /// Its batch.
        batch: BatchId,
    },
    /// The block lies in another batch.
    #[error("block {block} lies in batch {got}, expected {expected}")]
    WrongBatch {
        /// The block.
        block: BlockNumber,
        /// The batch that the path is verified against.
        expected: BatchId,
        /// The batch of the block.
        got: BatchId,
    },
    /// The path leads elsewhere: the record or the path was altered, or belongs to another.
    #[error("the path of record {index} leads to root {got}, expected {expected}")]
    Root {
        /// The record.
        index: RecordIndex,
        /// The root that it should lead to.
        expected: B256,
        /// The root that it leads to.
        got: B256,
    },
    /// The bytes of a path end too early.
    #[error("a path ends at byte {got}, expected {expected}")]
    Short {
        /// Bytes there are.
        got: usize,
        /// Bytes that are needed.
        expected: usize,
    },
    /// The kind is neither ring nor batch.
    #[error("path kind {got} at byte 20, expected 0 (ring) or 1 (batch)")]
    Kind {
        /// The byte.
        got: u8,
    },
    /// No path is so long.
    #[error("{got} siblings at byte {offset}, expected at most 32")]
    TooLong {
        /// Where the number lies.
        offset: usize,
        /// The number.
        got: usize,
    },
    /// Something follows the path.
    #[error("{got} bytes follow a path")]
    Trailing {
        /// How many bytes.
        got: usize,
    },
}

impl RecordPath {
    /// The records of the block, as the path has them.
    pub const fn range(&self) -> RecordRange {
        RecordRange {
            block: self.block,
            first_index: self.first_index,
            count: self.count,
        }
    }

    /// The block root that record and path lead to.
    pub fn block_root(
        &self,
        hasher: &NodeHasher,
        record: &Record,
    ) -> Result<B256, RecordPathError> {
        let (index, range) = (record.index, self.range());
        let position = range.position(index).ok_or(RecordPathError::Outside {
            index,
            block: self.block,
            first_index: self.first_index,
            count: self.count,
        })?;
        let count = u64::from(self.count);
        let leaf = record.leaf_hash(hasher)?;
        let root = list::root_by_path(hasher, leaf, position, count, &self.siblings);
        let root = root.map_err(|error| self.misfit(error, false))?;
        Ok(block_root(hasher, &range, root))
    }

    /// Checks that the record is in the block whose root the ring holds.
    pub fn verify_in_ring(
        &self,
        hasher: &NodeHasher,
        record: &Record,
        expected: B256,
    ) -> Result<(), RecordPathError> {
        if self.batch.is_some() {
            return Err(RecordPathError::NotRing { block: self.block });
        }
        same_root(record, expected, self.block_root(hasher, record)?)
    }

    /// Checks that the record is in a block of the batch with this root.
    pub fn verify_in_batch(
        &self,
        hasher: &NodeHasher,
        record: &Record,
        ring_len: u32,
        batch: BatchId,
        expected: B256,
    ) -> Result<(), RecordPathError> {
        let block = self.block;
        let siblings = self.batch.as_deref();
        let siblings = siblings.ok_or(RecordPathError::NotBatch { block, batch })?;
        let (of, place) = place_of(block, ring_len);
        if of != batch {
            return Err(RecordPathError::WrongBatch {
                block,
                expected: batch,
                got: of,
            });
        }
        let root = self.block_root(hasher, record)?;
        let len = u64::from(ring_len);
        let root = list::root_by_path(hasher, root, place, len, siblings);
        let root = root.map_err(|error| self.misfit(error, true))?;
        let got = batch_root(hasher, batch, ring_len, root);
        same_root(record, expected, got)
    }

    fn misfit(&self, error: ListPathError, in_batch: bool) -> RecordPathError {
        let (got, expected) = match error {
            ListPathError::Siblings { got, expected } => (got, expected),
            // Both places were derived to lie within their lists.
            ListPathError::Outside { .. } => (self.siblings.len(), 0),
        };
        let block = self.block;
        match in_batch {
            false => RecordPathError::Siblings {
                block,
                got,
                expected,
            },
            true => RecordPathError::BatchSiblings {
                block,
                got,
                expected,
            },
        }
    }

    /// Bytes of its encoding.
    pub fn encoded_len(&self) -> usize {
        let batch = self.batch.as_ref().map_or(0, |batch| 1 + 32 * batch.len());
        HEAD_LEN + 32 * self.siblings.len() + batch
    }

    /// Its bytes. A path with more than 32 siblings, which none has that can be verified, is refused.
    pub fn encode(&self) -> Result<Vec<u8>, RecordPathError> {
        let mut bytes = Vec::with_capacity(self.encoded_len());
        bytes.extend_from_slice(&self.block.0.to_le_bytes());
        bytes.extend_from_slice(&self.first_index.0.to_le_bytes());
        bytes.extend_from_slice(&self.count.to_le_bytes());
        bytes.push(match self.batch {
            None => INTO_RING,
            Some(_) => INTO_BATCH,
        });
        for siblings in [Some(&self.siblings), self.batch.as_ref()]
            .into_iter()
            .flatten()
        {
            let (offset, got) = (bytes.len(), siblings.len());
            if got > SIBLINGS_MAX {
                return Err(RecordPathError::TooLong { offset, got });
            }
            bytes.push(got as u8);
            bytes.extend(siblings.iter().flatten());
        }
        Ok(bytes)
    }

    /// The path that these bytes are, all of them.
    pub fn decode(bytes: &[u8]) -> Result<Self, RecordPathError> {
        let short = RecordPathError::Short {
            got: bytes.len(),
            expected: HEAD_LEN,
        };
        let (block, rest) = bytes.split_first_chunk::<8>().ok_or(short)?;
        let (first_index, rest) = rest.split_first_chunk::<8>().ok_or(short)?;
        let (count, rest) = rest.split_first_chunk::<4>().ok_or(short)?;
        let (kind, _) = rest.split_first().ok_or(short)?;
        let mut offset = HEAD_LEN - 1;
        let siblings = decode_siblings(bytes, &mut offset)?;
        let batch = match *kind {
            INTO_RING => None,
            INTO_BATCH => Some(decode_siblings(bytes, &mut offset)?),
            got => return Err(RecordPathError::Kind { got }),
        };
        match bytes.len() - offset {
            0 => Ok(Self {
                block: BlockNumber(u64::from_le_bytes(*block)),
                first_index: RecordIndex(u64::from_le_bytes(*first_index)),
                count: u32::from_le_bytes(*count),
                siblings,
                batch,
            }),
            got => Err(RecordPathError::Trailing { got }),
        }
    }
}

fn same_root(record: &Record, expected: B256, got: B256) -> Result<(), RecordPathError> {
    if got == expected {
        return Ok(());
    }
    let index = record.index;
    Err(RecordPathError::Root {
        index,
        expected,
        got,
    })
}

/// The batch of a block, and its place there and in the ring. A ring has at least one place.
fn place_of(block: BlockNumber, ring_len: u32) -> (BatchId, u64) {
    let len = u64::from(ring_len.max(1));
    (BatchId(block.0 / len), block.0 % len)
}

fn decode_siblings(bytes: &[u8], offset: &mut usize) -> Result<Vec<B256>, RecordPathError> {
    let short = |expected| RecordPathError::Short {
        got: bytes.len(),
        expected,
    };
    let number = bytes.get(*offset).ok_or_else(|| short(*offset + 1))?;
    let got = usize::from(*number);
    if got > SIBLINGS_MAX {
        return Err(RecordPathError::TooLong {
            offset: *offset,
            got,
        });
    }
    let (start, end) = (*offset + 1, *offset + 1 + 32 * got);
    let siblings = bytes.get(start..end).ok_or_else(|| short(end))?;
    *offset = end;
    let (siblings, _) = siblings.as_chunks::<32>();
    Ok(siblings.iter().map(B256::from).collect())
}
