//! Changes of entries, and how they meet the entries of a bucket.

use super::{
    codec::{Dated, Stub, TrieId, copy_to_date, decode_account, encode_account, undate},
    error::{Need, StateError},
    forest::Forest,
    leaf_hashes::LeafHash,
    path::Path,
};
use crate::leaf_store::LeafRead;
use alloy_primitives::B256;
use alloy_trie::{EMPTY_ROOT_HASH, TrieAccount};
use core::ops::{ControlFlow, Range};
use thinstate_formats::Account;

/// What becomes of one entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) path: Path,
    pub(crate) to: Target,
}

/// What an entry is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// Absent.
    Absent,
    /// This, as the leaf store holds it.
    Value(Vec<u8>),
    /// This undated leaf. An entry that holds the same is not written, and keeps its block.
    Leaf(Vec<u8>),
    /// An account whose fields or storage root change while the others stay.
    Account {
        /// New fields; `None` leaves them.
        fields: Option<Account>,
        /// New storage root; `None` leaves it.
        storage_root: Option<B256>,
        /// Whether the account is written even where nothing of it differs: it was destroyed.
        anew: bool,
    },
}

/// An entry that a change really altered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) trie: TrieId,
    pub(crate) path: Path,
    /// What was there; `None` where there was nothing.
    pub(crate) before: Option<Vec<u8>>,
    /// What is there now; undated where the change was.
    pub(crate) after: Option<Vec<u8>>,
}

/// Where the entries of a trie come from before the changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Base {
    /// From the leaf store.
    Stored,
    /// There are none: the trie is new, or was wiped.
    Empty,
}

/// Which entries are loaded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin<'a> {
    pub(crate) trie: &'a TrieId,
    pub(crate) prefix: &'a Path,
    pub(crate) base: Base,
    /// Hashes of the stored leaves, in order, where they are held; none otherwise.
    pub(crate) held: &'a [LeafHash],
}

/// Brings the entries of an origin, with `changes` applied, into `forest`, and notes in
/// `written`, where given, what the changes altered. Costs one scan, none for [`Base::Empty`].
pub(crate) fn load<R: LeafRead>(
    store: &R,
    origin: &Origin<'_>,
    changes: &[Change],
    forest: &mut Forest<'_>,
    written: Option<&mut Vec<Written>>,
) -> Result<Range<usize>, StateError> {
    let Origin {
        trie, prefix, base, ..
    } = *origin;
    let first = forest.entry_count();
    let mut merge = Merge {
        trie,
        held: origin.held.iter(),
        misled: false,
        changes: changes.iter(),
        forest,
        written,
        stub: None,
    };
    if base == Base::Stored {
        let (from, to) = trie.range(prefix);
        let mut failed = None;
        store.scan(
            trie.table(),
            &from,
            to.as_deref(),
            &mut |key, value| match merge.stored(key, value) {
                Ok(()) => ControlFlow::Continue(()),
                Err(error) => {
                    failed = Some(error);
                    ControlFlow::Break(())
                }
            },
        )?;
        if let Some(error) = failed {
            return Err(error);
        }
    }
    merge.misled |= merge.held.next().is_some();
    let misled = merge.misled && !origin.held.is_empty();
    merge.rest()?;
    let loaded = first..forest.entry_count();
    if misled {
        forest.forget_hashes(trie, loaded.clone())?;
    }
    Ok(loaded)
}

/// A merge of stored entries with changes, both ascending.
struct Merge<'a, 'f, 'h> {
    trie: &'a TrieId,
    held: core::slice::Iter<'a, LeafHash>,
    /// Whether the entries are others than those that the held hashes are of.
    misled: bool,
    changes: core::slice::Iter<'a, Change>,
    forest: &'f mut Forest<'h>,
    written: Option<&'f mut Vec<Written>>,
    /// The last stub that stays: a change under it is a change of what is not held.
    stub: Option<(Path, B256)>,
}

