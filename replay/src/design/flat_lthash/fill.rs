//! The state before the first block, and the sum of all of it.

use super::{
    FlatLtHash,
    entry::{Delta, Entry},
    layout::{FILL_KEY, Filling, HEAD_KEY, Head, encode_account, encode_slot, slot_key},
};
use crate::{
    design::{DesignError, FillContext, Overlay, Preload, StateDesign as _, seed},
    fill,
    population::Population,
};
use alloy_primitives::{B256, hex, keccak256};
use core::ops::ControlFlow;
use thinstate_engine::{
    BulkPart, bulk_cut_back, bulk_load_codes,
    leaf_store::{Batch, BulkWriter as _, DiskBulk, LeafRead, LeafStore as _, StoreError, Table},
};

/// Entries that are summed up at a time.
const AT_A_TIME: usize = 1 << 14;

/// Entries of a step: what an interrupted fill loses at most.
pub(super) const STEP_ENTRIES: u64 = 4_000_000;

/// Table files of a step.
struct Step<'a> {
    accounts: DiskBulk<'a>,
    slots: DiskBulk<'a>,
    entries: u64,
}

impl<'a> Step<'a> {
    fn new(design: &'a FlatLtHash) -> Result<Self, StoreError> {
        Ok(Self {
            accounts: design.store.bulk_writer(Table::Accounts)?,
            slots: design.store.bulk_writer(Table::Storage)?,
            entries: 0,
        })
    }

    fn put(&mut self, entry: &Entry) -> Result<(), StoreError> {
        self.entries += 1;
        let value = entry.after.as_deref().unwrap_or_default();
        match entry.table() {
            Table::Accounts => self.accounts.put(&entry.key, value),
            _ => self.slots.put(&entry.key, value),
        }
    }

    /// Has the store take them over.
    fn finish(self) -> Result<(), StoreError> {
        self.accounts.finish()?;
        self.slots.finish()?;
        Ok(())
    }
}

impl FlatLtHash {
    /// Fills the empty store, in bulk: table files in the order of their keys, and the head once the store has
    /// taken them all over. After each step of about so many entries it is noted how far the fill has come; one
    /// that is killed goes on there, without what is behind that note.
    pub(super) fn fill_with(
        &self,
        population: &Population,
        context: &FillContext<'_>,
        step_entries: u64,
    ) -> Result<(), DesignError> {
        let mut head = self.head();
        if let Some(block) = head.block {
            return Err(self.unsupported(format!(
                "a fill of a store that is at block {block}: it takes an empty one"
            )));
        }
        let source = source(population, context);
        let mut filling = match self.filling()? {
            Some(filling) if filling.source == source => filling,
            Some(_) => {
                let what = "a fill of a store in which another fill was interrupted";
                return Err(self.unsupported(what.to_owned()));
            }
            None => Filling {
                source,
                last: None,
                done: Head::default(),
            },
        };
        self.cut_back(&filling)
            .map_err(DesignError::store("cut an interrupted fill back"))?;
        bulk_load_codes(&self.store, population.codes())
            .map_err(DesignError::store("write codes"))?;
        self.load(&mut filling, population, context, step_entries)?;
        let next = Head {
            block: Some(context.block),
            ..filling.done
        };
        let mut batch = Batch::default();
        batch.put(Table::Meta, HEAD_KEY, next.encode());
        batch.delete(Table::Meta, FILL_KEY);
        self.store
            .commit(batch)
            .map_err(DesignError::store("commit what was filled"))?;
        *head = next;
        Ok(())
    }

    /// Removes what lies behind the note, and notes it.
    fn cut_back(&self, filling: &Filling) -> Result<(), StoreError> {
        let mut batch = bulk_cut_back(&self.store, filling.last)?;
        batch.put(Table::Meta, FILL_KEY, filling.encode());
        self.store.commit(batch)
    }

    /// What an interrupted fill has left.
    fn filling(&self) -> Result<Option<Filling>, DesignError> {
        let filling = read_filling(&self.store.snapshot());
        filling.map_err(DesignError::store("read how far the fill has come"))
    }

    /// Refuses to go on with a store whose fill was interrupted, but by that fill.
    pub(super) fn refuse_part(&self, head: &Head) -> Result<(), DesignError> {
        match head.block {
            None if self.filling()?.is_some() => {
                let what = "a block on a store whose fill was interrupted";
                Err(self.unsupported(what.to_owned()))
            }
            _ => Ok(()),
        }
    }

    fn unsupported(&self, what: String) -> DesignError {
        DesignError::Unsupported {
            design: self.spec.name.clone(),
            what,
        }
    }

