//! What one step of the sweep looks at: entries behind the cursor, by trie.

use super::{ExpiryRule, StateKey, state::Cursor};
use crate::{
    leaf_store::{LeafRead, LeafStore, StoreError, Table},
    permanent::view::View,
    trie::{
        codec::{TrieId, decode_account, undate},
        path::{KEY_NIBBLES, Path},
    },
};
use alloy_primitives::{B256, hex};
use alloy_trie::EMPTY_ROOT_HASH;
use core::ops::ControlFlow;

/// Entries by path, as they are stored.
type Entries = Vec<(Path, Vec<u8>)>;

/// An entry, and what is known of its age.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) path: Path,
    pub(super) value: Vec<u8>,
    pub(super) cold: bool,
    /// All entries of the account's storage, where the item is a cold account that has some.
    pub(super) storage: Entries,
}

/// Entries of one trie, without a gap.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) trie: TrieId,
    /// An entry of the trie that comes before them; `None` where they begin it.
    pub(super) left: Option<Path>,
    pub(super) items: Vec<Item>,
    /// The entry of the trie that comes after them; `None` where they end it.
    pub(super) right: Option<Path>,
    /// The cursor before them.
    before: Cursor,
}

impl Group {
    /// Items of the account trie.
    #[cfg(test)]
    pub(super) fn of_accounts(items: Vec<Item>, left: Option<Path>, right: Option<Path>) -> Self {
        Self {
            trie: TrieId::Accounts,
            left,
            items,
            right,
            before: Cursor::default(),
        }
    }

    /// The cursor that begins with the item at `index`.
    pub(super) fn cursor_before(&self, index: usize) -> Cursor {
        match index.checked_sub(1).and_then(|i| self.items.get(i)) {
            Some(item) => Cursor {
                table: self.trie.table(),
                after: self.trie.key(&item.path),
            },
            None => self.before.clone(),
        }
    }
}

/// What one step looks at.
#[derive(Debug)]
pub(super) struct Window {
    pub(super) groups: Vec<Group>,
    /// Entries read.
    pub(super) scanned: u64,
    /// Where the next step begins if everything is decided.
    pub(super) next: Cursor,
}

/// A key and its value.
type Stored = (Vec<u8>, Vec<u8>);

impl Window {
    /// Reads at most `cap` entries behind the cursor.
    pub(super) fn read<S: LeafStore>(
        view: &View<'_, S>,
        cursor: &Cursor,
        rule: &ExpiryRule<'_>,
        cap: usize,
    ) -> Result<Self, StoreError> {
        match cursor.table {
            Table::Accounts => Self::accounts(view, cursor, rule, cap),
            _ => Self::storage(view, cursor, rule, cap),
        }
    }

    fn storage<S: LeafStore>(
        view: &View<'_, S>,
        cursor: &Cursor,
        rule: &ExpiryRule<'_>,
        cap: usize,
    ) -> Result<Self, StoreError> {
        let (entries, behind) = read_behind(view, cursor, cap - 1)?;
        let scanned = entries.len() as u64 + u64::from(behind.is_some());
        let next = match (&behind, entries.last()) {
            (Some(_), Some((last, _))) => Cursor {
                table: Table::Storage,
                after: last.clone(),
            },
            _ => Cursor::before(Table::Accounts),
        };
        let mut groups: Vec<Group> = Vec::new();
        let mut previous = cursor.clone();
        for (key, value) in entries {
            let trie = TrieId::Storage(account_of(&key)?);
            let item = item(&trie, &key, value, rule)?;
            match groups.last_mut().filter(|group| group.trie == trie) {
                Some(group) => group.items.push(item),
                None => groups.push(Group {
                    trie,
                    left: neighbour(&trie, &previous.after)?,
                    items: vec![item],
                    right: None,
                    before: previous.clone(),
                }),
            }
            previous.after = key;
        }
        if let (Some(group), Some(key)) = (groups.last_mut(), &behind) {
            group.right = neighbour(&group.trie, key)?;
        }
        Ok(Self {
            groups,
            scanned,
            next,
        })
    }

    /// Half of the cap is for accounts, half for their storage.
    fn accounts<S: LeafStore>(
        view: &View<'_, S>,
        cursor: &Cursor,
        rule: &ExpiryRule<'_>,
        cap: usize,
    ) -> Result<Self, StoreError> {
        let trie = TrieId::Accounts;
        let (entries, mut behind) = read_behind(view, cursor, cap / 2 - 1)?;
        let mut scanned = entries.len() as u64 + u64::from(behind.is_some());
        // So that a subtree of `entries_max` accounts with so much storage each is seen whole.
        let storage_max = cap / 2 / (rule.entries_max + 1) - 1;
        let mut left_to_scan = cap / 2;
        let mut items = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            if left_to_scan <= storage_max {
                behind = Some(key);
                break;
            }
            let mut item = item(&trie, &key, value, rule)?;
            if item.cold && has_storage(&item) {
                let storage = storage_of(view, *item.path.bytes(), rule, storage_max)?;
                let read = storage.as_ref().map_or(storage_max + 1, Vec::len);
                left_to_scan -= read;
                scanned += read as u64;
                item.cold = storage.is_some();
                item.storage = storage.unwrap_or_default();
            }
            items.push(item);
        }
        let next = match (&behind, items.last()) {
            (Some(_), Some(last)) => Cursor {
                table: Table::Accounts,
                after: trie.key(&last.path),
            },
            _ => Cursor::default(),
        };
        let group = Group {
            trie,
            left: neighbour(&trie, &cursor.after)?,
            items,
            right: behind.map(|key| trie.stored_path(&key)).transpose()?,
            before: cursor.clone(),
        };
        Ok(Self {
            groups: vec![group],
            scanned,
            next,
        })
    }
}

