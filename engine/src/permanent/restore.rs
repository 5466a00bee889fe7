//! What has expired comes back: stubs are replaced by what the archive holds for them.
//!
//! The leaves come back as they were, with the blocks that last wrote them. Where what is needed
//! lies under a stub under a stub, all of them are followed before anything is committed: one
//! commit for whatever a block needs. Costs: one scan step for each key, one record for each stub, and
//! the hashes of the buckets that the leaves fall into.

use super::{
    expiry::ExpiryError,
    tier::{PermanentTier, Shared},
    view::View,
    witness::StubLocation,
};
use crate::{
    archive::expired::{ExpiredArchive, ExpiredError},
    leaf_store::{LeafRead, LeafStore},
    trie::{
        change::{Base, Change, Target},
        codec::{Stub, TrieId, decode_account},
        error::{MissingNode, StateError, TrieName},
        path::{KEY_NIBBLES, Path},
        update::TrieJob,
    },
};
use alloy_primitives::B256;
use alloy_trie::EMPTY_ROOT_HASH;
use std::collections::BTreeMap;

impl<S: LeafStore> PermanentTier<S> {
    /// Brings back what these stubs stand for, with the blocks of its last writes; a commit of its
    /// own. The root stays. What lies under stubs inside stays where it is.
    pub fn restore(&self, stubs: &[StubLocation]) -> Result<(), ExpiryError> {
        let archive = self.shared.archive.as_ref().ok_or(ExpiryError::NoArchive)?;
        let _writer = self.shared.writer();
        let view = self.shared.view();
        let mut returning = Returning::new(&view, archive);
        for location in stubs {
            let trie = location.account.map_or(TrieId::Accounts, TrieId::Storage);
            let path = Path::from_nibbles(&location.path);
            let found = match path {
                Some(path) => returning.bring_stub(&trie, &path)?,
                None => false,
            };
            if !found {
                return Err(ExpiryError::Archive(ExpiredError::NotArchived {
                    trie: TrieName(location.account),
                    path: location.path,
                    hash: B256::ZERO,
                }));
            }
        }
        returning.commit()?;
        Ok(())
    }

    /// Brings back what lies over these keys, and what is missing; whether that was anything.
    pub(super) fn restore_for(
        &self,
        keys: &[(TrieId, B256)],
        missing: &MissingNode,
    ) -> Result<bool, StateError> {
        let _writer = self.shared.writer();
        self.shared.restore_for(&self.shared.view(), keys, missing)
    }
}

impl<S: LeafStore> Shared<S> {
    /// As above, for a caller that excludes other writers.
    pub(super) fn restore_for(
        &self,
        view: &View<'_, S>,
        keys: &[(TrieId, B256)],
        missing: &MissingNode,
    ) -> Result<bool, StateError> {
        let Some(archive) = &self.archive else {
            return Ok(false);
        };
        let mut returning = Returning::new(view, archive);
        for (trie, key) in keys {
            returning.bring(trie, *key)?;
        }
        let trie = missing.trie.0.map_or(TrieId::Accounts, TrieId::Storage);
        if let Some(path) = Path::from_nibbles(&missing.path) {
            returning.bring_stub(&trie, &path)?;
        }
        returning.commit()
    }
}

/// Entries by path: what they are from now on, `None` where they go.
type Entries = BTreeMap<Path, Option<Vec<u8>>>;

/// What comes back.
struct Returning<'v, 'a, S: LeafStore> {
    view: &'v View<'a, S>,
    archive: &'v ExpiredArchive,
    tries: BTreeMap<TrieId, Entries>,
    /// Storage roots of accounts that come back: of their storage nothing is live.
    accounts: BTreeMap<B256, B256>,
}

impl<'v, 'a, S: LeafStore> Returning<'v, 'a, S> {
    fn new(view: &'v View<'a, S>, archive: &'v ExpiredArchive) -> Self {
        Self {
            view,
            archive,
            tries: BTreeMap::new(),
            accounts: BTreeMap::new(),
        }
    }

    /// Brings back the stubs that `key` lies under, as far as they are archived.
    fn bring(&mut self, trie: &TrieId, key: B256) -> Result<(), StateError> {
        while let Some((path, stub)) = self.stub_over(trie, key)? {
            if !self.expand(trie, &path, &stub)? {
                break;
            }
        }
        Ok(())
    }

