//! From parts to table files and storage roots, on several threads.

use super::{
    BulkError, BulkPart,
    part::{BulkAccount, CheckedPart},
};
use crate::{
    leaf_store::{BulkWriter, LeafStore, StoreError, Table},
    permanent::{interiors::Interiors, tier::Shared},
    trie::{
        codec::{TrieId, append_slot, date, encode_account},
        path::KEY_NIBBLES,
        update::{Extent, TrieResult, Updater},
        work::TrieWork,
    },
};
use alloy_primitives::B256;
use alloy_trie::{EMPTY_ROOT_HASH, TrieAccount};
use std::{
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
};

/// How far a build has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BulkProgress {
    /// Accounts taken from the source.
    pub accounts: u64,
    /// Their slots.
    pub slots: u64,
}

/// Entries on their way, and what is known of them.
#[derive(Debug, Default)]
pub(super) struct Loaded {
    pub(super) progress: BulkProgress,
    /// The last account.
    pub(super) last: Option<B256>,
    /// Interiors of all storage tries of more than one bucket.
    pub(super) interiors: Interiors,
    pub(super) work: TrieWork,
}

/// A part whose storage roots are known: of each account's.
type Hashed = (Arc<CheckedPart>, Vec<B256>);

/// Parts that wait for the next thread.
const WAITING: usize = 1;

/// Writes parts of so many entries, or all that are left, into the tables of accounts and slots, which have them
/// when this returns. Gives whether it was all.
pub(super) fn load_step<S: LeafStore>(
    shared: &Shared<S>,
    parts: &mut (impl Iterator<Item = BulkPart> + Send),
    loaded: &mut Loaded,
    progress: &(dyn Fn(BulkProgress) + Sync),
) -> Result<bool, BulkError> {
    let step = shared.options.bulk_step_entries;
    let slots = shared.store.bulk_writer(Table::Storage)?;
    let accounts = shared.store.bulk_writer(Table::Accounts)?;
    let (slots, accounts, is_all) = thread::scope(|scope| {
        let (give_parts, take_parts) = sync_channel(WAITING);
        let source = scope.spawn(move || {
            let mut entries = 0;
            while entries < step {
                let Some(part) = parts.next() else {
                    return true;
                };
                entries += (part.accounts.len() + part.slots.len()) as u64;
                if give_parts.send(part).is_err() {
                    // Nobody takes any more parts where something has failed.
                    break;
                }
            }
            false
        });
        let (give_slots, take_slots) = sync_channel(WAITING);
        let slots = scope.spawn(move || write_slots(slots, &take_slots));
        let (give_accounts, take_accounts) = sync_channel(WAITING);
        let accounts = scope.spawn(move || write_accounts(accounts, &take_accounts));
        let hashing = Hashing {
            shared,
            give_slots,
            give_accounts,
            loaded,
        };
        let hashed = hashing.run(&take_parts, progress);
        drop(take_parts);
        let joined = (slots.join(), accounts.join(), source.join());
        let (slots, accounts) = (resume(joined.0), resume(joined.1));
        // A writer that failed is why hashing stopped.
        let (slots, accounts) = (slots?, accounts?);
        hashed?;
        Ok::<_, BulkError>((slots, accounts, resume(joined.2)))
    })?;
    slots.finish()?;
    accounts.finish()?;
    Ok(is_all)
}

fn resume<T>(joined: thread::Result<T>) -> T {
    joined.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// The middle of the pipeline.
struct Hashing<'a, S> {
    shared: &'a Shared<S>,
    give_slots: SyncSender<Arc<CheckedPart>>,
    give_accounts: SyncSender<Hashed>,
    loaded: &'a mut Loaded,
}

impl<S: LeafStore> Hashing<'_, S> {
    fn run(
        mut self,
        parts: &Receiver<BulkPart>,
        progress: &(dyn Fn(BulkProgress) + Sync),
    ) -> Result<(), BulkError> {
        for part in parts {
            let part = Arc::new(CheckedPart::new(part, &mut self.loaded.last)?);
            if self.give_slots.send(Arc::clone(&part)).is_err() {
                break;
            }
            let roots = self.roots(&part)?;
            let counted = &mut self.loaded.progress;
            counted.accounts += part.accounts().len() as u64;
            counted.slots += part.slot_count() as u64;
            if self.give_accounts.send((part, roots)).is_err() {
                break;
            }
            progress(self.loaded.progress);
        }
        Ok(())
    }

    /// The storage root of each account. Interiors are kept.
    fn roots(&mut self, part: &CheckedPart) -> Result<Vec<B256>, BulkError> {
        let updater = Updater {
            store: part,
            hasher: &self.shared.hasher,
            leaf_hashes: None,
            pool: &self.shared.pool,
            entries_max: self.shared.options.bucket_entries_max,
        };
        let with_slots = part.accounts().iter().filter(|account| account.slots > 0);
        let extents: Vec<_> = with_slots.map(extent).collect();
        let rebuilt = updater.rebuild(&extents)?;
        self.loaded.work.add(&rebuilt.work);
        let mut results = rebuilt.tries.into_iter();
        let mut root = |account: &BulkAccount| {
            let result = (account.slots > 0).then(|| results.next()).flatten();
            let Some(TrieResult { root, top }) = result else {
                return EMPTY_ROOT_HASH;
            };
            self.loaded.interiors.set(account.key, top);
            root
        };
        Ok(part.accounts().iter().map(&mut root).collect())
    }
}

const fn extent(account: &BulkAccount) -> Extent {
    Extent {
        trie: TrieId::Storage(account.key),
        entries: account.slots as u64,
        shallowest: KEY_NIBBLES,
    }
}

fn write_slots<W: BulkWriter>(
    mut writer: W,
    parts: &Receiver<Arc<CheckedPart>>,
) -> Result<W, StoreError> {
    let (mut key, mut value) = ([0; 64], Vec::with_capacity(41));
    for part in parts {
        for (account, slot) in part.slots() {
            key[..32].copy_from_slice(account.key.as_slice());
            key[32..].copy_from_slice(slot.key.as_slice());
            value.clear();
            append_slot(slot.value, &mut value);
            date(&mut value, slot.last_written);
            writer.put(&key, &value)?;
        }
    }
    Ok(writer)
}

fn write_accounts<W: BulkWriter>(mut writer: W, parts: &Receiver<Hashed>) -> Result<W, StoreError> {
    for (part, roots) in parts {
        for (it, root) in part.accounts().iter().zip(roots) {
            let account = &it.account;
            let account = TrieAccount::new(account.nonce, account.balance, root, account.code_hash);
            let mut value = encode_account(&account);
            date(&mut value, it.last_written);
            writer.put(it.key.as_slice(), &value)?;
        }
    }
    Ok(writer)
}
