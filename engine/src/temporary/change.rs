//! What leads from one state of the live entries back to another, in few bytes.
//!
//! Blocks that can be undone are kept in memory as lists of changes, about 13 bytes for each write
//! of an entry that was there. Nothing of them is on disk: replaying the logs makes them again.
//!
//! ```text
//! change    varint(id << 3 | tag), then by tag:
//!           0  pop        the newest entry of the current period goes (id is 0)
//!           1  push       one comes: location 32 | value (id is 0)
//!           2  current    the entry gets this value: value
//!           3  previous   the entry of the previous period gets this value: value
//!           4  shadow     the entry of the previous period is shadowed
//!           5  unshadow   it is not
//! ```

use super::{
    bytes::{Reader, put_value, put_varint},
    entries::EntryId,
};
use alloy_primitives::B256;

/// A step from one state to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// The newest entry of the current period goes.
    Pop,
    /// The current period gets an entry.
    Push { location: B256, value: B256 },
    /// An entry of the current period gets a value.
    Current { id: EntryId, value: B256 },
    /// An entry of the previous period gets a value.
    Previous { id: EntryId, value: B256 },
    /// An entry of the previous period is marked as shadowed, or not.
    Shadow { id: EntryId, shadowed: bool },
}

/// Changes in the order in which they were noted; they are applied from the last to the first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ChangeList {
    bytes: Vec<u8>,
}

impl ChangeList {
    pub(super) fn push(&mut self, change: Change) {
        let bytes = &mut self.bytes;
        let mut head = |id: EntryId, tag| put_varint(bytes, u64::from(id.0) << 3 | tag);
        match change {
            Change::Pop => head(EntryId(0), 0),
            Change::Push { location, value } => {
                head(EntryId(0), 1);
                bytes.extend_from_slice(location.as_slice());
                put_value(bytes, &value);
            }
            Change::Current { id, value } => {
                head(id, 2);
                put_value(bytes, &value);
            }
            Change::Previous { id, value } => {
                head(id, 3);
                put_value(bytes, &value);
            }
            Change::Shadow { id, shadowed } => head(id, if shadowed { 4 } else { 5 }),
        }
    }

    /// The changes in the order in which they were noted.
    pub(super) fn noted(&self) -> Vec<Change> {
        let mut reader = Reader::new(&self.bytes);
        let mut changes = Vec::new();
        while !reader.is_done() {
            changes.push(read(&mut reader));
        }
        changes
    }

    /// Gives back what the list does not need.
    pub(super) fn shrink(&mut self) {
        self.bytes.shrink_to_fit();
    }

    pub(super) const fn memory_bytes(&self) -> u64 {
        self.bytes.capacity() as u64
    }
}

/// The bytes never leave memory: those that are read are those that were written.
fn read(reader: &mut Reader<'_>) -> Change {
    let written = "change lists are read as written";
    let head = reader.varint("a change").expect(written);
    let id = EntryId((head >> 3) as u32);
    let value = |reader: &mut Reader<'_>| reader.value().expect(written);
    match head & 7 {
        0 => Change::Pop,
        1 => Change::Push {
            location: reader.hash("a location").expect(written),
            value: value(reader),
        },
        2 => Change::Current {
            id,
            value: value(reader),
        },
        3 => Change::Previous {
            id,
            value: value(reader),
        },
        tag => Change::Shadow {
            id,
            shadowed: tag == 4,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_change_is_read_as_another() {
        let (id, value) = (EntryId(u32::MAX), B256::with_last_byte(3));
        let changes = [
            Change::Pop,
            Change::Push {
                location: B256::repeat_byte(1),
                value,
            },
            Change::Current { id, value },
            Change::Previous {
                id: EntryId(0),
                value: B256::ZERO,
            },
            Change::Shadow { id, shadowed: true },
            Change::Shadow {
                id,
                shadowed: false,
            },
        ];
        let mut list = ChangeList::default();
        changes.iter().for_each(|change| list.push(*change));
        assert_eq!(list.noted(), changes);
    }
}
