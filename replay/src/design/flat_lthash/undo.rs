//! Undoing the last block.
//!
//! ```text
//! reverse diff   block before present u8 | number u64 LE | checksum before 32 | entry*
//! entry          key length u8 (32 or 64) | value length u8 (0: absent) | key | value before
//! ```
//!
//! The sum before is not kept but computed: the values that are there are subtracted, the former ones
//! added, and the checksum has to be the one that is kept.

use super::{
    FlatLtHash,
    entry::{Entry, table},
    layout::{HEAD_KEY, Head},
};
use crate::design::DesignError;
use alloy_primitives::{B256, hex};
use thinstate_engine::leaf_store::{Batch, LeafRead as _, LeafStore as _, StoreError, Table};
use thinstate_formats::BlockNumber;

/// Key of a block's reverse diff.
pub(super) const fn undo_key(number: BlockNumber) -> [u8; 8] {
    number.0.to_be_bytes()
}

/// What undoing the block that changes these entries on top of `head` takes.
pub(super) fn encode_diff(head: &Head, entries: &[Entry]) -> Vec<u8> {
    let mut bytes = vec![u8::from(head.block.is_some())];
    bytes.extend_from_slice(&head.block.unwrap_or_default().0.to_le_bytes());
    bytes.extend_from_slice(head.sum.checksum().as_slice());
    for entry in entries {
        let before = entry.before.as_deref().unwrap_or_default();
        bytes.extend_from_slice(&[entry.key.len() as u8, before.len() as u8]);
        bytes.extend_from_slice(&entry.key);
        bytes.extend_from_slice(before);
    }
    bytes
}

/// A reverse diff: what entries become again.
#[derive(Debug, PartialEq, Eq)]
struct Diff {
    block: Option<BlockNumber>,
    checksum: B256,
    entries: Vec<(Vec<u8>, Option<Vec<u8>>)>,
}

impl Diff {
    fn decode(bytes: &[u8]) -> Option<Self> {
        let (present, bytes) = bytes.split_first()?;
        let (number, bytes) = bytes.split_first_chunk()?;
        let (checksum, mut bytes) = bytes.split_first_chunk::<32>()?;
        let number = BlockNumber(u64::from_le_bytes(*number));
        let mut diff = Self {
            block: match present {
                0 => None,
                1 => Some(number),
                _ => return None,
            },
            checksum: checksum.into(),
            entries: Vec::new(),
        };
        while let Some(([key_len @ (32 | 64), value_len], rest)) = bytes.split_first_chunk() {
            let (key, rest) = rest.split_at_checked(usize::from(*key_len))?;
            let (value, rest) = rest.split_at_checked(usize::from(*value_len))?;
            let value = (!value.is_empty()).then(|| value.to_vec());
            diff.entries.push((key.to_vec(), value));
            bytes = rest;
        }
        bytes.is_empty().then_some(diff)
    }
}

impl FlatLtHash {
    /// Takes the last block back.
    pub(super) fn undo_last(&self) -> Result<(), DesignError> {
        let mut head = self.head();
        let unsupported = |what: String| DesignError::Unsupported {
            design: self.spec.name.clone(),
            what,
        };
        let number = head
            .block
            .ok_or_else(|| unsupported("there is no block to undo".to_owned()))?;
        let diff = self
            .diff(number)?
            .ok_or_else(|| unsupported(format!("block {number} is too old to be undone")))?;
        let entries = self
            .reversed(diff.entries)
            .map_err(DesignError::store(format!(
                "read what block {number} wrote"
            )))?;
        let delta = self.delta(&entries)?;
        let former = Head {
            block: diff.block,
            ..head.after(number, &delta)
        };
        let got = former.sum.checksum();
        if got != diff.checksum {
            return Err(DesignError::Root {
                number,
                expected: diff.checksum,
                got,
            });
        }
        let mut batch = Batch::default();
        for entry in entries {
            entry.write(&mut batch);
        }
        batch.delete(Table::Undo, undo_key(number));
        batch.put(Table::Meta, HEAD_KEY, former.encode());
        self.store
            .commit(batch)
            .map_err(DesignError::store(format!("undo block {number}")))?;
        *head = former;
        Ok(())
    }

    fn diff(&self, number: BlockNumber) -> Result<Option<Diff>, DesignError> {
        let key = undo_key(number);
        let context = || DesignError::store(format!("read the reverse diff of block {number}"));
        let bytes = self.store.snapshot().get(Table::Undo, &key);
        let Some(bytes) = bytes.map_err(|error| context()(error))? else {
            return Ok(None);
        };
        let bad = || StoreError::BadEntry {
            table: Table::Undo,
            key: hex::encode(key),
            expected: "a reverse diff",
            got: format!("{} bytes", bytes.len()),
        };
        let diff = Diff::decode(&bytes).ok_or_else(|| context()(bad()))?;
        Ok(Some(diff))
    }

    /// The entries from what they are to what they were.
    fn reversed(&self, former: Vec<(Vec<u8>, Option<Vec<u8>>)>) -> Result<Vec<Entry>, StoreError> {
        let store = self.store.snapshot();
        let entry = |(key, after): (Vec<u8>, Option<Vec<u8>>)| {
            Ok(Entry {
                before: store.get(table(&key), &key)?,
                key,
                after,
            })
        };
        former.into_iter().map(entry).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_diff_that_is_cut_comes_back_as_another() {
        let entry = |len: usize, before: Option<&[u8]>| Entry {
            key: vec![len as u8; len],
            before: before.map(<[u8]>::to_vec),
            after: Some(vec![9]),
        };
        let entries = [entry(32, None), entry(64, Some(&[1, 2])), entry(64, None)];
        let head = Head {
            block: Some(BlockNumber(7)),
            ..Head::default()
        };
        let bytes = encode_diff(&head, &entries);
        let diff = Diff::decode(&bytes).expect("whole");
        assert_eq!(diff.block, head.block);
        assert_eq!(diff.checksum, head.sum.checksum());
        let former = entries.map(|entry| (entry.key, entry.before));
        assert_eq!(diff.entries, former);
        // Between two entries a cut cannot be seen; the checksum of the sum finds it.
        let whole = [41, 41 + 34, 41 + 34 + 68];
        for end in (0..bytes.len()).filter(|end| !whole.contains(end)) {
            assert_eq!(Diff::decode(&bytes[..end]), None, "cut at {end}");
        }
    }
}
