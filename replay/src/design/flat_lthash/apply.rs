//! Applying a block: elements, checksum, one durable batch.

use super::{
    FlatLtHash, UNDO_BLOCKS,
    entry::{Delta, Entry, table},
    layout::{HEAD_KEY, Head, encode_account, encode_slot, slot_key},
    read::storage,
    undo::{encode_diff, undo_key},
};
use crate::{
    design::{Applied, DesignError, codes::stand_in, keys::Keys, tally},
    load::BlockLoad,
};
use alloy_primitives::{B256, Bytes, U256};
use std::{collections::BTreeMap, time::Instant};
use thinstate_engine::leaf_store::{Batch, LeafRead as _, LeafStore as _, StoreError, Table};
use thinstate_formats::{
    BlockNumber,
    lthash::{CHECKSUM_COMPRESSIONS, EXPANSION_COMPRESSIONS},
    trace::CodeWrite,
};

impl FlatLtHash {
    /// Applies a load whose values before are those of the store.
    pub(super) fn apply_load(&self, load: &BlockLoad) -> Result<Applied, DesignError> {
        let mut head = self.head();
        check_next(&head, load.number)?;
        self.refuse_part(&head)?;
        let started = Instant::now();
        let entries = self.entries(load)?;
        let delta = self.delta(&entries)?;
        let next = head.after(load.number, &delta);
        let checksum = next.sum.checksum();
        let state_hash = started.elapsed();
        let slots_gone = gone_slots(&entries);
        let started = Instant::now();
        let codes = self.new_codes(load)?;
        let written = self.commit(&head, &next, entries, codes)?;
        *head = next;
        let mut applied = Applied {
            commitment: checksum,
            accounts: tally::written_accounts(load),
            slots: tally::written_slots(load, |_| true),
            state_hash,
            commit: started.elapsed(),
            ..Applied::default()
        };
        if load.accounts.iter().any(|account| account.drops_storage()) {
            applied.slots.deleted = slots_gone;
        }
        applied.accounts.hashes = delta.account_elements + 1;
        applied.accounts.permutations =
            delta.account_elements * EXPANSION_COMPRESSIONS + CHECKSUM_COMPRESSIONS;
        applied.accounts.logical_written_bytes = written.all - written.slots;
        applied.slots.hashes = delta.slot_elements;
        applied.slots.permutations = delta.slot_elements * EXPANSION_COMPRESSIONS;
        applied.slots.logical_written_bytes = written.slots;
        Ok(applied)
    }

    /// The entries that the load changes, by key.
    fn entries(&self, load: &BlockLoad) -> Result<Vec<Entry>, DesignError> {
        let keys = Keys::of(load, &self.hasher);
        let mut entries = Vec::new();
        let mut storages = BTreeMap::new();
        for (account, key) in load.accounts.iter().zip(&keys.accounts) {
            if account.drops_storage() {
                let dropped = self.dropped(*key).map_err(DesignError::store(format!(
                    "block {}: read the storage of {}",
                    load.number, account.address
                )))?;
                storages.insert(*key, dropped);
            }
            if account.before != account.after {
                entries.push(Entry {
                    key: key.to_vec(),
                    before: account.before.as_ref().map(encode_account),
                    after: account.after.as_ref().map(encode_account),
                });
            }
        }
        let value = |value: U256| (!value.is_zero()).then(|| encode_slot(value));
        for (slot, (contract, key)) in load.slots.iter().zip(&keys.slots) {
            let key = slot_key(*contract, *key).to_vec();
            if let Some(storage) = storages.get_mut(contract) {
                let entry: &mut Entry = storage.entry(key.clone()).or_insert(Entry {
                    key,
                    before: None,
                    after: None,
                });
                entry.after = value(slot.after);
            } else if slot.is_written() {
                entries.push(Entry {
                    key,
                    before: value(slot.before),
                    after: value(slot.after),
                });
            }
        }
        entries.extend(storages.into_values().flat_map(BTreeMap::into_values));
        entries.retain(|entry| entry.before != entry.after);
        Ok(entries)
    }

    /// The storage of an account, all of which goes.
    fn dropped(&self, contract: B256) -> Result<BTreeMap<Vec<u8>, Entry>, StoreError> {
        let entries = storage(&self.store.snapshot(), contract)?;
        Ok(entries.into_iter().map(|it| (it.key.clone(), it)).collect())
    }

    /// Codes that the load deploys and that the store lacks.
    fn new_codes(&self, load: &BlockLoad) -> Result<Vec<(B256, Bytes)>, DesignError> {
        let store = self.store.snapshot();
        let mut codes = Vec::new();
        for CodeWrite { hash, length } in &load.code_writes {
            let known = store.get(Table::Code, hash.as_slice());
            let known = known.map_err(DesignError::store(format!("look for code {hash}")))?;
            if known.is_none() {
                codes.push((*hash, stand_in(*hash, *length)));
            }
        }
        Ok(codes)
    }

    /// Makes the entries, codes and the head durable, together. A block that is undone leaves its codes: they are known
    /// by their hash, and the next one to deploy them finds them.
    fn commit(
        &self,
        head: &Head,
        next: &Head,
        entries: Vec<Entry>,
        codes: Vec<(B256, Bytes)>,
    ) -> Result<WrittenBytes, DesignError> {
        let number = next.block.unwrap_or_default();
        let mut batch = Batch::default();
        batch.put(Table::Undo, undo_key(number), encode_diff(head, &entries));
        if let Some(old) = number.0.checked_sub(UNDO_BLOCKS) {
            batch.delete(Table::Undo, undo_key(BlockNumber(old)));
        }
        let mut written = WrittenBytes::default();
        for entry in entries {
            let is_slot = entry.table() == Table::Storage;
            let bytes = entry.write(&mut batch);
            written.slots += if is_slot { bytes } else { 0 };
        }
        for (hash, code) in codes {
            batch.put(Table::Code, hash.as_slice(), code);
        }
        batch.put(Table::Meta, HEAD_KEY, next.encode());
        written.all = batch.logical_bytes();
        self.store
            .commit(batch)
            .map_err(DesignError::store(format!("commit block {number}")))?;
        Ok(written)
    }
}

/// Bytes of a batch.
#[derive(Default)]
struct WrittenBytes {
    all: u64,
    /// Of these, entries of slots.
    slots: u64,
}

impl Head {
    /// The head after a block, or after one that is undone.
    pub(super) fn after(&self, block: BlockNumber, delta: &Delta) -> Self {
        let mut sum = self.sum.clone();
        sum.combine(&delta.sum);
        Self {
            block: Some(block),
            accounts: self.accounts.saturating_add_signed(delta.accounts),
            slots: self.slots.saturating_add_signed(delta.slots),
            sum,
        }
    }
}

/// Slots that are there no longer.
fn gone_slots(entries: &[Entry]) -> u64 {
    let gone = |entry: &&Entry| table(&entry.key) == Table::Storage && entry.after.is_none();
    entries.iter().filter(gone).count() as u64
}

fn check_next(head: &Head, got: BlockNumber) -> Result<(), DesignError> {
    match head.block.map(|block| block.next()) {
        Some(Some(expected)) if expected != got => Err(DesignError::NotNext { expected, got }),
        _ => Ok(()),
    }
}