impl Merge<'_, '_, '_> {
    /// Takes the next stored entry, after the changes before it.
    fn stored(&mut self, key: &[u8], value: &[u8]) -> Result<(), StateError> {
        let path = self.trie.stored_path(key)?;
        let held = self.held.next();
        self.misled |= held.is_none() || path.len() < super::path::KEY_NIBBLES;
        while let Some(change) = self.changes.as_slice().first() {
            if change.path >= path {
                break;
            }
            self.changes.next();
            self.apply(change, None)?;
        }
        match self.changes.as_slice().first() {
            Some(change) if change.path == path => {
                self.changes.next();
                self.apply(change, Some(value))
            }
            _ => self.keep(path, value, held),
        }
    }

    fn rest(mut self) -> Result<(), StateError> {
        while let Some(change) = self.changes.next() {
            self.apply(change, None)?;
        }
        Ok(())
    }

    fn keep(
        &mut self,
        path: Path,
        value: &[u8],
        held: Option<&LeafHash>,
    ) -> Result<(), StateError> {
        match held {
            Some(held) if !self.misled => self.forest.push_hashed(path, value, *held),
            _ => self.forest.push(self.trie, path, value)?,
        }
        if path.len() < super::path::KEY_NIBBLES {
            let hash = Stub::decode(value).map_or(B256::ZERO, |stub| stub.hash);
            self.stub = Some((path, hash));
        }
        Ok(())
    }

    fn apply(&mut self, change: &Change, before: Option<&[u8]>) -> Result<(), StateError> {
        if let Some((stub, hash)) = &self.stub
            && change.path.starts_with(stub)
        {
            return Err(StateError::missing(*self.trie, stub, *hash, Need::Change));
        }
        let after = match &change.to {
            Target::Absent => None,
            Target::Value(value) => Some(value.clone()),
            Target::Leaf(value) => Some(copy_to_date(value)),
            Target::Account {
                fields,
                storage_root,
                ..
            } => Some(self.account(&change.path, before, fields.as_ref(), *storage_root)?),
        };
        if let Some(value) = &after {
            self.forest.push(self.trie, change.path, value)?;
        }
        let held = match &change.to {
            Target::Absent | Target::Value(_) => before,
            Target::Account { anew: true, .. } => None,
            Target::Leaf(_) | Target::Account { .. } => {
                before.and_then(|leaf| undate(self.trie, leaf).map(|dated| dated.value))
            }
        };
        if let Some(written) = &mut self.written
            && after.as_deref() != held
        {
            written.push(Written {
                trie: *self.trie,
                path: change.path,
                before: before.map(<[u8]>::to_vec),
                after,
            });
        }
        Ok(())
    }

    fn account(
        &self,
        path: &Path,
        before: Option<&[u8]>,
        fields: Option<&Account>,
        storage_root: Option<B256>,
    ) -> Result<Vec<u8>, StateError> {
        let before = match before {
            None => None,
            Some(leaf) => Some(decode_account(leaf).map(Dated::into_value).ok_or_else(|| {
                StateError::Store(crate::leaf_store::StoreError::BadEntry {
                    table: self.trie.table(),
                    key: alloy_primitives::hex::encode(path.bytes()),
                    expected: "an account leaf",
                    got: alloy_primitives::hex::encode_prefixed(leaf),
                })
            })?),
        };
        let fields = fields
            .copied()
            .or_else(|| before.map(|b| account_of(&b)))
            .ok_or(StateError::NoSuchAccount {
                account: *path.bytes(),
            })?;
        let storage_root = storage_root
            .or_else(|| before.map(|b| b.storage_root))
            .unwrap_or(EMPTY_ROOT_HASH);
        Ok(encode_account(&TrieAccount::new(
            fields.nonce,
            fields.balance,
            storage_root,
            fields.code_hash,
        )))
    }
}

/// An account without its storage root.
pub(crate) const fn account_of(account: &TrieAccount) -> Account {
    Account {
        nonce: account.nonce,
        balance: account.balance,
        code_hash: account.code_hash,
    }
}
