//! Entries of the table "utxo".

use super::UtxoRules;
use crate::{
    archive::records::ArchivePosition,
    leaf_store::{Batch, LeafRead, StoreError, Table},
    spent::varint::{Numbers, put_indexes},
};
use alloy_primitives::{B256, hex};
use core::ops::ControlFlow;
use thinstate_formats::{BatchId, BlockNumber, HashKind, RecordIndex};

const VERSION: u8 = 1;
const TABLE: Table = Table::Utxo;
pub(super) const HEAD: &[u8] = b"h";
pub(super) const PLACE: u8 = b'r';
pub(super) const BATCH: u8 = b'b';
pub(super) const WINDOW: u8 = b'w';
pub(super) const UNDO: u8 = b'u';
pub(super) const ARCHIVE: &[u8] = b"a";

/// The tier after its last block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct UtxoHead {
    pub(super) rules: UtxoRules,
    /// The first block that the tier saw.
    pub(super) first: BlockNumber,
    pub(super) last: BlockNumber,
    pub(super) next_index: RecordIndex,
}

/// A digest, and an index: of a block's first record, or after a batch's last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) root: B256,
    pub(super) index: RecordIndex,
}

/// What undoing a block needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct UndoEntry {
    /// The place of the ring that the block wrote, as it was.
    pub(super) place: Option<Place>,
    /// Indexes that the block spent.
    pub(super) spent: Vec<u64>,
}

fn bad(key: &[u8], expected: &'static str, got: &[u8]) -> StoreError {
    StoreError::BadEntry {
        table: TABLE,
        key: hex::encode(key),
        expected,
        got: format!(
            "{} bytes, 0x{}",
            got.len(),
            hex::encode(got.get(..80).unwrap_or(got))
        ),
    }
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    let bytes = bytes.get(at..)?.first_chunk::<8>()?;
    Some(u64::from_le_bytes(*bytes))
}

impl UtxoHead {
    pub(super) fn write(&self, batch: &mut Batch) {
        let mut bytes = vec![VERSION, self.rules.hash.id()];
        bytes.extend_from_slice(&self.rules.ring_len.to_le_bytes());
        for number in [self.first.0, self.last.0, self.next_index.0] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        batch.put(TABLE, HEAD, bytes);
    }

    pub(super) fn read<R: LeafRead>(read: &R) -> Result<Option<Self>, StoreError> {
        let Some(bytes) = read.get(TABLE, HEAD)? else {
            return Ok(None);
        };
        let head = Self::decode(&bytes);
        let error = || bad(HEAD, "30 bytes of version 1", &bytes);
        head.map(Some).ok_or_else(error)
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let [VERSION, hash, rest @ ..] = bytes else {
            return None;
        };
        let (ring_len, numbers) = rest.split_first_chunk::<4>()?;
        let rules = UtxoRules {
            ring_len: u32::from_le_bytes(*ring_len),
            hash: HashKind::from_id(*hash)?,
        };
        (numbers.len() == 24).then_some(Self {
            rules,
            first: BlockNumber(u64_at(numbers, 0)?),
            last: BlockNumber(u64_at(numbers, 8)?),
            next_index: RecordIndex(u64_at(numbers, 16)?),
        })
    }
}

impl Place {
    fn encode(&self) -> [u8; 40] {
        let mut bytes = [0; 40];
        bytes[..32].copy_from_slice(self.root.as_slice());
        bytes[32..].copy_from_slice(&self.index.0.to_le_bytes());
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; 40] = bytes.try_into().ok()?;
        Some(Self {
            root: B256::from_slice(&bytes[..32]),
            index: RecordIndex(u64_at(bytes, 32)?),
        })
    }
}

pub(super) fn place_key(place: u32) -> [u8; 5] {
    let mut key = [PLACE; 5];
    key[1..].copy_from_slice(&place.to_be_bytes());
    key
}

/// The key of a number under a letter.
pub(super) fn number_key(letter: u8, number: u64) -> [u8; 9] {
    let mut key = [letter; 9];
    key[1..].copy_from_slice(&number.to_be_bytes());
    key
}

pub(super) fn chunk_key(block: BlockNumber, chunk: u32) -> [u8; 13] {
    let mut key = [WINDOW; 13];
    key[1..9].copy_from_slice(&block.0.to_be_bytes());
    key[9..].copy_from_slice(&chunk.to_be_bytes());
    key
}

/// Sets a place of the ring, or makes it one that was never written.
pub(super) fn write_place(batch: &mut Batch, place: u32, to: Option<Place>) {
    match to {
        Some(to) => batch.put(TABLE, place_key(place), to.encode()),
        None => batch.delete(TABLE, place_key(place)),
    }
}