    /// Brings all entries of a population that are not in the tables yet into them.
    fn load(
        &self,
        filling: &mut Filling,
        population: &Population,
        context: &FillContext<'_>,
        step_entries: u64,
    ) -> Result<(), DesignError> {
        let failed = || DesignError::store("write table files");
        let mut open = None;
        let all = population.accounts();
        let behind = filling.done.accounts;
        (context.progress)("accounts filled", behind, all);
        fill::each_part(population, &|_| true, context, behind, |part| {
            let entries = entries(&part);
            for entries in entries.chunks(AT_A_TIME) {
                let delta = self.delta(entries)?;
                filling.done = Head {
                    block: None,
                    ..filling.done.after(context.block, &delta)
                };
            }
            let step = match &mut open {
                Some(step) => step,
                None => open.insert(Step::new(self).map_err(failed())?),
            };
            for entry in &entries {
                step.put(entry).map_err(failed())?;
            }
            filling.last = part.accounts.last().map(|last| last.key).or(filling.last);
            if let Some(full) = open.take_if(|step| step.entries >= step_entries) {
                full.finish().map_err(failed())?;
                let mut batch = Batch::default();
                batch.put(Table::Meta, FILL_KEY, filling.encode());
                let noted = self.store.commit(batch);
                noted.map_err(DesignError::store("note how far the fill has come"))?;
            }
            (context.progress)("accounts filled", filling.done.accounts, all);
            Ok::<_, DesignError>(())
        })?;
        open.map_or(Ok(()), Step::finish).map_err(failed())
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

/// Names what is filled in.
fn source(population: &Population, context: &FillContext<'_>) -> B256 {
    let id = fill::source_id(population, &|_| true);
    keccak256([id.as_slice(), &context.block.0.to_be_bytes()].concat())
}

/// What an interrupted fill has left in the store.
pub(super) fn read_filling(store: &impl LeafRead) -> Result<Option<Filling>, StoreError> {
    let Some(bytes) = store.get(Table::Meta, FILL_KEY)? else {
        return Ok(None);
    };
    let filling = Filling::decode(&bytes).ok_or_else(|| StoreError::BadEntry {
        table: Table::Meta,
        key: hex::encode(FILL_KEY),
        expected: "how far a fill has come",
        got: hex::encode_prefixed(&bytes),
    })?;
    Ok(Some(filling))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        design::{DesignStore, builtin},
        load::BlockLoad,
        population::PopulationSpec,
    };
    use std::{
        panic::{AssertUnwindSafe, catch_unwind},
        path::Path,
        sync::atomic::{AtomicU64, Ordering::Relaxed},
    };
    use thinstate_engine::leaf_store::StoreKind;
    use thinstate_formats::BlockNumber;

    const BLOCK: BlockNumber = BlockNumber(9);
    /// Less than a part has.
    const STEP: u64 = 1_000;

    fn opened(kind: StoreKind, dir: &Path) -> FlatLtHash {
        let store = DesignStore {
            dir: dir.to_owned(),
            kind,
            cache_bytes: 8 << 20,
            threads: Some(2),
            direct_io: false,
        };
        let spec = builtin("flat-lthash").expect("it is built in");
        FlatLtHash::open(&spec, &store).expect("open")
    }

    /// Fills, and dies once so many accounts are in.
    fn fill(design: &FlatLtHash, population: &Population, dies_at: u64) -> (bool, u64) {
        let first = AtomicU64::new(u64::MAX);
        let progress = |what: &str, done: u64, _: u64| {
            if what == "accounts filled" {
                first.fetch_min(done, Relaxed);
                assert!(done < dies_at, "killed");
            }
        };
        let context = FillContext {
            block: BLOCK,
            progress: &progress,
        };
        let filled = catch_unwind(AssertUnwindSafe(|| {
            design.fill_with(population, &context, STEP).expect("fill");
        }));
        (filled.is_ok(), first.into_inner())
    }

    #[test]
    fn no_entry_is_summed_up_twice_or_never_where_a_fill_died() {
        // Three parts.
        let population = Population::new(PopulationSpec::of(60_000, 3)).expect("mainnet's shape");
        for kind in StoreKind::ALL {
            let dir = tempfile::tempdir().expect("a folder");
            let design = opened(kind, dir.path());
            assert_eq!(fill(&design, &population, 1), (false, 0), "{kind}");
            drop(design);
            let design = opened(kind, dir.path());
            assert_eq!(design.head().block, None);
            let load = BlockLoad {
                number: BLOCK,
                ..BlockLoad::default()
            };
            let refused = design.apply_load(&load);
            assert!(matches!(refused, Err(DesignError::Unsupported { .. })));
            let other = Population::new(PopulationSpec::of(60_000, 4)).expect("mainnet's shape");
            let context = FillContext {
                block: BLOCK,
                progress: &|_, _, _| {},
            };
            let refused = design.fill_with(&other, &context, STEP);
            assert!(matches!(refused, Err(DesignError::Unsupported { .. })));
            // As if it had died between the files of a step and its note.
            for (table, len) in [(Table::Accounts, 32), (Table::Storage, 64)] {
                let mut unnoted = design.store.bulk_writer(table).expect("a writer");
                unnoted.put(&vec![0xfe; len], &[7]).expect("behind all");
                unnoted.finish().expect("taken over");
            }
            let (is_filled, kept) = fill(&design, &population, u64::MAX);
            assert!(is_filled && kept > 0, "{kind}: {kept}");
            let all = (design.checksum(), population.accounts(), population.slots());
            assert_eq!(design.verify().expect("verify"), all, "{kind}");
            let whole = tempfile::tempdir().expect("a folder");
            let expected = opened(kind, whole.path());
            let (is_filled, kept) = fill(&expected, &population, u64::MAX);
            assert!(is_filled && kept == 0);
            assert_eq!(design.checksum(), expected.checksum(), "{kind}");
            assert!(design.filling().expect("read").is_none());
        }
    }
}
