//! The last blocks' records, which can be read and spent without a path.

use super::{
    UtxoError,
    keys::{bad_chunk, chunk_key, for_each_chunk},
};
use crate::leaf_store::{Batch, LeafRead, StoreError, Table};
use alloy_primitives::B256;
use std::collections::VecDeque;
use thinstate_formats::{
    BlockNumber, NodeHasher, RecordIndex,
    record::{NewRecord, PAYLOAD_BYTES_MAX, Record, RecordRange, leaf_hashes},
};

/// Records in a chunk: what reading one of them reads.
const CHUNK_RECORDS: usize = 64;

/// The hashes of the records of the last blocks; the records themselves are in the leaf store.
#[derive(Debug, Default)]
pub(super) struct Window {
    /// One for each block, the newest last.
    blocks: VecDeque<WindowBlock>,
}

/// Hashes of one block's records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct WindowBlock {
    pub(super) range: RecordRange,
    pub(super) hashes: Vec<B256>,
}

/// The records of a block, encoded as new ones.
#[derive(Debug, Default)]
pub(super) struct Encoded {
    pub(super) bytes: Vec<u8>,
    /// Where each record ends.
    pub(super) ends: Vec<u32>,
}

impl Encoded {
    pub(super) fn new(records: &[NewRecord]) -> Result<Self, UtxoError> {
        let mut encoded = Self::default();
        for (position, record) in records.iter().enumerate() {
            let result = record.encode(&mut encoded.bytes);
            result.map_err(|error| UtxoError::Payload { position, error })?;
            let end = u32::try_from(encoded.bytes.len());
            encoded.ends.push(end.map_err(|_| UtxoError::BlockTooLarge {
                records: records.len(),
                bytes: encoded.bytes.len(),
            })?);
        }
        Ok(encoded)
    }

    /// Checks that the records can be encoded, for a tier that keeps none of them.
    pub(super) fn none(records: &[NewRecord]) -> Result<Self, UtxoError> {
        let bytes: usize = records.iter().map(NewRecord::encoded_len).sum();
        let too_long = |record: &NewRecord| record.payload.len() > PAYLOAD_BYTES_MAX;
        if u32::try_from(bytes).is_err() || records.iter().any(too_long) {
            return Self::new(records);
        }
        Ok(Self::default())
    }

    /// Puts the records into the window's chunks.
    pub(super) fn write_chunks(&self, batch: &mut Batch, block: BlockNumber) {
        let mut start = 0;
        for (chunk, ends) in (0..).zip(self.ends.chunks(CHUNK_RECORDS)) {
            let end = ends[ends.len() - 1] as usize;
            batch.put(
                Table::Utxo,
                chunk_key(block, chunk),
                &self.bytes[start..end],
            );
            start = end;
        }
    }
}

impl Window {
    /// The blocks from `from` to `head`, from what the leaf store has of them.
    pub(super) fn open<R: LeafRead>(
        read: &R,
        hasher: &NodeHasher,
        ranges: impl Iterator<Item = RecordRange>,
    ) -> Result<Self, StoreError> {
        let mut window = Self::default();
        for range in ranges {
            match load(read, hasher, range)? {
                Some(block) => window.blocks.push_back(block),
                // Blocks before this one were written without a window.
                None => window.blocks.clear(),
            }
        }
        Ok(window)
    }

    /// The hash of a record; `None` for one that is not of these blocks.
    pub(super) fn hash(&self, index: RecordIndex) -> Option<B256> {
        let until = self
            .blocks
            .partition_point(|block| block.range.first_index <= index);
        let block = self.blocks.get(until.checked_sub(1)?)?;
        let position = block.range.position(index)?;
        block.hashes.get(position as usize).copied()
    }

    /// Records whose hashes are in memory.
    pub(super) fn records(&self) -> u64 {
        let hashes = self.blocks.iter().map(|block| block.hashes.len() as u64);
        hashes.sum()
    }

    /// The first record that needs no path.
    pub(super) fn first(&self) -> Option<RecordIndex> {
        self.blocks.front().map(|block| block.range.first_index)
    }

    /// The block of a record.
    fn range(&self, index: RecordIndex) -> Option<RecordRange> {
        let of = |block: &&WindowBlock| block.range.position(index).is_some();
        self.blocks.iter().find(of).map(|block| block.range)
    }

    /// A record, if it is of these blocks.
    pub(super) fn read<R: LeafRead>(
        &self,
        read: &R,
        index: RecordIndex,
    ) -> Result<Option<Record>, StoreError> {
        let Some(range) = self.range(index) else {
            return Ok(None);
        };
        let position = range.position(index).unwrap_or_default() as usize;
        let chunk = (position / CHUNK_RECORDS) as u32;
        let key = chunk_key(range.block, chunk);
        let bytes = read.get(Table::Utxo, &key)?.unwrap_or_default();
        let mut rest = bytes.as_slice();
        for _ in 0..position % CHUNK_RECORDS {
            let Ok((_, used)) = NewRecord::decode_first(rest) else {
                return Err(bad_chunk(&key, &bytes));
            };
            rest = &rest[used..];
        }
        match NewRecord::decode_first(rest) {
            Ok((record, _)) => Ok(Some(record.at(index))),
            Err(_) => Err(bad_chunk(&key, &bytes)),
        }
    }

    /// Takes in the newest block, and lets go of those before the last `blocks`.
    pub(super) fn push(&mut self, block: WindowBlock, blocks: u64) {
        self.blocks.push_back(block);
        while self.blocks.len() as u64 > blocks {
            self.blocks.pop_front();
        }
    }

    /// Lets go of the newest block, and takes back the one before the oldest.
    pub(super) fn pop(&mut self, newest: BlockNumber, before: Option<WindowBlock>) {
        if self
            .blocks
            .back()
            .is_some_and(|block| block.range.block == newest)
        {
            self.blocks.pop_back();
        }
        if let Some(before) = before {
            self.blocks.push_front(before);
        }
    }

    /// The oldest block.
    pub(super) fn oldest(&self) -> Option<BlockNumber> {
        self.blocks.front().map(|block| block.range.block)
    }
}

/// A block's hashes from its chunks; `None` if not all records are there.
pub(super) fn load<R: LeafRead>(
    read: &R,
    hasher: &NodeHasher,
    range: RecordRange,
) -> Result<Option<WindowBlock>, StoreError> {
    let mut records = Vec::new();
    let mut next = range.first_index.0;
    for_each_chunk(read, range.block, |mut bytes| {
        while !bytes.is_empty() {
            let Ok((record, used)) = NewRecord::decode_first(bytes) else {
                return false;
            };
            records.push(record.at(RecordIndex(next)));
            next = next.saturating_add(1);
            bytes = &bytes[used..];
        }
        true
    })?;
    let hashes = leaf_hashes(hasher, &records).unwrap_or_default();
    Ok((hashes.len() == range.count as usize).then_some(WindowBlock { range, hashes }))
}
