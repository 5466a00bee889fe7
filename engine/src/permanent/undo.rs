//! Reverse diffs: what a block must give back when it is undone.
//!
//! ```text
//! table "undo": key block number u64 BE; value:
//! version u8 = 1 | head before the block 109 | entries u32 LE | entry* | crc32 u32 LE
//! entry: table u8 | key length u8 | key | present u8 | (length u32 LE | value before the block)
//! ```
//!
//! Costs no read: an update has each entry in hand before it changes it. One diff is about as
//! large as the block's own changes; those older than `undo_blocks` go with the commit that makes
//! them so.

use super::{
    error::UndoError,
    head::{BlockId, Head},
};
use crate::leaf_store::Table;
use thinstate_formats::BlockNumber;

const VERSION: u8 = 1;
const HEAD_LEN: usize = 109;

/// What a block changed, as it was before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReverseDiff {
    pub(crate) head: Head,
    pub(crate) entries: Vec<Former>,
}

/// One entry as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Former {
    pub(crate) table: Table,
    pub(crate) key: Vec<u8>,
    pub(crate) value: Option<Vec<u8>>,
}

/// The key of a block's reverse diff.
pub(crate) const fn undo_key(block: BlockNumber) -> [u8; 8] {
    block.0.to_be_bytes()
}

/// A reverse diff that is being written.
#[derive(Debug)]
pub(crate) struct DiffWriter {
    bytes: Vec<u8>,
    entries: u32,
}

impl DiffWriter {
    const ENTRIES: core::ops::Range<usize> = 1 + HEAD_LEN..1 + HEAD_LEN + 4;

    /// One to that head, with room for so many bytes of entries.
    pub(crate) fn new(head: &Head, bytes: usize) -> Self {
        let mut writer = Self {
            bytes: Vec::with_capacity(Self::ENTRIES.end + bytes + 4),
            entries: 0,
        };
        writer.bytes.push(VERSION);
        writer.bytes.extend_from_slice(&head.encode());
        writer.bytes.extend_from_slice(&[0; 4]);
        writer
    }

    /// Adds entries that [`put_former`] has written.
    pub(crate) fn extend(&mut self, formers: &[u8], entries: u32) {
        self.bytes.extend_from_slice(formers);
        self.entries += entries;
    }

    /// The value in the table "undo".
    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.bytes[Self::ENTRIES].copy_from_slice(&self.entries.to_le_bytes());
        let checksum = crc32fast::hash(&self.bytes);
        self.bytes.extend_from_slice(&checksum.to_le_bytes());
        self.bytes
    }
}

/// Writes an entry, whose key `key` appends.
pub(crate) fn put_former(
    formers: &mut Vec<u8>,
    table: Table,
    key: impl FnOnce(&mut Vec<u8>),
    value: Option<&[u8]>,
) {
    formers.extend_from_slice(&[table as u8, 0]);
    let from = formers.len();
    key(formers);
    formers[from - 1] = (formers.len() - from) as u8;
    formers.push(u8::from(value.is_some()));
    if let Some(value) = value {
        formers.extend_from_slice(&(value.len() as u32).to_le_bytes());
        formers.extend_from_slice(value);
    }
}

impl ReverseDiff {
    pub(crate) fn decode(block: BlockId, bytes: &[u8]) -> Result<Self, UndoError> {
        let mut reader = Reader {
            block: block.number,
            bytes,
            offset: 0,
        };
        let body_len = bytes.len().saturating_sub(4);
        let stored = bytes.get(body_len..).and_then(|c| c.try_into().ok());
        if stored.map(u32::from_le_bytes) != Some(crc32fast::hash(&bytes[..body_len])) {
            return Err(reader.error("the checksum does not match"));
        }
        if reader.byte()? != VERSION {
            return Err(reader.error("unknown version"));
        }
        let head = Head::decode(reader.take(HEAD_LEN)?);
        let head = head.ok_or_else(|| reader.error("the former head does not decode"))?;
        let count = reader.u32()?;
        let entries = (0..count)
            .map(|_| reader.former())
            .collect::<Result<Vec<_>, _>>()?;
        if reader.offset != body_len {
            return Err(reader.error("bytes follow the last entry"));
        }
        Ok(Self { head, entries })
    }
}

struct Reader<'a> {
    block: BlockNumber,
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Reader<'a> {
    const fn error(&self, reason: &'static str) -> UndoError {
        UndoError::BadDiff {
            block: self.block,
            offset: self.offset,
            reason,
        }
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], UndoError> {
        let end = self.offset.saturating_add(len);
        let bytes = self.bytes.get(self.offset..end);
        let bytes = bytes.ok_or_else(|| self.error("it ends too early"))?;
        self.offset = end;
        Ok(bytes)
    }

    fn byte(&mut self) -> Result<u8, UndoError> {
        Ok(self.take(1)?[0])
    }

    fn u32(&mut self) -> Result<u32, UndoError> {
        let bytes = self.take(4)?;
        Ok(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    fn former(&mut self) -> Result<Former, UndoError> {
        let number = self.byte()?;
        let table = Table::ALL.get(usize::from(number)).copied();
        let table = table.ok_or_else(|| self.error("unknown table"))?;
        let key_len = self.byte()?;
        let key = self.take(usize::from(key_len))?.to_vec();
        let value = match self.byte()? {
            0 => None,
            1 => {
                let len = self.u32()?;
                Some(self.take(len as usize)?.to_vec())
            }
            _ => return Err(self.error("neither present nor absent")),
        };
        Ok(Former { table, key, value })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::B256;

    fn sample() -> (BlockId, ReverseDiff) {
        let block = BlockId {
            number: BlockNumber(5),
            hash: B256::repeat_byte(5),
        };
        let entry = |table, value: Option<&[u8]>| Former {
            table,
            key: vec![7; 33],
            value: value.map(<[u8]>::to_vec),
        };
        let entries = vec![
            entry(Table::Accounts, Some(&[1, 2, 3])),
            entry(Table::Storage, None),
            entry(Table::Code, Some(&[])),
        ];
        let head = Head::new();
        (block, ReverseDiff { head, entries })
    }

    #[test]
    fn no_flipped_bit_and_no_cut_of_a_diff_goes_unseen() {
        let (block, diff) = sample();
        let mut formers = Vec::new();
        for Former { table, key, value } in &diff.entries {
            let key = |to: &mut Vec<u8>| to.extend_from_slice(key);
            put_former(&mut formers, *table, key, value.as_deref());
        }
        let mut writer = DiffWriter::new(&diff.head, formers.len());
        writer.extend(&formers, 3);
        let bytes = writer.finish();
        assert_eq!(ReverseDiff::decode(block, &bytes).ok(), Some(diff));
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(ReverseDiff::decode(block, &flipped).is_err(), "bit {bit}");
        }
        for end in 0..bytes.len() {
            assert!(
                ReverseDiff::decode(block, &bytes[..end]).is_err(),
                "cut at {end}"
            );
        }
    }
}
