//! Applying a block: what it leaves, in one commit.

use super::{KeyValueDesign, LoadKeys, failed, unsupported};
use crate::{
    head::Head,
    layout::Layout,
    store::{Change, Committed, Key, KeyValueStore},
};
use alloy_primitives::KECCAK256_EMPTY;
use core::sync::atomic::Ordering::Relaxed;
use std::time::Instant;
use thinstate_formats::BlockNumber;
use thinstate_replay::{
    design::{Applied, DesignError, tally},
    load::BlockLoad,
    measure::TierWork,
};

impl<S: KeyValueStore> KeyValueDesign<S> {
    /// Refuses blocks with which a contract's whole storage goes: stores whose keys are hashes cannot find it.
    pub(super) fn refuse_wiped(&self, load: &BlockLoad) -> Result<(), DesignError> {
        let had_code = |account: &thinstate_formats::Account| account.code_hash != KECCAK256_EMPTY;
        let wiped = load.accounts.iter().find(|account| {
            account.storage_wiped
                || (account.drops_storage() && account.before.as_ref().is_some_and(had_code))
        });
        match wiped {
            None => Ok(()),
            Some(account) => Err(unsupported::<S>(format!(
                "block {}: the storage of {} goes, and there is no telling which entries are in it",
                load.number, account.address
            ))),
        }
    }

    /// Applies a load whose values before are those of the store.
    pub(super) fn apply_load(
        &self,
        load: &BlockLoad,
        keys: &LoadKeys<S::Layout>,
    ) -> Result<Applied, DesignError> {
        let mut head = self.head();
        check_next(head.block, load.number)?;
        let (account_changes, slot_changes) = changes::<S>(load, keys);
        let mut accounts = tally::written_accounts(load);
        let mut slots = tally::written_slots(load, |_| true);
        accounts.logical_written_bytes = bytes::<S>(&account_changes);
        slots.logical_written_bytes = bytes::<S>(&slot_changes);
        let mut changes = account_changes;
        changes.extend(slot_changes);
        changes.sort_unstable_by_key(|change| change.key);
        let next = Head {
            block: Some(load.number),
            accounts: grown(head.accounts, &accounts),
            slots: grown(head.slots, &slots),
        };
        let started = Instant::now();
        let committed = self.commit(changes, Some(&next))?;
        let took = started.elapsed();
        *head = next;
        Ok(Applied {
            state_root: committed.root.filter(|_| S::FACTS.is_ethereum),
            commitment: committed.root.unwrap_or_default(),
            accounts,
            slots,
            state_hash: committed.hashed_in,
            commit: took.saturating_sub(committed.hashed_in),
            ..Applied::default()
        })
    }

    /// Commits changes, counted.
    pub(super) fn commit(
        &self,
        changes: Vec<Change<Key<S>>>,
        head: Option<&Head>,
    ) -> Result<Committed, DesignError> {
        let (entries, written) = (changes.len() as u64, bytes::<S>(&changes));
        let encoded = head.map(Head::encode);
        let committed = self.store.commit(changes, encoded.as_deref());
        let committed = committed.map_err(failed(match head.and_then(|it| it.block) {
            Some(block) => format!("commit block {block}"),
            None => "commit what is filled in".to_owned(),
        }))?;
        let counters = &self.counters;
        counters.commits.fetch_add(1, Relaxed);
        counters.entries_written.fetch_add(entries, Relaxed);
        counters.written_bytes.fetch_add(written, Relaxed);
        Ok(committed)
    }
}

/// What the load changes: accounts, slots.
type Changes<S> = (Vec<Change<Key<S>>>, Vec<Change<Key<S>>>);

fn changes<S: KeyValueStore>(load: &BlockLoad, keys: &LoadKeys<S::Layout>) -> Changes<S> {
    let accounts = load.accounts.iter().zip(&keys.accounts);
    let accounts = accounts.filter(|(account, _)| account.before != account.after);
    let accounts = accounts.map(|(account, key)| Change {
        key: *key,
        value: account.after.as_ref().map(S::Layout::encode_account),
    });
    let slots = load.slots.iter().zip(&keys.slots);
    let slots = slots.filter(|(slot, _)| slot.is_written());
    let slots = slots.map(|(slot, key)| Change {
        key: *key,
        value: (!slot.after.is_zero()).then(|| S::Layout::encode_slot(slot.after)),
    });
    (accounts.collect(), slots.collect())
}

/// Bytes of keys and values.
fn bytes<S: KeyValueStore>(changes: &[Change<Key<S>>]) -> u64 {
    let of = |it: &Change<Key<S>>| it.key.as_ref().len() + it.value.as_ref().map_or(0, Vec::len);
    changes.iter().map(|change| of(change) as u64).sum()
}

fn grown(before: u64, work: &TierWork) -> u64 {
    (before + work.created).saturating_sub(work.deleted)
}

fn check_next(head: Option<BlockNumber>, got: BlockNumber) -> Result<(), DesignError> {
    match head.map(|block| block.next()) {
        Some(Some(expected)) if expected != got => Err(DesignError::NotNext { expected, got }),
        _ => Ok(()),
    }
}