    /// Brings back the stub at `path`; whether it is there and archived, or has come back already.
    fn bring_stub(&mut self, trie: &TrieId, path: &Path) -> Result<bool, StateError> {
        let noted = self.tries.get(trie).and_then(|entries| entries.get(path));
        let value = match noted {
            Some(None) => return Ok(true),
            Some(Some(value)) => Some(value.clone()),
            None if path.len() == KEY_NIBBLES => None,
            None => self.view.snapshot.get(trie.table(), &trie.key(path))?,
        };
        match value.and_then(|value| Stub::decode(&value)) {
            Some(stub) => self.expand(trie, path, &stub),
            None => Ok(false),
        }
    }

    /// The stub over `key`, with what has come back so far.
    fn stub_over(&self, trie: &TrieId, key: B256) -> Result<Option<(Path, Stub)>, StateError> {
        let noted = self.tries.get(trie);
        if let Some((path, stub)) = self.view.stub_over(trie, key)?
            && noted.is_none_or(|entries| entries.get(&path) != Some(&None))
        {
            return Ok(Some((path, stub)));
        }
        let key = Path::leaf(key);
        let last = noted.and_then(|entries| {
            let upto = entries.range(..=key).rev();
            upto.filter_map(|(path, value)| Some((path, value.as_ref()?)))
                .next()
        });
        Ok(last
            .filter(|(path, _)| path.len() < KEY_NIBBLES && key.starts_with(path))
            .and_then(|(path, value)| Some((*path, Stub::decode(value)?))))
    }

    /// Replaces a stub by its entries; `false` where it is not archived.
    fn expand(&mut self, trie: &TrieId, path: &Path, stub: &Stub) -> Result<bool, StateError> {
        let Some(subtree) = self.archive.find(trie, path, stub.hash)? else {
            return Ok(false);
        };
        let entries = self.tries.entry(*trie).or_default();
        if entries.remove(path).is_none() {
            entries.insert(*path, None);
        }
        let mut with_storage = Vec::new();
        for (path, value) in subtree.entries {
            if *trie == TrieId::Accounts
                && path.len() == KEY_NIBBLES
                && let Some(account) = decode_account(&value)
                && account.value.storage_root != EMPTY_ROOT_HASH
            {
                with_storage.push((*path.bytes(), account.value.storage_root));
            }
            entries.insert(path, Some(value));
        }
        for (account, hash) in with_storage {
            let stub = Stub {
                hash,
                is_branch: false,
            };
            let storage = self.tries.entry(TrieId::Storage(account)).or_default();
            storage.insert(Path::EMPTY, Some(stub.encode()));
            self.accounts.insert(account, hash);
        }
        Ok(true)
    }

    /// Makes it durable; whether there was anything.
    fn commit(self) -> Result<bool, StateError> {
        let Self {
            view,
            mut tries,
            accounts,
            ..
        } = self;
        if tries.is_empty() {
            return Ok(false);
        }
        let account_entries = tries.remove(&TrieId::Accounts).unwrap_or_default();
        let jobs: Vec<_> = tries
            .into_iter()
            .map(|(trie, entries)| {
                let account = trie.account().unwrap_or_default();
                let returns = accounts.contains_key(&account);
                TrieJob {
                    trie,
                    top: view.state.storage.get(&account).cloned(),
                    base: if returns { Base::Empty } else { Base::Stored },
                    changes: changes(entries),
                }
            })
            .collect();
        let shared = view.shared;
        let mut transition = shared.transition(&view.state, &view.snapshot, &jobs, |_| {
            changes(account_entries)
        })?;
        let got = transition.state.head.root;
        if got != view.head().root {
            return Err(StateError::Contradiction {
                trie: TrieName(None),
                path: Path::EMPTY.nibbles(),
            });
        }
        for (job, root) in jobs.iter().zip(&transition.storage_roots) {
            let account = job.trie.account().unwrap_or_default();
            let expected = match accounts.get(&account) {
                Some(root) => Some(*root),
                None => view.trie_account_hashed(account)?.map(|a| a.storage_root),
            };
            if expected != Some(*root) {
                return Err(StateError::Contradiction {
                    trie: TrieName(Some(account)),
                    path: Path::EMPTY.nibbles(),
                });
            }
        }
        transition.count();
        shared.note_stubs(&mut transition, false)?;
        let batch = transition.batch(shared.threads(), None);
        shared.publish(batch, transition.state)?;
        Ok(true)
    }
}

fn changes(entries: Entries) -> Vec<Change> {
    let change = |(path, value): (Path, Option<Vec<u8>>)| Change {
        path,
        to: value.map_or(Target::Absent, Target::Value),
    };
    entries.into_iter().map(change).collect()
}
