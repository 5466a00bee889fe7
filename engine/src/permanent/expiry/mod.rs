//! Expiry in place: subtrees in which nothing was written for long are cut down to stubs.
//!
//! A *sweep* goes over the storage tries, then over the account trie, in the order of the keys, a
//! capped number of entries at a time, and begins again. In what it reads it looks for the largest
//! subtrees that are cold as a whole: every leaf last written before a given block, no more entries
//! than one rebuild may take. Their entries go to the archive, a stub takes their place. A stub is
//! itself an entry that is cold, so that a later pass merges stubs, and a large trie in which nothing
//! happens ends as one. A cold account is cut with its position in the account trie once its storage
//! has come down to few entries, and its storage goes with it.
//!
//! ```text
//! table "meta", key "expiry":
//! version u8 = 1 | archive: segment u32, length u64 | leaves u64 | records u64 | record bytes u64
//! | garbage records u64 | garbage bytes u64 | passes u64 | table u8 | key length u8 | key | crc32 u32
//! ```
//!
//! * The root never changes: it is computed again from the entries that are left, and compared.
//! * A stub lies at a branch, never at the extension above, so that a neighbour that collapses needs
//!   no witness.
//! * What a block wrote is not cut before the block is too old to be undone. A block may have
//!   *deleted* a leaf whose neighbours are cut; undoing it brings them back from the archive first.
//! * Expiry is no part of any block: two stores that expire differently have the same roots.
//!
//! Costs, for each step: one scan of at most `cap` entries, storage of accounts included; for each
//! subtree that is cut 1 look-up in the archive's index, one record and its hashes twice; one get of
//! the account for each storage trie; one write and sync of the archive, then one commit. A step that
//! cuts nothing writes nothing: its cursor is saved with the next commit.

mod rule;
mod select;
mod state;
mod window;

pub use rule::{ExpiryRule, StateKey};
pub use state::Expired;
pub(crate) use state::ExpiryState;

use super::{
    tier::{PermanentTier, Shared, State},
    transition::Transition,
    view::View,
};
use crate::{
    archive::expired::{ExpiredArchive, ExpiredError, Subtree},
    leaf_store::{LeafStore, StoreError},
    trie::{
        change::{Base, Change, Target, Written},
        codec::{Stub, TrieId, decode_account},
        error::StateError,
        forest::Forest,
        path::{KEY_NIBBLES, Path},
        update::TrieJob,
    },
};
use alloy_primitives::B256;
use alloy_trie::EMPTY_ROOT_HASH;
use state::Cursor;
use std::{collections::BTreeMap, sync::Arc};
use thinstate_formats::BlockNumber;
use window::{Item, Window};

/// What a step of the sweep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExpiryReport {
    /// Entries read, storage of accounts included.
    pub entries_scanned: u64,
    /// Account leaves cut.
    pub accounts: u64,
    /// Slot leaves cut.
    pub slots: u64,
    /// Stubs that went into others.
    pub stubs_merged: u64,
    /// Stubs that took the place of all these.
    pub stubs: u64,
    /// Records written to the archive; not those that it had already.
    pub records: u64,
    /// Bytes of these.
    pub archive_bytes: u64,
    /// Whether the sweep has come to the end of the state; the next step begins again.
    pub pass_finished: bool,
}