/// At most `count` entries behind the cursor, and the key of the one that follows them.
fn read_behind<S: LeafStore>(
    view: &View<'_, S>,
    cursor: &Cursor,
    count: usize,
) -> Result<(Vec<Stored>, Option<Vec<u8>>), StoreError> {
    let mut from = cursor.after.clone();
    if !from.is_empty() {
        from.push(0);
    }
    let (mut entries, mut behind) = (Vec::new(), None);
    let visit = &mut |key: &[u8], value: &[u8]| {
        if entries.len() == count {
            behind = Some(key.to_vec());
            return ControlFlow::Break(());
        }
        entries.push((key.to_vec(), value.to_vec()));
        ControlFlow::Continue(())
    };
    view.snapshot.scan(cursor.table, &from, None, visit)?;
    Ok((entries, behind))
}

fn account_of(key: &[u8]) -> Result<B256, StoreError> {
    let account = key.first_chunk::<32>().map(B256::from);
    account.ok_or_else(|| StoreError::BadEntry {
        table: Table::Storage,
        key: hex::encode(key),
        expected: "a key of at least 32 bytes",
        got: format!("{} bytes", key.len()),
    })
}

/// The path of the entry with this key where it is one of `trie`.
fn neighbour(trie: &TrieId, key: &[u8]) -> Result<Option<Path>, StoreError> {
    let same = match trie {
        TrieId::Accounts => !key.is_empty(),
        TrieId::Storage(account) => key.starts_with(account.as_slice()),
    };
    same.then(|| trie.stored_path(key)).transpose()
}

fn item(
    trie: &TrieId,
    key: &[u8],
    value: Vec<u8>,
    rule: &ExpiryRule<'_>,
) -> Result<Item, StoreError> {
    let path = trie.stored_path(key)?;
    let cold = is_cold(trie, &path, &value, rule).ok_or_else(|| StoreError::BadEntry {
        table: trie.table(),
        key: hex::encode(key),
        expected: "a leaf with the block of its last write",
        got: hex::encode_prefixed(&value),
    })?;
    Ok(Item {
        path,
        value,
        cold,
        storage: Vec::new(),
    })
}

/// Whether an entry may be cut by its age; `None` where it has none.
fn is_cold(trie: &TrieId, path: &Path, value: &[u8], rule: &ExpiryRule<'_>) -> Option<bool> {
    if path.len() < KEY_NIBBLES {
        return Some(rule.merge_stubs);
    }
    if undate(trie, value)?.last_written >= rule.written_before {
        return Some(false);
    }
    let key = match trie {
        TrieId::Accounts => StateKey {
            account: *path.bytes(),
            slot: None,
        },
        TrieId::Storage(account) => StateKey {
            account: *account,
            slot: Some(*path.bytes()),
        },
    };
    Some(!rule.spare.is_some_and(|spares| spares(key)))
}

fn has_storage(item: &Item) -> bool {
    item.path.len() == KEY_NIBBLES
        && decode_account(&item.value).is_some_and(|a| a.value.storage_root != EMPTY_ROOT_HASH)
}

/// All entries of an account's storage; `None` where there are more than `count`, or one that is
/// not cold.
fn storage_of<S: LeafStore>(
    view: &View<'_, S>,
    account: B256,
    rule: &ExpiryRule<'_>,
    count: usize,
) -> Result<Option<Entries>, StoreError> {
    let trie = TrieId::Storage(account);
    let (from, to) = trie.range(&Path::EMPTY);
    let mut entries = Vec::new();
    let mut outcome = Ok(true);
    view.snapshot
        .scan(Table::Storage, &from, to.as_deref(), &mut |key, value| {
            outcome = item(&trie, key, value.to_vec(), rule).map(|item| {
                // A stub goes with its account whether or not stubs merge.
                let cold = item.cold || item.path.len() < KEY_NIBBLES;
                entries.push((item.path, item.value));
                cold && entries.len() <= count
            });
            match outcome {
                Ok(true) => ControlFlow::Continue(()),
                _ => ControlFlow::Break(()),
            }
        })?;
    Ok(outcome?.then_some(entries))
}