pub(super) fn write_batch(batch: &mut Batch, id: BatchId, to: Option<Place>) {
    match to {
        Some(to) => batch.put(TABLE, number_key(BATCH, id.0), to.encode()),
        None => batch.delete(TABLE, number_key(BATCH, id.0)),
    }
}

/// Calls `visit` with number and value of each place of the ring (`PLACE`) or each batch (`BATCH`).
pub(super) fn for_each_place<R: LeafRead>(
    read: &R,
    letter: u8,
    mut visit: impl FnMut(u64, Place),
) -> Result<(), StoreError> {
    let mut wrong = None;
    read.scan(TABLE, &[letter], Some(&[letter + 1]), &mut |key, value| {
        let number = match key.get(1..) {
            Some(key) if key.len() == 4 => {
                Some(key.iter().fold(0, |n, byte| n << 8 | u64::from(*byte)))
            }
            Some(key) => key.try_into().ok().map(u64::from_be_bytes),
            None => None,
        };
        match (number, Place::decode(value)) {
            (Some(number), Some(place)) => {
                visit(number, place);
                ControlFlow::Continue(())
            }
            _ => {
                wrong = Some(bad(key, "a number and 40 bytes", value));
                ControlFlow::Break(())
            }
        }
    })?;
    wrong.map_or(Ok(()), Err)
}

impl UndoEntry {
    pub(super) fn write(&self, batch: &mut Batch, block: BlockNumber) {
        let mut bytes = vec![VERSION, u8::from(self.place.is_some())];
        if let Some(place) = &self.place {
            bytes.extend_from_slice(&place.encode());
        }
        put_indexes(&mut bytes, &self.spent);
        let checksum = crc32fast::hash(&bytes);
        bytes.extend_from_slice(&checksum.to_le_bytes());
        batch.put(TABLE, number_key(UNDO, block.0), bytes);
    }

    pub(super) fn read<R: LeafRead>(
        read: &R,
        block: BlockNumber,
    ) -> Result<Option<Self>, StoreError> {
        let key = number_key(UNDO, block.0);
        let Some(bytes) = read.get(TABLE, &key)? else {
            return Ok(None);
        };
        let entry = Self::decode(&bytes);
        let error = || bad(&key, "an undo entry of version 1 with its checksum", &bytes);
        entry.map(Some).ok_or_else(error)
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (body, checksum) = bytes.split_last_chunk::<4>()?;
        if u32::from_le_bytes(*checksum) != crc32fast::hash(body) {
            return None;
        }
        let (place, rest) = match body {
            [VERSION, 0, rest @ ..] => (None, rest),
            [VERSION, 1, rest @ ..] => {
                let (place, rest) = rest.split_at_checked(40)?;
                (Some(Place::decode(place)?), rest)
            }
            _ => return None,
        };
        let mut numbers = Numbers::new(rest);
        let spent = numbers.indexes().ok()?;
        (numbers.offset() == rest.len()).then_some(Self { place, spent })
    }
}

pub(super) fn write_position(batch: &mut Batch, position: ArchivePosition) {
    let mut bytes = position.batch.0.to_le_bytes().to_vec();
    bytes.extend_from_slice(&position.len.to_le_bytes());
    batch.put(TABLE, ARCHIVE, bytes);
}

pub(super) fn read_position<R: LeafRead>(read: &R) -> Result<Option<ArchivePosition>, StoreError> {
    let Some(bytes) = read.get(TABLE, ARCHIVE)? else {
        return Ok(None);
    };
    let position = (|| {
        let batch = BatchId(u64_at(&bytes, 0)?);
        let len = u64_at(&bytes, 8)?;
        (bytes.len() == 16).then_some(ArchivePosition { batch, len })
    })();
    position
        .map(Some)
        .ok_or_else(|| bad(ARCHIVE, "16 bytes", &bytes))
}

/// The chunks of a block in the window, in order.
pub(super) fn for_each_chunk<R: LeafRead>(
    read: &R,
    block: BlockNumber,
    mut visit: impl FnMut(&[u8]) -> bool,
) -> Result<(), StoreError> {
    let mut wrong = None;
    let (from, to) = (
        chunk_key(block, 0),
        number_key(WINDOW, block.0.saturating_add(1)),
    );
    read.scan(
        TABLE,
        &from,
        Some(&to),
        &mut |key, value| match visit(value) {
            true => ControlFlow::Continue(()),
            false => {
                wrong = Some(bad_chunk(key, value));
                ControlFlow::Break(())
            }
        },
    )?;
    wrong.map_or(Ok(()), Err)
}

pub(super) fn bad_chunk(key: &[u8], value: &[u8]) -> StoreError {
    bad(key, "records that decode", value)
}
