//! A store in memory, for models and tests, whose failures can be arranged.
//!
//! Every table is a `BTreeMap` behind an `Arc`. A snapshot clones a pointer for each; the first commit
//! to a table while a snapshot of it lives copies that table, so states should be small.
//!
//! *Durable* and *visible* are kept apart, as on a disk: after a failed commit the store goes on
//! showing the state before it and refuses further commits, while [`MemoryStore::reopen`] shows
//! what "reached the disk", which for [`Fault::Unacknowledged`] is the whole batch.

use super::bulk::{BulkWriter, LastKey};
use super::counters::{LogicalCounters, Tally};
use super::{
    Action, Batch, Entry, IoCounters, LeafRead, LeafStore, StoreError, Table, TableStats, Visitor,
};
use core::ops::Bound;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

type Entries = BTreeMap<Vec<u8>, Vec<u8>>;
type Tables = [Arc<Entries>; Table::ALL.len()];

/// What [`MemoryStore::inject`] makes go wrong, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A commit is refused with [`StoreError::Io`] before anything of it is applied.
    Refused,
    /// A commit is refused with [`StoreError::NoSpace`] before anything of it is applied.
    NoSpace,
    /// A commit reaches the disk, but its caller is told [`StoreError::Io`]: the power went
    /// between the write and the answer.
    Unacknowledged,
    /// A read (get, scan or floor) fails with [`StoreError::Io`]. Reads do not poison the store.
    Read,
}

/// A [`LeafStore`] without a disk.
#[derive(Debug, Default)]
pub struct MemoryStore {
    state: Mutex<State>,
    counters: LogicalCounters,
    /// Reads until the injected one fails, counting it; 0 is none.
    reads_until_fault: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    visible: Tables,
    /// Differs from `visible` only after an unacknowledged commit.
    durable: Tables,
    poison: Option<String>,
    commit_fault: Option<CommitFault>,
}

#[derive(Clone, Copy, Debug)]
struct CommitFault {
    fault: Fault,
    after: u64,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets `after` operations of the fault's kind pass and makes the next one fail, in place of
    /// what was injected before for that kind.
    pub fn inject(&self, fault: Fault, after: u64) {
        match fault {
            Fault::Read => self.reads_until_fault.store(after + 1, Relaxed),
            Fault::Refused | Fault::NoSpace | Fault::Unacknowledged => {
                self.lock().commit_fault = Some(CommitFault { fault, after });
            }
        }
    }

    /// The store as a process that opens it now would find it: the last state that reached the
    /// disk, no faults, counters at zero. The old one stays as it was.
    pub fn reopen(&self) -> Self {
        let durable = self.lock().durable.clone();
        Self {
            state: Mutex::new(State {
                visible: durable.clone(),
                durable,
                ..State::default()
            }),
            ..Self::default()
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere leaves whole states only: a commit replaces them in one step.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count_read(&self) -> Result<(), StoreError> {
        let left = self
            .reads_until_fault
            .fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1));
        match left {
            Ok(1) => Err(failure("read")),
            Ok(_) | Err(_) => Ok(()),
        }
    }
}

impl State {
    /// The injected fault, if it is this commit's turn.
    fn due_fault(&mut self) -> Option<Fault> {
        let pending = self.commit_fault.as_mut()?;
        if pending.after > 0 {
            pending.after -= 1;
            return None;
        }
        self.commit_fault.take().map(|due| due.fault)
    }

    fn fail(&mut self, error: StoreError) -> StoreError {
        self.poison = Some(error.to_string());
        error
    }
}

fn apply(tables: &mut Tables, batch: Batch) {
    for op in batch.into_ops() {
        let entries = Arc::make_mut(&mut tables[op.table as usize]);
        match op.action {
            Action::Put(value) => drop(entries.insert(op.key, value)),
            Action::Delete => drop(entries.remove(&op.key)),
            Action::DeleteTo(to) => entries.retain(|key, _| *key < op.key || *key >= to),
        }
    }
}

fn failure(operation: &'static str) -> StoreError {
    StoreError::Io {
        operation,
        path: PathBuf::from("memory"),
        message: "injected".to_owned(),
    }
}

impl LeafStore for MemoryStore {
    type Snapshot<'a> = MemorySnapshot<'a>;
    type Bulk<'a> = MemoryBulk<'a>;

