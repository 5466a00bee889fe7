//! A batch: the changes of one block.

use super::Table;

/// One change of one entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Op {
    /// The table.
    pub table: Table,
    /// The key.
    pub key: Vec<u8>,
    /// What happens to it.
    pub action: Action,
}

/// What an [`Op`] does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// The entry has this value from now on.
    Put(Vec<u8>),
    /// The entry is gone.
    Delete,
    /// So are all entries from the op's key to this one, which is not among them. One operation,
    /// however many entries there are.
    DeleteTo(Vec<u8>),
}

impl Action {
    fn bytes(&self) -> usize {
        match self {
            Self::Put(bytes) | Self::DeleteTo(bytes) => bytes.len(),
            Self::Delete => 0,
        }
    }
}

/// Changes that are applied together; later ones win over earlier ones on the same key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    ops: Vec<Op>,
}

impl From<Vec<Op>> for Batch {
    fn from(ops: Vec<Op>) -> Self {
        Self { ops }
    }
}

impl Batch {
    /// Sets an entry.
    pub fn put(&mut self, table: Table, key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) {
        self.ops.push(Op {
            table,
            key: key.into(),
            action: Action::Put(value.into()),
        });
    }

    /// Deletes an entry; one that is absent stays so.
    pub fn delete(&mut self, table: Table, key: impl Into<Vec<u8>>) {
        self.ops.push(Op {
            table,
            key: key.into(),
            action: Action::Delete,
        });
    }

    /// Deletes all entries with `from <= key < to`, in one operation.
    pub fn delete_range(&mut self, table: Table, from: impl Into<Vec<u8>>, to: impl Into<Vec<u8>>) {
        self.ops.push(Op {
            table,
            key: from.into(),
            action: Action::DeleteTo(to.into()),
        });
    }

    /// Adds the changes of `later` behind those made so far.
    pub fn append(&mut self, later: Self) {
        self.ops.extend(later.ops);
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
            .map(|op| (op.key.len() + op.action.bytes()) as u64)
            .sum()
    }
}
