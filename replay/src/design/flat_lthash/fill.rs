//! The state before the first block, and the sum of all of it.

use super::{
    FlatLtHash,
    entry::{Delta, Entry},
    layout::{HEAD_KEY, encode_account, encode_slot, slot_key},
};
use crate::{
    design::{DesignError, FillContext, Overlay, Preload, StateDesign as _, seed},
    fill,
    population::Population,
};
use alloy_primitives::B256;
use core::ops::ControlFlow;
use thinstate_engine::{
    BulkPart,
    leaf_store::{Batch, BulkWriter as _, LeafRead as _, LeafStore as _, Table},
};

/// Entries that are summed up at a time.
const AT_A_TIME: usize = 1 << 14;

impl FlatLtHash {
    /// Fills the empty store, in bulk: table files in the order of their keys, and the head once the store has
    /// taken them over. A fill that is killed before that leaves a store that refuses to open.
    pub(super) fn fill_with(
        &self,
        population: &Population,
        context: &FillContext<'_>,
    ) -> Result<(), DesignError> {
        let mut head = self.head();
        if let Some(block) = head.block {
            return Err(DesignError::Unsupported {
                design: self.spec.name.clone(),
                what: format!("a fill of a store that is at block {block}: it takes an empty one"),
            });
        }
        let filled = self.load(population, context)?;
        let next = head.after(context.block, &filled);
        let mut batch = Batch::default();
        batch.put(Table::Meta, HEAD_KEY, next.encode());
        self.store
            .commit(batch)
            .map_err(DesignError::store("commit what was filled"))?;
        *head = next;
        Ok(())
    }

    /// Brings all entries of a population into the tables; gives what they sum up to.
    fn load(
        &self,
        population: &Population,
        context: &FillContext<'_>,
    ) -> Result<Delta, DesignError> {
        let failed = || DesignError::store("write table files");
        let writer = |table| self.store.bulk_writer(table).map_err(failed());
        let mut accounts = writer(Table::Accounts)?;
        let mut slots = writer(Table::Storage)?;
        let mut total = Delta::default();
        fill::each_part(population, &|_| true, context, |part| {
            let entries = entries(&part);
            for entries in entries.chunks(AT_A_TIME) {
                total = core::mem::take(&mut total).join(self.delta(entries)?);
            }
            for Entry { key, after, .. } in &entries {
                let value = after.as_deref().unwrap_or_default();
                let put = match key.len() {
                    32 => accounts.put(key, value),
                    _ => slots.put(key, value),
                };
                put.map_err(failed())?;
            }
            let filled = total.accounts.unsigned_abs();
            (context.progress)("accounts filled", filled, population.accounts());
            Ok::<_, DesignError>(())
        })?;
        accounts.finish().map_err(failed())?;
        slots.finish().map_err(failed())?;
        Ok(total)
    }

    /// Puts a trace's pre-state on top of what is there.
    pub(super) fn preload_with(
        &self,
        preload: &Preload,
        context: &FillContext<'_>,
    ) -> Result<(), DesignError> {
        let head = self.head().block;
        let loads = seed::preload_blocks(&self.spec.name, preload, head, context.block)?;
        let all = loads.len() as u64;
        for (done, load) in loads.iter().enumerate() {
            (context.progress)("preloaded blocks", done as u64, all);
            self.read_load(load, &Overlay::default())?;
            self.apply_load(load)?;
        }
        (context.progress)("preloaded blocks", all, all);
        self.flush()
    }

    /// Sums up all entries anew: checksum, accounts and slots. One scan of each table.
    pub fn verify(&self) -> Result<(B256, u64, u64), DesignError> {
        let mut total = Delta::default();
        let store = self.store.snapshot();
        for table in [Table::Accounts, Table::Storage] {
            let mut pending = Vec::with_capacity(AT_A_TIME);
            let mut failed = None;
            store
                .scan(table, &[], None, &mut |key, value| {
                    pending.push(Entry {
                        key: key.to_vec(),
                        before: None,
                        after: Some(value.to_vec()),
                    });
                    if pending.len() < AT_A_TIME {
                        return ControlFlow::Continue(());
                    }
                    match self.delta(&pending) {
                        Ok(delta) => {
                            total = core::mem::take(&mut total).join(delta);
                            pending.clear();
                            ControlFlow::Continue(())
                        }
                        Err(error) => {
                            failed = Some(error);
                            ControlFlow::Break(())
                        }
                    }
                })
                .map_err(DesignError::store("read all entries"))?;
            if let Some(error) = failed {
                return Err(error);
            }
            total = total.join(self.delta(&pending)?);
        }
        let Delta {
            sum,
            accounts,
            slots,
            ..
        } = total;
        Ok((sum.checksum(), accounts as u64, slots as u64))
    }
}

/// A part's entries: accounts, then slots, each in the order of their keys.
fn entries(part: &BulkPart) -> Vec<Entry> {
    let appears = |key: &[u8], value: Vec<u8>| Entry {
        key: key.to_vec(),
        before: None,
        after: Some(value),
    };
    let mut entries = Vec::with_capacity(part.accounts.len() + part.slots.len());
    for account in &part.accounts {
        let value = encode_account(&account.account);
        entries.push(appears(account.key.as_slice(), value));
    }
    let mut slots = part.slots.iter();
    for account in &part.accounts {
        for slot in slots.by_ref().take(account.slots) {
            let key = slot_key(account.key, slot.key);
            entries.push(appears(&key, encode_slot(slot.value)));
        }
    }
    entries
}