    fn snapshot(&self) -> MemorySnapshot<'_> {
        MemorySnapshot {
            tables: self.lock().visible.clone(),
            store: self,
        }
    }

    fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        let mut state = self.lock();
        if let Some(cause) = &state.poison {
            return Err(StoreError::Poisoned {
                cause: cause.clone(),
            });
        }
        match state.due_fault() {
            Some(Fault::NoSpace) => Err(state.fail(StoreError::NoSpace {
                operation: "commit",
                path: PathBuf::from("memory"),
                message: "injected".to_owned(),
            })),
            Some(Fault::Unacknowledged) => {
                apply(&mut state.durable, batch);
                Err(state.fail(failure("commit")))
            }
            Some(Fault::Refused | Fault::Read) => Err(state.fail(failure("commit"))),
            None => {
                self.counters.committed(&batch);
                let state = &mut *state;
                // The two are the same maps; one of them lets go, or every commit would copy.
                state.durable = Tables::default();
                apply(&mut state.visible, batch);
                state.durable.clone_from(&state.visible);
                Ok(())
            }
        }
    }

    fn bulk_writer(&self, table: Table) -> Result<MemoryBulk<'_>, StoreError> {
        let last = LastKey::of(&self.snapshot(), table)?;
        Ok(MemoryBulk {
            store: self,
            table,
            batch: Batch::default(),
            last,
        })
    }

    fn counters(&self) -> IoCounters {
        let logical = self.counters.read();
        IoCounters {
            store_written_bytes: logical.logical_written_bytes,
            ..logical
        }
    }

    fn table_stats(&self, table: Table) -> Result<TableStats, StoreError> {
        let entries = Arc::clone(&self.lock().visible[table as usize]);
        let bytes = entries.iter().map(|(key, value)| key.len() + value.len());
        Ok(TableStats {
            entries: entries.len() as u64,
            file_bytes: 0,
            memory_bytes: bytes.sum::<usize>() as u64,
        })
    }

    fn flush(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn compact(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

/// Entries of one table, on their way into a [`MemoryStore`] as one commit.
#[derive(Debug)]
pub struct MemoryBulk<'a> {
    store: &'a MemoryStore,
    table: Table,
    batch: Batch,
    last: LastKey,
}

impl BulkWriter for MemoryBulk<'_> {
    fn put(&mut self, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        self.last.advance(self.table, key)?;
        self.batch.put(self.table, key, value);
        Ok(())
    }

    fn finish(self) -> Result<u64, StoreError> {
        let entries = self.batch.len() as u64;
        self.store.commit(self.batch)?;
        Ok(entries)
    }
}

/// One state of a [`MemoryStore`].
#[derive(Debug)]
pub struct MemorySnapshot<'a> {
    tables: Tables,
    store: &'a MemoryStore,
}

impl LeafRead for MemorySnapshot<'_> {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.store.count_read()?;
        let value = self.tables[table as usize].get(key).cloned();
        self.store.counters.got(value.as_ref().map(Vec::len));
        Ok(value)
    }

    fn scan(
        &self,
        table: Table,
        from: &[u8],
        to: Option<&[u8]>,
        visit: &mut Visitor<'_>,
    ) -> Result<(), StoreError> {
        self.store.count_read()?;
        let mut tally = Tally::default();
        if to.is_none_or(|to| from < to) {
            let range = (
                Bound::Included(from),
                to.map_or(Bound::Unbounded, Bound::Excluded),
            );
            for (key, value) in self.tables[table as usize].range::<[u8], _>(range) {
                tally.add(key, value);
                if visit(key, value).is_break() {
                    break;
                }
            }
        }
        self.store.counters.scanned(tally);
        Ok(())
    }

    fn last_at_or_before(
        &self,
        table: Table,
        key: &[u8],
        floor: &[u8],
    ) -> Result<Option<Entry>, StoreError> {
        self.store.count_read()?;
        let mut tally = Tally::default();
        let upto = (Bound::Unbounded, Bound::Included(key));
        let found = self.tables[table as usize]
            .range::<[u8], _>(upto)
            .next_back()
            .filter(|(found, _)| found.as_slice() >= floor)
            .map(|(found, value)| (found.clone(), value.clone()));
        if let Some((found, value)) = &found {
            tally.add(found, value);
        }
        self.store.counters.scanned(tally);
        Ok(found)
    }
}
