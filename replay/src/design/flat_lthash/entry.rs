//! Entries that change, and what they do to the sum.

use super::{FlatLtHash, layout::element};
use crate::design::DesignError;
use alloy_primitives::hex;
use rayon::prelude::*;
use thinstate_engine::leaf_store::{Batch, StoreError, Table};
use thinstate_formats::LtHash;

/// Elements that one thread expands at a time: 16 µs or more.
const CHUNK: usize = 32;

/// An entry that changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// 32 bytes of an account, 64 of a slot.
    pub(super) key: Vec<u8>,
    /// As it is; `None` where it is absent.
    pub(super) before: Option<Vec<u8>>,
    /// As it will be.
    pub(super) after: Option<Vec<u8>>,
}

/// What entries do to the state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Delta {
    /// What is added to the sum.
    pub(super) sum: LtHash,
    /// Elements of accounts that were expanded.
    pub(super) account_elements: u64,
    /// Elements of slots.
    pub(super) slot_elements: u64,
    /// Accounts that appear, less those that go.
    pub(super) accounts: i64,
    /// The same of slots.
    pub(super) slots: i64,
}

impl Entry {
    pub(super) fn table(&self) -> Table {
        table(&self.key)
    }

    /// Puts it into the batch as it will be; gives the bytes.
    pub(super) fn write(self, batch: &mut Batch) -> u64 {
        let table = self.table();
        let bytes = self.key.len() + self.after.as_ref().map_or(0, Vec::len);
        match self.after {
            Some(value) => batch.put(table, self.key, value),
            None => batch.delete(table, self.key),
        }
        bytes as u64
    }
}

impl Delta {
    fn of(entries: &[Entry]) -> Result<Self, StoreError> {
        let mut delta = Self::default();
        for Entry { key, before, after } in entries {
            let table = table(key);
            let mut expand = |value: &Option<Vec<u8>>, appears: i64| {
                let Some(value) = value else { return Ok(()) };
                let element = element(key, value).ok_or_else(|| bad_entry(table, key, value))?;
                match appears > 0 {
                    true => delta.sum.add(element.as_ref()),
                    false => delta.sum.subtract(element.as_ref()),
                }
                match table {
                    Table::Accounts => {
                        delta.account_elements += 1;
                        delta.accounts += appears;
                    }
                    _ => {
                        delta.slot_elements += 1;
                        delta.slots += appears;
                    }
                }
                Ok(())
            };
            expand(before, -1)?;
            expand(after, 1)?;
        }
        Ok(delta)
    }

    /// What both do.
    pub(super) fn join(mut self, other: Self) -> Self {
        self.sum.combine(&other.sum);
        self.account_elements += other.account_elements;
        self.slot_elements += other.slot_elements;
        self.accounts += other.accounts;
        self.slots += other.slots;
        self
    }
}

impl FlatLtHash {
    /// What the entries do to the state, computed on all threads.
    pub(super) fn delta(&self, entries: &[Entry]) -> Result<Delta, DesignError> {
        let delta = self.hashers.install(|| {
            entries
                .par_chunks(CHUNK)
                .map(Delta::of)
                .try_reduce(Delta::default, |a, b| Ok(a.join(b)))
        });
        delta.map_err(DesignError::store("expand what changes"))
    }
}

/// The table of a key.
pub(super) const fn table(key: &[u8]) -> Table {
    match key.len() {
        32 => Table::Accounts,
        _ => Table::Storage,
    }
}

pub(super) fn bad_entry(table: Table, key: &[u8], got: &[u8]) -> StoreError {
    StoreError::BadEntry {
        table,
        key: hex::encode(key),
        expected: "an account or a slot as this design writes it",
        got: hex::encode_prefixed(got),
    }
}
