//! Opening: the interior is computed from the leaves, and checked against the committed root.

use super::{
    error::OpenError, expiry::ExpiryState, head::Head, interiors::Interiors, options::Options,
    tier::State,
};
use crate::{
    leaf_store::{LeafRead, LeafStore, StoreError, Table},
    trie::{
        codec::TrieId,
        error::StateError,
        path::KEY_NIBBLES,
        update::{Extent, Updater},
    },
};
use alloy_primitives::B256;
use core::ops::ControlFlow;
use rayon::{ThreadPool, prelude::*};
use std::sync::Arc;
use thinstate_formats::keccak::BatchHasher;

/// The state in memory that belongs to what `store` holds.
pub(crate) fn load<S: LeafStore>(
    store: &S,
    options: &Options,
    hasher: &BatchHasher,
    pool: &ThreadPool,
) -> Result<State, OpenError> {
    let snapshot = store.snapshot();
    let mut state = State {
        head: Head::new(),
        accounts: None,
        storage: Interiors::default(),
        expiry: Arc::default(),
        expiry_saved: true,
    };
    let head = match Head::read(&snapshot) {
        Err(OpenError::Unfinished { .. }) if options.resume_bulk => None,
        head => head?,
    };
    let Some(head) = head else {
        return Ok(state);
    };
    state.head = head;
    state.expiry = Arc::new(ExpiryState::read(&snapshot)?);
    let updater = Updater {
        store: &snapshot,
        hasher,
        leaf_hashes: None,
        pool,
        entries_max: options.bucket_entries_max,
    };
    pool.install(|| {
        let accounts = updater.rebuild(&[account_trie(&snapshot, &head)?])?;
        for result in accounts.tries {
            if result.root != head.root {
                return Err(OpenError::RootMismatch {
                    expected: head.root,
                    got: result.root,
                });
            }
            state.accounts = result.top;
        }
        state.storage = storage_interiors(&updater, &storage_tries(&snapshot)?)?;
        Ok(state)
    })
}

/// The interiors of those storage tries that have one.
pub(crate) fn storage_interiors<R: LeafRead>(
    updater: &Updater<'_, R>,
    tries: &[Extent],
) -> Result<Interiors, StateError> {
    let is_large = |extent: &&Extent| extent.entries > updater.entries_max as u64;
    let large: Vec<_> = tries.iter().filter(is_large).copied().collect();
    let rebuilt = updater.rebuild(&large)?;
    let mut interiors = Interiors::default();
    for (extent, result) in large.iter().zip(rebuilt.tries) {
        if let Some(account) = extent.trie.account() {
            interiors.set(account, result.top);
        }
    }
    Ok(interiors)
}

/// The account trie. One scan of all accounts where there are stubs, otherwise none.
pub(crate) fn account_trie<R: LeafRead>(store: &R, head: &Head) -> Result<Extent, StoreError> {
    let mut shallowest = KEY_NIBBLES;
    if head.stubs > 0 {
        store.scan(Table::Accounts, &[], None, &mut |key, _| {
            shallowest = shallowest.min(nibbles_of(key));
            ControlFlow::Continue(())
        })?;
    }
    Ok(Extent {
        trie: TrieId::Accounts,
        entries: head.accounts,
        shallowest,
    })
}

/// Length of the path of the entry with this key, whose last 32 or 33 bytes are the path.
fn nibbles_of(key: &[u8]) -> usize {
    match key {
        [.., length] if key.len() % 32 == 1 => usize::from(*length),
        _ => KEY_NIBBLES,
    }
}

/// All storage tries, by hashed address. One scan of all slots.
pub(crate) fn storage_tries<R: LeafRead>(store: &R) -> Result<Vec<Extent>, StoreError> {
    let ranges: Vec<_> = (0..=u8::MAX)
        .into_par_iter()
        .map(|first| storage_tries_from(store, first))
        .collect();
    let mut tries = Vec::new();
    for range in ranges {
        tries.extend(range?);
    }
    Ok(tries)
}

/// Storage tries of accounts whose hashed address begins with this byte.
fn storage_tries_from<R: LeafRead>(store: &R, first: u8) -> Result<Vec<Extent>, StoreError> {
    let to = first.checked_add(1).map(|next| [next]);
    let mut tries: Vec<Extent> = Vec::new();
    let mut misplaced = None;
    store.scan(
        Table::Storage,
        &[first],
        to.as_ref().map(<[u8; 1]>::as_slice),
        &mut |key, _| {
            let Some(account) = key.first_chunk::<32>().map(B256::from) else {
                misplaced = Some(key.to_vec());
                return ControlFlow::Break(());
            };
            let trie = TrieId::Storage(account);
            match tries.last_mut().filter(|last| last.trie == trie) {
                Some(last) => {
                    last.entries += 1;
                    last.shallowest = last.shallowest.min(nibbles_of(key));
                }
                None => tries.push(Extent {
                    trie,
                    entries: 1,
                    shallowest: nibbles_of(key),
                }),
            }
            ControlFlow::Continue(())
        },
    )?;
    match misplaced {
        None => Ok(tries),
        Some(key) => Err(StoreError::BadEntry {
            table: Table::Storage,
            key: alloy_primitives::hex::encode(&key),
            expected: "a key of at least 32 bytes",
            got: format!("{} bytes", key.len()),
        }),
    }
}
