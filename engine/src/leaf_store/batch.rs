//! A batch: the puts and deletes of one block.

use super::Table;

/// One change of one entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Op {
    /// The table.
    pub table: Table,
    /// The key.
    pub key: Vec<u8>,
    /// The value from now on; `None` deletes the entry.
    pub value: Option<Vec<u8>>,
}

/// Puts and deletes that are applied together; later ones win over earlier ones on the same key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    ops: Vec<Op>,
}

impl Batch {
    /// Sets an entry.
    pub fn put(&mut self, table: Table, key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) {
        self.ops.push(Op {
            table,
            key: key.into(),
            value: Some(value.into()),
        });
    }

    /// Deletes an entry; one that is absent stays so.
    pub fn delete(&mut self, table: Table, key: impl Into<Vec<u8>>) {
        self.ops.push(Op {
            table,
            key: key.into(),
            value: None,
        });
    }

    /// The changes, in the order they were made.
    pub fn ops(&self) -> &[Op] {
        &self.ops
    }

    /// The changes, given away.
    pub fn into_ops(self) -> Vec<Op> {
        self.ops
    }

    /// Number of changes.
    pub fn len(&self) -> usize {
        self.ops.len()
    }

    /// Whether there is nothing to apply.
    pub fn is_empty(&self) -> bool {
        self.ops.is_empty()
    }

    /// Bytes of all keys and values.
    pub fn logical_bytes(&self) -> u64 {
        self.ops
            .iter()
            .map(|op| (op.key.len() + op.value.as_ref().map_or(0, Vec::len)) as u64)
            .sum()
    }
}
