//! How far expiry has come, as the store remembers it. The format is in the module above.

use crate::{
    archive::expired::Tip,
    leaf_store::{Batch, LeafRead, Table},
    permanent::error::OpenError,
};
use alloy_primitives::hex;

const EXPIRY_KEY: &[u8] = b"expiry";
const VERSION: u8 = 1;

/// What has expired since the store was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expired {
    /// Leaves cut; one that comes back and expires again is counted again.
    pub leaves: u64,
    /// Records written to the archive.
    pub records: u64,
    /// Bytes of these.
    pub record_bytes: u64,
    /// Records that no stub names any more, since what they hold has come back or was deleted.
    /// Records that such a one names in turn are not among them.
    pub garbage_records: u64,
    /// Bytes of these.
    pub garbage_bytes: u64,
    /// Times that the sweep has come to the end of the state.
    pub passes: u64,
}

/// Where the sweep goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cursor {
    pub(crate) table: Table,
    /// Key of the last entry that was decided on; empty at the beginning.
    pub(crate) after: Vec<u8>,
}

impl Cursor {
    /// Before the first entry of a table.
    pub(crate) const fn before(table: Table) -> Self {
        Self {
            table,
            after: Vec::new(),
        }
    }

    /// Whether a pass begins here.
    pub(crate) fn is_start(&self) -> bool {
        *self == Self::default()
    }
}

impl Default for Cursor {
    fn default() -> Self {
        Self::before(Table::Storage)
    }
}

/// What the store remembers of expiry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ExpiryState {
    pub(crate) tip: Tip,
    pub(crate) totals: Expired,
    pub(crate) cursor: Cursor,
}

impl ExpiryState {
    /// Reads it; a store in which nothing has expired has none.
    pub(crate) fn read<R: LeafRead>(store: &R) -> Result<Self, OpenError> {
        let Some(bytes) = store.get(Table::Meta, EXPIRY_KEY)? else {
            return Ok(Self::default());
        };
        Self::decode(&bytes).ok_or_else(|| OpenError::BadExpiry {
            got: hex::encode_prefixed(&bytes),
        })
    }

    pub(crate) fn write(&self, batch: &mut Batch) {
        batch.put(Table::Meta, EXPIRY_KEY, self.encode());
    }

    fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![VERSION];
        bytes.extend_from_slice(&self.tip.segment.to_le_bytes());
        bytes.extend_from_slice(&self.tip.len.to_le_bytes());
        let Expired {
            leaves,
            records,
            record_bytes,
            garbage_records,
            garbage_bytes,
            passes,
        } = self.totals;
        for count in [
            leaves,
            records,
            record_bytes,
            garbage_records,
            garbage_bytes,
            passes,
        ] {
            bytes.extend_from_slice(&count.to_le_bytes());
        }
        bytes.extend_from_slice(&[self.cursor.table as u8, self.cursor.after.len() as u8]);
        bytes.extend_from_slice(&self.cursor.after);
        let checksum = crc32fast::hash(&bytes);
        bytes.extend_from_slice(&checksum.to_le_bytes());
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (body, checksum) = bytes.split_last_chunk::<4>()?;
        if crc32fast::hash(body) != u32::from_le_bytes(*checksum) {
            return None;
        }
        let (&[version], rest) = body.split_first_chunk::<1>()?;
        let (segment, rest) = rest.split_first_chunk::<4>()?;
        let (numbers, rest) = rest.split_first_chunk::<56>()?;
        let (&[table, key_len], key) = rest.split_first_chunk::<2>()?;
        let mut numbers = numbers
            .chunks_exact(8)
            .filter_map(|n| Some(u64::from_le_bytes(n.try_into().ok()?)));
        let mut next = || numbers.next();
        let tip = Tip {
            segment: u32::from_le_bytes(*segment),
            len: next()?,
        };
        let totals = Expired {
            leaves: next()?,
            records: next()?,
            record_bytes: next()?,
            garbage_records: next()?,
            garbage_bytes: next()?,
            passes: next()?,
        };
        let table = Table::ALL.get(usize::from(table)).copied()?;
        let swept = matches!(table, Table::Accounts | Table::Storage);
        let whole = version == VERSION && swept && key.len() == usize::from(key_len);
        whole.then(|| Self {
            tip,
            totals,
            cursor: Cursor {
                table,
                after: key.to_vec(),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_flipped_bit_and_no_cut_of_the_state_of_expiry_goes_unseen() {
        let state = ExpiryState {
            tip: Tip {
                segment: 3,
                len: 12_345,
            },
            totals: Expired {
                leaves: 7,
                passes: 1,
                ..Expired::default()
            },
            cursor: Cursor {
                table: Table::Accounts,
                after: vec![9; 33],
            },
        };
        let bytes = state.encode();
        assert_eq!(ExpiryState::decode(&bytes), Some(state));
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(ExpiryState::decode(&flipped), None, "bit {bit}");
        }
        for end in 0..bytes.len() {
            assert_eq!(ExpiryState::decode(&bytes[..end]), None, "cut at {end}");
        }
    }
}