/// A step of the sweep, or a restore, was not made. The state is as before.
#[derive(Debug, thiserror::Error)]
pub enum ExpiryError {
    /// The store was opened without an archive for what expires.
    #[error("the store was opened without an archive for what expires")]
    NoArchive,
    /// The rule makes no sense.
    #[error("{name} is {got}, expected {expected}")]
    BadRule {
        /// Which part of it.
        name: &'static str,
        /// What it may be.
        expected: String,
        /// What it is.
        got: usize,
    },
    /// The state could not be read.
    #[error(transparent)]
    State(#[from] StateError),
    /// The leaf store failed; after a failed write it must be reopened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The archive failed; after a failed write the store must be reopened.
    #[error(transparent)]
    Archive(#[from] ExpiredError),
    /// A root would have changed: the store is damaged. Verify it.
    #[error("a root would change from {expected} to {got}: the store is damaged")]
    RootChanged {
        /// The root.
        expected: B256,
        /// What it would be.
        got: B256,
    },
}

/// What a step looks at comes to.
struct Found {
    /// Runs of items that are to be cut.
    chosen: Vec<(TrieId, Vec<Item>)>,
    scanned: u64,
    /// Where the next step goes on.
    next: Cursor,
}

impl Found {
    fn by<S: LeafStore>(
        rule: &ExpiryRule<'_>,
        view: &View<'_, S>,
        cap: usize,
    ) -> Result<Self, StoreError> {
        let window = Window::read(view, &view.state.expiry.cursor, rule, cap)?;
        let mut found = Self {
            chosen: Vec::new(),
            scanned: window.scanned,
            next: window.next,
        };
        for group in window.groups {
            let selected = select::select(&group, rule);
            if let Some(at) = selected.undecided {
                found.next = group.cursor_before(at);
            }
            found.chosen.extend(selected.take(group));
        }
        Ok(found)
    }
}

/// A subtree that is cut.
#[derive(Debug)]
struct Cut {
    subtree: Subtree,
    /// Storage that goes with its accounts.
    storage: Vec<Subtree>,
}

impl<S: LeafStore> PermanentTier<S> {
    /// Goes on with the sweep: reads at most `cap` entries behind those that it read last, and cuts
    /// the cold subtrees among them. A commit of its own, between blocks; a block that was prepared
    /// before it has to be prepared again.
    pub fn expire(&self, rule: &ExpiryRule<'_>, cap: usize) -> Result<ExpiryReport, ExpiryError> {
        rule.check(cap)?;
        let archive = self.shared.archive.as_ref().ok_or(ExpiryError::NoArchive)?;
        let _writer = self.shared.writer();
        let view = self.shared.view();
        let rule = self.clamped(rule, &view);
        let found = Found::by(&rule, &view, cap)?;
        let mut expiry = (*view.state.expiry).clone();
        let mut report = ExpiryReport {
            entries_scanned: found.scanned,
            pass_finished: found.next.is_start(),
            ..ExpiryReport::default()
        };
        expiry.totals.passes += u64::from(report.pass_finished);
        expiry.cursor = found.next;
        let cuts = self.shared.build(found.chosen)?;
        if cuts.is_empty() {
            self.shared.publish_unsaved(State {
                expiry: Arc::new(expiry),
                expiry_saved: false,
                ..(*view.state).clone()
            });
        } else {
            self.cut(archive, view, cuts, expiry, &mut report)?;
        }
        Ok(report)
    }

    /// What has expired since the store was made.
    pub fn expired(&self) -> Expired {
        self.shared.state().expiry.totals
    }

    /// The rule, kept from blocks that can be undone.
    fn clamped<'r>(&self, rule: &ExpiryRule<'r>, view: &View<'_, S>) -> ExpiryRule<'r> {
        let head = view.head().block.map_or(0, |block| block.number.0);
        let settled = (head + 1).saturating_sub(self.shared.options.undo_blocks);
        ExpiryRule {
            written_before: rule.written_before.min(BlockNumber(settled)),
            ..*rule
        }
    }

    /// Writes the records, replaces the subtrees by stubs, commits.
    fn cut(
        &self,
        archive: &ExpiredArchive,
        view: View<'_, S>,
        cuts: Vec<Cut>,
        mut expiry: ExpiryState,
        report: &mut ExpiryReport,
    ) -> Result<(), ExpiryError> {
        let mut transition = self.shared.cut_transition(&view, &cuts)?;
        transition.count();
        report.count(&cuts);
        let subtrees = cuts
            .into_iter()
            .flat_map(|c| c.storage.into_iter().chain([c.subtree]));
        let mut records = Vec::new();
        for subtree in subtrees {
            match archive.record_bytes(&subtree.trie, &subtree.path, subtree.hash)? {
                None => records.push(subtree),
                Some(bytes) => expiry.totals.revive(bytes),
            }
        }
        let staged = archive.stage(&records)?;
        (report.records, report.archive_bytes) = (records.len() as u64, staged.bytes);
        expiry.tip = staged.tip;
        expiry.totals.leaves += report.accounts + report.slots;
        expiry.totals.records += report.records;
        expiry.totals.record_bytes += report.archive_bytes;
        transition.state.expiry = Arc::new(expiry);
        transition.state.expiry_saved = false;
        let batch = transition.batch(self.shared.threads(), None);
        drop(view);
        self.shared.publish(batch, transition.state)?;
        archive.publish(staged);
        Ok(())
    }
}

impl<S: LeafStore> Shared<S> {
    /// Hashes what was chosen. A subtree that its parent holds inline, or whose storage is not what
    /// its account says, is left alone.
    fn build(&self, chosen: Vec<(TrieId, Vec<Item>)>) -> Result<Vec<Cut>, StateError> {
        let mut forest = Forest::new(&self.hasher);
        let mut planted = Vec::with_capacity(chosen.len());
        for (trie, items) in &chosen {
            let path = common_path(items);
            let first = forest.entry_count();
            for item in items {
                forest.push(trie, item.path, &item.value)?;
            }
            let entries = first..forest.entry_count();
            planted.push((path, forest.plant(trie, entries, path.len())?));
        }
        forest.hash();
        let built = chosen.into_iter().zip(planted);
        let cut = |((trie, items), (path, node)): ((TrieId, Vec<Item>), (Path, u32))| {
            let reference = forest.reference(node);
            let hash = match path.len() {
                0 => reference.root_hash(),
                _ if reference.is_inline() => return None,
                _ => reference.raw(),
            };
            Some(Cut::new(trie, path, hash, items))
        };
        Ok(built.filter_map(cut).collect())
    }

    /// The state with stubs in place of the subtrees; with the same roots.
    fn cut_transition(&self, view: &View<'_, S>, cuts: &[Cut]) -> Result<Transition, ExpiryError> {
        let mut changes: BTreeMap<TrieId, Vec<Change>> = BTreeMap::new();
        for Cut { subtree, .. } in cuts {
            let stub = Stub {
                hash: subtree.hash,
                is_branch: true,
            };
            let of_trie = changes.entry(subtree.trie).or_default();
            let gone = subtree.entries.iter().map(|(path, _)| *path);
            of_trie.push(Change {
                path: subtree.path,
                to: Target::Value(stub.encode()),
            });
            of_trie.extend(gone.map(|path| Change {
                path,
                to: Target::Absent,
            }));
        }
        for of_trie in changes.values_mut() {
            of_trie.sort_unstable_by_key(|c| c.path);
        }
        let accounts = changes.remove(&TrieId::Accounts).unwrap_or_default();
        let mut expected = Vec::with_capacity(changes.len());
        let mut jobs = Vec::with_capacity(changes.len());
        for (trie, changes) in changes {
            let account = trie.account().unwrap_or_default();
            let leaf = view.trie_account_hashed(account)?;
            expected.push(leaf.map_or(EMPTY_ROOT_HASH, |a| a.storage_root));
            jobs.push(TrieJob {
                trie,
                top: view.state.storage.get(&account).cloned(),
                base: Base::Stored,
                changes,
            });
        }
        let mut transition = self.transition(&view.state, &view.snapshot, &jobs, |_| accounts)?;
        let roots = transition.storage_roots.iter().zip(&expected);
        let root = (&transition.state.head.root, &view.head().root);
        for (got, expected) in roots.chain([root]) {
            if got != expected {
                return Err(ExpiryError::RootChanged {
                    expected: *expected,
                    got: *got,
                });
            }
        }
        for storage in cuts.iter().flat_map(|cut| &cut.storage) {
            remove_storage(&mut transition, storage);
        }
        Ok(transition)
    }

    /// Keeps count of the archive's garbage: records whose stubs are gone, or, where a block is
    /// `undone`, back.
    pub(crate) fn note_stubs(
        &self,
        transition: &mut Transition,
        undone: bool,
    ) -> Result<(), StateError> {
        let Some(archive) = &self.archive else {
            return Ok(());
        };
        let mut totals = transition.state.expiry.totals;
        for (written, stub, held) in transition.written.iter().filter_map(stub_of) {
            if held && !undone {
                continue;
            }
            let bytes = archive.record_bytes(&written.trie, &written.path, stub.hash)?;
            match bytes {
                Some(bytes) if held => totals.revive(bytes),
                Some(bytes) => totals.bury(bytes),
                None => {}
            }
        }
        if totals != transition.state.expiry.totals {
            Arc::make_mut(&mut transition.state.expiry).totals = totals;
            transition.state.expiry_saved = false;
        }
        Ok(())
    }

    /// Whether reads are answered from the archive.
    pub(crate) fn archive_answers(&self) -> bool {
        self.options.expired_reads == super::ExpiredReads::ArchiveBacked
    }
}

/// A stub that appeared (`true`) or went, with the entry.
fn stub_of(written: &Written) -> Option<(&Written, Stub, bool)> {
    if written.path.len() == KEY_NIBBLES {
        return None;
    }
    match (&written.before, &written.after) {
        (Some(before), None) => Some((written, Stub::decode(before)?, false)),
        (None, Some(after)) => Some((written, Stub::decode(after)?, true)),
        _ => None,
    }
}

/// Notes that the storage of an account goes with the account.
fn remove_storage(transition: &mut Transition, storage: &Subtree) {
    let gone = storage.entries.iter().map(|(path, value)| Written {
        trie: storage.trie,
        path: *path,
        before: Some(value.clone()),
        after: None,
    });
    transition.written.extend(gone);
    if let Some(account) = storage.trie.account() {
        transition.state.storage.set(account, None);
    }
}

/// The path of the branch under which all the items lie.
fn common_path(items: &[Item]) -> Path {
    match (items.first(), items.last()) {
        (Some(first), Some(last)) => first.path.prefix(first.path.common_prefix(&last.path)),
        _ => Path::EMPTY,
    }
}

impl Cut {
    fn new(trie: TrieId, path: Path, hash: B256, items: Vec<Item>) -> Self {
        let mut entries = Vec::with_capacity(items.len());
        let mut storage = Vec::new();
        for item in items {
            if !item.storage.is_empty()
                && let Some(account) = decode_account(&item.value)
            {
                storage.push(Subtree {
                    trie: TrieId::Storage(*item.path.bytes()),
                    path: Path::EMPTY,
                    hash: account.value.storage_root,
                    entries: item.storage,
                });
            }
            entries.push((item.path, item.value));
        }
        let subtree = Subtree {
            trie,
            path,
            hash,
            entries,
        };
        Self { subtree, storage }
    }
}

impl ExpiryReport {
    fn count(&mut self, cuts: &[Cut]) {
        self.stubs += cuts.len() as u64;
        for cut in cuts {
            for subtree in cut.storage.iter().chain([&cut.subtree]) {
                let is_leaf = |(path, _): &&(Path, Vec<u8>)| path.len() == KEY_NIBBLES;
                let leaves = subtree.entries.iter().filter(is_leaf).count() as u64;
                self.stubs_merged += subtree.entries.len() as u64 - leaves;
                match subtree.trie {
                    TrieId::Accounts => self.accounts += leaves,
                    TrieId::Storage(_) => self.slots += leaves,
                }
            }
        }
    }
}

impl Expired {
    fn bury(&mut self, bytes: u64) {
        self.garbage_records += 1;
        self.garbage_bytes += bytes;
    }

    fn revive(&mut self, bytes: u64) {
        self.garbage_records = self.garbage_records.saturating_sub(1);
        self.garbage_bytes = self.garbage_bytes.saturating_sub(bytes);
    }
}
