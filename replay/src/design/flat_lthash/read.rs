//! Reading what a block needs, in parallel.

use super::{
    FlatLtHash,
    entry::{Entry, bad_entry},
    layout::{decode_account, decode_slot, slot_key},
};
use crate::{
    design::{DesignError, Overlay, ReadCost, codes, keys::Keys, tally},
    load::BlockLoad,
    measure::TierWork,
};
use alloy_primitives::{B256, U256};
use rayon::prelude::*;
use thinstate_engine::leaf_store::{LeafRead, LeafStore as _, StoreError, Table};
use thinstate_formats::Account;

/// Keys that one thread reads at a time.
const CHUNK: usize = 16;

impl FlatLtHash {
    /// Reads and compares everything that the load names.
    pub(super) fn read_load(
        &self,
        load: &BlockLoad,
        overlay: &Overlay,
    ) -> Result<ReadCost, DesignError> {
        let keys = Keys::of(load, &self.hasher);
        let store = self.store.snapshot();
        let account = |at: usize, work: &mut TierWork| {
            let load_of = &load.accounts[at];
            let got = match overlay.account(load_of.address) {
                Some(pending) => pending,
                None => tally::ask(work, || account(&store, keys.accounts[at])).map_err(
                    DesignError::store(format!("read account {}", load_of.address)),
                )?,
            };
            tally::read_account(load.number, load_of, got, work)
        };
        let slot = |at: usize, work: &mut TierWork| {
            let load_of = &load.slots[at];
            let (contract, key) = keys.slots[at];
            let got = match overlay.slot(load_of.address, load_of.slot) {
                Some(pending) => pending,
                None => {
                    tally::ask(work, || slot(&store, contract, key)).map_err(DesignError::store(
                        format!("read slot {:#x} of {}", load_of.slot, load_of.address),
                    ))?
                }
            };
            tally::read_slot(load.number, "flat", load_of, got, work)
        };
        let (accounts, slots) = self.readers.install(|| {
            rayon::join(
                || all(load.accounts.len(), account),
                || all(load.slots.len(), slot),
            )
        });
        let mut cost = ReadCost {
            accounts: accounts?,
            slots: slots?,
            ..ReadCost::default()
        };
        let code = |hash: B256| store.get(Table::Code, hash.as_slice());
        self.readers
            .install(|| codes::read(load, overlay, &mut cost, code))?;
        Ok(cost)
    }
}

/// Reads so many keys on all threads.
fn all(
    len: usize,
    read: impl Fn(usize, &mut TierWork) -> Result<(), DesignError> + Sync,
) -> Result<TierWork, DesignError> {
    let chunks = (0..len.div_ceil(CHUNK)).into_par_iter();
    chunks
        .map(|chunk| {
            let mut work = TierWork::default();
            let of_chunk = chunk * CHUNK..len.min((chunk + 1) * CHUNK);
            of_chunk
                .into_iter()
                .try_for_each(|at| read(at, &mut work))?;
            Ok(work)
        })
        .try_reduce(TierWork::default, |mut a, b| {
            tally::add(&mut a, &b);
            Ok(a)
        })
}

fn account<R: LeafRead>(store: &R, key: B256) -> Result<Option<Account>, StoreError> {
    let value = store.get(Table::Accounts, key.as_slice())?;
    let decoded = value.map(|value| {
        decode_account(&value).ok_or_else(|| bad_entry(Table::Accounts, key.as_slice(), &value))
    });
    decoded.transpose()
}

fn slot<R: LeafRead>(store: &R, contract: B256, slot: B256) -> Result<U256, StoreError> {
    let key = slot_key(contract, slot);
    match store.get(Table::Storage, &key)? {
        None => Ok(U256::ZERO),
        Some(value) => decode_slot(&value).ok_or_else(|| bad_entry(Table::Storage, &key, &value)),
    }
}

/// All entries of an account's storage, as they are.
pub(super) fn storage<R: LeafRead>(store: &R, contract: B256) -> Result<Vec<Entry>, StoreError> {
    let mut entries = Vec::new();
    let from = contract.as_slice();
    // The first key behind: that of the next contract, if there can be one.
    let to = U256::from_be_bytes(contract.0)
        .checked_add(U256::ONE)
        .map(|next| next.to_be_bytes::<32>());
    let to = to.as_ref().map(|next| next.as_slice());
    store.scan(Table::Storage, from, to, &mut |key, value| {
        entries.push(Entry {
            key: key.to_vec(),
            before: Some(value.to_vec()),
            after: None,
        });
        core::ops::ControlFlow::Continue(())
    })?;
    Ok(entries)
}
