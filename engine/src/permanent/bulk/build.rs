//! The steps of a build, from the mark to the head.

use super::{
    BulkError, BulkPart, BulkProgress, BulkSource,
    mark::{Mark, discard},
    part::require_ascending,
    pipeline::{self, Loaded},
};
use crate::{
    leaf_store::{Batch, BulkWriter, LeafRead, LeafStore, Table},
    permanent::{
        head::{BlockId, Head},
        interiors::Interiors,
        open::{account_trie, storage_interiors, storage_tries},
        tier::{PermanentTier, State},
    },
    trie::{update::Updater, work::TrieWork},
};
use alloy_primitives::{B256, Bytes};
use core::ops::ControlFlow;
use std::{
    sync::MutexGuard,
    time::{Duration, Instant},
};
use thinstate_formats::BlockNumber;

/// What a build made, and what it cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BulkReport {
    /// The state root.
    pub root: B256,
    /// Accounts.
    pub accounts: u64,
    /// Slots.
    pub slots: u64,
    /// Of the accounts, those that an interrupted build had brought in.
    pub accounts_kept: u64,
    /// Codes.
    pub codes: u64,
    /// Buckets, entries, hashes.
    pub work: TrieWork,
    /// Time until slots and accounts were in the store.
    pub loading: Duration,
    /// Time for the account trie.
    pub account_trie: Duration,
}

/// A state whose entries are in the store, and which is not there without its head. Other writers wait.
#[derive(Debug)]
pub(crate) struct BuiltState<'a> {
    state: State,
    report: BulkReport,
    _writer: MutexGuard<'a, ()>,
}

impl BuiltState<'_> {
    /// Its root.
    pub(crate) const fn root(&self) -> B256 {
        self.report.root
    }
}

impl<S: LeafStore> PermanentTier<S> {
    /// Builds the state of `block` on this empty store, durably, or nothing of it. It can be read when this
    /// returns; the next block is the one behind `block`, which itself cannot be undone.
    ///
    /// On a store in which the building of the same state was interrupted
    /// ([`Options::resume_bulk`](crate::Options::resume_bulk)) it goes on behind what [`Self::bulk_done`] says is there.
    ///
    /// `progress` is called after each part.
    pub fn bulk_build(
        &self,
        block: BlockId,
        source: BulkSource<
            impl IntoIterator<Item = (B256, Bytes)>,
            impl Iterator<Item = BulkPart> + Send,
        >,
        progress: &(dyn Fn(BulkProgress) + Sync),
    ) -> Result<BulkReport, BulkError> {
        let built = self.build_state(block, source, progress)?;
        self.finish_state(built, Batch::default())
    }

    /// How many accounts, with all their slots, an interrupted build of this state has brought in; none where
    /// there was no such build.
    pub fn bulk_done(&self, block: BlockNumber, source: B256) -> Result<BulkProgress, BulkError> {
        let mark = Mark::read(&self.shared.store.snapshot())?;
        mark.map_or_else(
            || Ok(BulkProgress::default()),
            |mark| {
                mark.check(block, source)?;
                Ok(mark.done)
            },
        )
    }

