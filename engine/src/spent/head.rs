//! What the leaf store knows of the fields: their lengths, the last commit, its root.

use super::{FieldId, SpentError};
use crate::leaf_store::{Batch, LeafRead, StoreError, Table};
use alloy_primitives::{B256, hex};
use core::ops::ControlFlow;
use std::collections::BTreeMap;
use thinstate_formats::HashKind;

const VERSION: u8 = 1;
const HEAD_KEY: &[u8] = b"h";
const HEAD_LEN: usize = 50;
const FIELD: u8 = b'f';
const ENTRY: u8 = b'j';

/// The state after the last commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SpentHead {
    pub(super) hash: HashKind,
    /// Number of the last commit; the first is 1.
    pub(super) commit: u64,
    /// First commit that the journal still has; one more than the last if it has none.
    pub(super) kept_from: u64,
    pub(super) root: B256,
}

impl SpentHead {
    pub(super) fn write(&self, batch: &mut Batch) {
        let mut bytes = vec![VERSION, self.hash.id()];
        bytes.extend_from_slice(&self.commit.to_le_bytes());
        bytes.extend_from_slice(&self.kept_from.to_le_bytes());
        bytes.extend_from_slice(self.root.as_slice());
        batch.put(Table::Journal, HEAD_KEY, bytes);
    }

    pub(super) fn read<R: LeafRead>(read: &R) -> Result<Option<Self>, StoreError> {
        let Some(bytes) = read.get(Table::Journal, HEAD_KEY)? else {
            return Ok(None);
        };
        let head = Self::decode(&bytes);
        head.map(Some)
            .ok_or_else(|| bad(HEAD_KEY, "50 bytes of version 1", &bytes))
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; HEAD_LEN] = bytes.try_into().ok()?;
        let [VERSION, hash, rest @ ..] = bytes else {
            return None;
        };
        let (commit, rest) = rest.split_first_chunk::<8>()?;
        let (kept_from, root) = rest.split_first_chunk::<8>()?;
        let (commit, kept_from) = (u64::from_le_bytes(*commit), u64::from_le_bytes(*kept_from));
        // The journal begins at its first entry, and at most behind its last.
        (1..=commit.checked_add(1)?)
            .contains(&kept_from)
            .then_some(())?;
        Some(Self {
            hash: HashKind::from_id(*hash)?,
            commit,
            kept_from,
            root: B256::from_slice(root),
        })
    }
}

fn field_key(field: FieldId) -> [u8; 10] {
    let (kind, period) = field.parts();
    let mut key = [FIELD; 10];
    key[1] = kind;
    key[2..].copy_from_slice(&period.to_be_bytes());
    key
}

/// Records the length of a field, or that it is gone.
pub(super) fn write_field(batch: &mut Batch, field: FieldId, len: Option<u64>) {
    match len {
        Some(len) => batch.put(Table::Journal, field_key(field), len.to_le_bytes()),
        None => batch.delete(Table::Journal, field_key(field)),
    }
}

/// All fields, with their lengths.
pub(super) fn read_fields<R: LeafRead>(read: &R) -> Result<BTreeMap<FieldId, u64>, StoreError> {
    let mut fields = BTreeMap::new();
    let mut wrong = None;
    read.scan(
        Table::Journal,
        &[FIELD],
        Some(&[FIELD + 1]),
        &mut |key, value| {
            let (field, len) = (
                decode_field_key(key),
                value.try_into().map(u64::from_le_bytes),
            );
            match (field, len) {
                (Some(field), Ok(len)) => {
                    fields.insert(field, len);
                    ControlFlow::Continue(())
                }
                _ => {
                    wrong = Some(bad(key, "a field and its 8 bytes of length", value));
                    ControlFlow::Break(())
                }
            }
        },
    )?;
    wrong.map_or(Ok(fields), Err)
}

fn decode_field_key(key: &[u8]) -> Option<FieldId> {
    let [FIELD, kind, period @ ..] = key else {
        return None;
    };
    FieldId::from_parts(*kind, u64::from_be_bytes(period.try_into().ok()?))
}

/// The key of a commit's entry in the journal.
pub(super) fn entry_key(commit: u64) -> [u8; 9] {
    let mut key = [ENTRY; 9];
    key[1..].copy_from_slice(&commit.to_be_bytes());
    key
}

/// Visits the journal's entries from one commit to another, both included, in order; each must be
/// there.
pub(super) fn for_each_entry<R: LeafRead>(
    read: &R,
    from: u64,
    to: u64,
    mut visit: impl FnMut(u64, &[u8]) -> Result<(), SpentError>,
) -> Result<(), SpentError> {
    let mut expected = from;
    let mut result = Ok(());
    read.scan(
        Table::Journal,
        &[ENTRY],
        Some(&[ENTRY + 1]),
        &mut |key, value| {
            let got = key.get(1..).and_then(|key| key.try_into().ok());
            let got = got.map_or(0, u64::from_be_bytes);
            result = match got == expected && got <= to {
                true => visit(got, value),
                false => Err(SpentError::JournalGap { expected, got }),
            };
            expected += 1;
            match &result {
                Ok(()) => ControlFlow::Continue(()),
                Err(_) => ControlFlow::Break(()),
            }
        },
    )?;
    result?;
    match expected == to + 1 {
        true => Ok(()),
        false => Err(SpentError::JournalGap {
            expected,
            got: expected - 1,
        }),
    }
}

fn bad(key: &[u8], expected: &'static str, got: &[u8]) -> StoreError {
    StoreError::BadEntry {
        table: Table::Journal,
        key: hex::encode(key),
        expected,
        got: format!("0x{}", hex::encode(got)),
    }
}
