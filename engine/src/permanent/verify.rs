//! Full verification: every root is computed again from the leaves.

use super::{
    open::{account_trie, storage_tries},
    tier::PermanentTier,
};
use crate::{
    leaf_store::{LeafRead, LeafStore, StoreError, Table},
    trie::{
        codec::{Dated, decode_account},
        error::StateError,
        path::KEY_NIBBLES,
        update::Updater,
        work::TrieWork,
    },
};
use alloy_primitives::{B256, map::B256Map};
use alloy_trie::EMPTY_ROOT_HASH;
use core::ops::ControlFlow;

/// What a verification covered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VerifyReport {
    /// The state root, as committed and as computed.
    pub root: B256,
    /// Account leaves.
    pub accounts: u64,
    /// Storage tries.
    pub storage_tries: u64,
    /// Slot leaves.
    pub slots: u64,
    /// Stubs.
    pub stubs: u64,
    /// Buckets, entries, hashes.
    pub work: TrieWork,
}

/// What a verification found wrong: the store is damaged, and has to be built again.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The leaf store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An entry cannot be used.
    #[error(transparent)]
    State(#[from] StateError),
    /// The accounts do not hash to the committed root.
    #[error("the accounts hash to {got}, but the committed root is {expected}")]
    StateRoot {
        /// The committed root.
        expected: B256,
        /// What they hash to.
        got: B256,
    },
    /// The slots of an account do not hash to its storage root.
    #[error("the slots of account {account} hash to {got}, but its storage root is {expected}")]
    StorageRoot {
        /// Its hashed address.
        account: B256,
        /// Its storage root; the empty trie's where the account does not exist.
        expected: B256,
        /// What its slots hash to.
        got: B256,
    },
    /// The head counts other numbers of leaves or stubs than there are.
    #[error("the head counts {expected} {what}, but there are {got}")]
    Count {
        /// Of what.
        what: &'static str,
        /// The head's count.
        expected: u64,
        /// The number there.
        got: u64,
    },
}

/// Storage tries that are recomputed together.
const TRIES_TOGETHER: usize = 4096;

impl<S: LeafStore> PermanentTier<S> {
    /// Computes every storage root and the state root from the leaves, and compares them with what
    /// is committed; counts all leaves. Reads the whole state three times.
    pub fn verify(&self) -> Result<VerifyReport, VerifyError> {
        let view = self.shared.view();
        let head = *view.head();
        let updater = Updater {
            store: &view.snapshot,
            hasher: &self.shared.hasher,
            leaf_hashes: None,
            pool: &self.shared.pool,
            entries_max: self.shared.options.bucket_entries_max,
        };
        let (mut roots, accounts, mut stubs) = account_roots(&view.snapshot)?;
        let mut report = VerifyReport {
            root: head.root,
            accounts,
            ..VerifyReport::default()
        };
        let tries = self.shared.pool.install(|| storage_tries(&view.snapshot))?;
        for tries in tries.chunks(TRIES_TOGETHER) {
            let rebuilt = updater.rebuild(tries)?;
            report.work.add(&rebuilt.work);
            for (extent, result) in tries.iter().zip(rebuilt.tries) {
                report.slots += extent.entries;
                report.storage_tries += 1;
                let account = extent.trie.account().unwrap_or_default();
                let expected = roots.remove(&account);
                check_storage(account, expected, result.root)?;
            }
        }
        if let Some((account, expected)) = roots.into_iter().next() {
            check_storage(account, Some(expected), EMPTY_ROOT_HASH)?;
        }
        let account_trie = account_trie(&view.snapshot, &head)?;
        let rebuilt = updater.rebuild(&[account_trie])?;
        report.work.add(&rebuilt.work);
        for result in rebuilt.tries {
            if result.root != head.root {
                return Err(VerifyError::StateRoot {
                    expected: head.root,
                    got: result.root,
                });
            }
        }
        let storage_stubs = count_storage_stubs(&view.snapshot, head.stubs)?;
        report.slots -= storage_stubs;
        stubs += storage_stubs;
        report.stubs = stubs;
        check_count("accounts", head.accounts, report.accounts)?;
        check_count("slots", head.slots, report.slots)?;
        check_count("stubs", head.stubs, stubs)?;
        Ok(report)
    }
}

/// Storage roots of all accounts that have storage, the number of accounts, and that of stubs
/// between them.
fn account_roots<R: LeafRead>(store: &R) -> Result<(B256Map<B256>, u64, u64), VerifyError> {
    let (mut roots, mut accounts, mut stubs) = (B256Map::default(), 0, 0);
    store.scan(Table::Accounts, &[], None, &mut |key, value| {
        if key.len() != KEY_NIBBLES / 2 {
            stubs += 1;
            return ControlFlow::Continue(());
        }
        accounts += 1;
        // A leaf that does not decode is reported when the account trie is computed.
        if let Some(account) = decode_account(value).map(Dated::into_value)
            && account.storage_root != EMPTY_ROOT_HASH
        {
            roots.insert(B256::from_slice(key), account.storage_root);
        }
        ControlFlow::Continue(())
    })?;
    Ok((roots, accounts, stubs))
}

fn count_storage_stubs<R: LeafRead>(store: &R, expected: u64) -> Result<u64, VerifyError> {
    let mut stubs = 0;
    if expected > 0 {
        store.scan(Table::Storage, &[], None, &mut |key, _| {
            stubs += u64::from(key.len() != KEY_NIBBLES);
            ControlFlow::Continue(())
        })?;
    }
    Ok(stubs)
}

fn check_storage(account: B256, expected: Option<B256>, got: B256) -> Result<(), VerifyError> {
    let expected = expected.unwrap_or(EMPTY_ROOT_HASH);
    if expected == got {
        return Ok(());
    }
    Err(VerifyError::StorageRoot {
        account,
        expected,
        got,
    })
}

const fn check_count(what: &'static str, expected: u64, got: u64) -> Result<(), VerifyError> {
    if expected == got {
        return Ok(());
    }
    Err(VerifyError::Count {
        what,
        expected,
        got,
    })
}