    /// Brings all entries into the store. What fails takes them out again.
    pub(crate) fn build_state(
        &self,
        block: BlockId,
        source: BulkSource<
            impl IntoIterator<Item = (B256, Bytes)>,
            impl Iterator<Item = BulkPart> + Send,
        >,
        progress: &(dyn Fn(BulkProgress) + Sync),
    ) -> Result<BuiltState<'_>, BulkError> {
        let writer = self.shared.writer();
        let now = self.shared.state().head;
        if now != Head::new() {
            return Err(BulkError::NotEmpty {
                root: now.root,
                commit: now.commit,
            });
        }
        let mark = match Mark::read(&self.shared.store.snapshot())? {
            Some(mark) => {
                mark.check(block.number, source.id)?;
                mark.cut_back(&self.shared.store)?;
                mark
            }
            None => {
                let mark = Mark::new(block.number, source.id);
                mark.save(&self.shared.store)?;
                mark
            }
        };
        match self.load(block, mark, source, progress) {
            Ok((state, report)) => Ok(BuiltState {
                state,
                report,
                _writer: writer,
            }),
            Err(error) => {
                self.give_up();
                Err(error)
            }
        }
    }

    /// Writes the head, and with it `also`, in the batch that makes the state one.
    pub(crate) fn finish_state(
        &self,
        built: BuiltState<'_>,
        also: Batch,
    ) -> Result<BulkReport, BulkError> {
        let mut batch = Batch::default();
        built.state.head.write(&mut batch);
        Mark::remove(&mut batch);
        batch.append(also);
        self.shared.publish(batch, built.state)?;
        Ok(built.report)
    }

    /// Takes out what a build that cannot be finished has brought in.
    pub(crate) fn give_up_state(&self, built: BuiltState<'_>) {
        self.give_up();
        drop(built);
    }

    fn give_up(&self) {
        // Where that fails too, the mark is left, and opening the store says so.
        drop(discard(&self.shared.store));
    }

    fn load(
        &self,
        block: BlockId,
        mut mark: Mark,
        source: BulkSource<
            impl IntoIterator<Item = (B256, Bytes)>,
            impl Iterator<Item = BulkPart> + Send,
        >,
        progress: &(dyn Fn(BulkProgress) + Sync),
    ) -> Result<(State, BulkReport), BulkError> {
        let started = Instant::now();
        let codes = bulk_load_codes(&self.shared.store, source.codes)?;
        let kept = mark.done;
        let mut loaded = Loaded {
            progress: mark.done,
            last: mark.last,
            ..Loaded::default()
        };
        let mut parts = source.parts;
        loop {
            let is_all = pipeline::load_step(&self.shared, &mut parts, &mut loaded, progress)?;
            (mark.done, mark.last) = (loaded.progress, loaded.last);
            mark.save(&self.shared.store)?;
            if is_all {
                break;
            }
        }
        if kept != BulkProgress::default() {
            loaded.interiors = self.interiors_of(loaded.progress)?;
        }
        let loading = started.elapsed();
        let mut state = (*self.shared.state()).clone();
        state.head.commit += 1;
        state.head.block = Some(block);
        state.head.accounts = loaded.progress.accounts;
        state.head.slots = loaded.progress.slots;
        state.storage = loaded.interiors;
        let mut work = loaded.work;
        work.add(&self.build_account_trie(&mut state)?);
        let report = BulkReport {
            root: state.head.root,
            accounts: state.head.accounts,
            slots: state.head.slots,
            accounts_kept: kept.accounts,
            codes,
            work,
            loading,
            account_trie: started.elapsed() - loading,
        };
        Ok((state, report))
    }

    /// The interiors of all storage tries, from the store: those of earlier steps are not in memory. So many
    /// accounts and slots have to be there. Costs a scan of both, and one of those slots that have interiors.
    fn interiors_of(&self, expected: BulkProgress) -> Result<Interiors, BulkError> {
        let snapshot = self.shared.store.snapshot();
        let updater = Updater {
            store: &snapshot,
            hasher: &self.shared.hasher,
            pool: &self.shared.pool,
            entries_max: self.shared.options.bucket_entries_max,
            leaf_hashes: None,
        };
        let tries = self.shared.pool.install(|| storage_tries(&snapshot))?;
        let mut accounts = 0;
        snapshot.scan(Table::Accounts, &[], None, &mut |_, _| {
            accounts += 1;
            ControlFlow::Continue(())
        })?;
        let slots: u64 = tries.iter().map(|trie| trie.entries).sum();
        for (what, expected, got) in [
            ("accounts", expected.accounts, accounts),
            ("slots", expected.slots, slots),
        ] {
            if got != expected {
                return Err(BulkError::Lost {
                    what,
                    expected,
                    got,
                });
            }
        }
        Ok(self
            .shared
            .pool
            .install(|| storage_interiors(&updater, &tries))?)
    }

    /// Computes the account trie from the stored accounts.
    fn build_account_trie(&self, state: &mut State) -> Result<TrieWork, BulkError> {
        let snapshot = self.shared.store.snapshot();
        let updater = Updater {
            store: &snapshot,
            hasher: &self.shared.hasher,
            leaf_hashes: None,
            pool: &self.shared.pool,
            entries_max: self.shared.options.bucket_entries_max,
        };
        let rebuilt = updater.rebuild(&[account_trie(&snapshot, &state.head)?])?;
        for result in rebuilt.tries {
            state.head.root = result.root;
            state.accounts = result.top;
        }
        Ok(rebuilt.work)
    }
}

/// Brings codes, by ascending hash, into a store that has none yet; gives how many there are. They come all at once: a
/// store that has any is taken to have them all, from a build that was interrupted behind them. An error is the store's, or codes that descend;
/// then none of them has come into it.
pub fn bulk_load_codes<S: LeafStore>(
    store: &S,
    codes: impl IntoIterator<Item = (B256, Bytes)>,
) -> Result<u64, BulkError> {
    let end = [u8::MAX; 33];
    let there = store.snapshot().last_at_or_before(Table::Code, &end, &[])?;
    let mut writer = match there {
        Some(_) => None,
        None => Some(store.bulk_writer(Table::Code)?),
    };
    let (mut last, mut count) = (None, 0);
    for (hash, code) in codes {
        if last == Some(hash) {
            continue;
        }
        require_ascending("code", last, hash)?;
        last = Some(hash);
        count += 1;
        if let Some(writer) = &mut writer {
            writer.put(hash.as_slice(), &code)?;
        }
    }
    if let Some(writer) = writer {
        writer.finish()?;
    }
    Ok(count)
}
