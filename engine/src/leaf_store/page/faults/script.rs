//! What is done to a store while something goes wrong, and what it should hold then.

use super::super::super::{Action, Batch, BulkWriter as _, Entry, LeafStore, StoreError, Table};
use super::super::{PageStore, disk::SimDisk};
use super::dump;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;

/// The entries of each table.
pub(super) type Tables = [BTreeMap<Vec<u8>, Vec<u8>>; Table::ALL.len()];

/// One step.
#[derive(Debug)]
pub(super) enum Step {
    Commit(Batch),
    Bulk(Table, Vec<Entry>),
    Flush,
    Compact,
    /// Takes a snapshot, in place of the one that is held. That one still shows its own state.
    Hold,
}

impl Step {
    fn run(&self, store: &PageStore) -> Result<(), StoreError> {
        match self {
            Self::Commit(batch) => store.commit(batch.clone()),
            Self::Bulk(table, entries) => {
                let mut writer = store.bulk_writer(*table)?;
                for (key, value) in entries {
                    writer.put(key, value)?;
                }
                writer.finish().map(drop)
            }
            Self::Flush => store.flush(),
            Self::Compact => store.compact(),
            Self::Hold => Ok(()),
        }
    }

    /// The state after it.
    pub(super) fn apply(&self, state: &Tables) -> Tables {
        let mut state = state.clone();
        match self {
            Self::Commit(batch) => {
                for op in batch.ops() {
                    let table = &mut state[op.table as usize];
                    match &op.action {
                        Action::Put(value) => {
                            table.insert(op.key.clone(), value.clone());
                        }
                        Action::Delete => {
                            table.remove(&op.key);
                        }
                        Action::DeleteTo(to) => table.retain(|key, _| *key < op.key || key >= to),
                    }
                }
            }
            Self::Bulk(table, entries) => state[*table as usize].extend(entries.iter().cloned()),
            Self::Flush | Self::Compact | Self::Hold => {}
        }
        state
    }
}

/// How far a script came.
#[derive(Debug, Default)]
pub(super) struct Reached {
    /// The state after the last step that succeeded.
    pub(super) acknowledged: Tables,
    /// The state after the step that failed, if it may have been done.
    pub(super) under_way: Option<Tables>,
    /// The step that failed, and how.
    pub(super) failure: Option<(usize, StoreError)>,
}

impl Reached {
    /// What may be found afterwards.
    pub(super) fn allowed(&self) -> Vec<&Tables> {
        [&self.acknowledged]
            .into_iter()
            .chain(&self.under_way)
            .collect()
    }
}

/// Runs the steps on a store without entries until one fails.
pub(super) fn run(store: &PageStore, steps: &[Step]) -> Reached {
    let mut reached = Reached::default();
    let mut held = None;
    for (index, step) in steps.iter().enumerate() {
        let next = step.apply(&reached.acknowledged);
        match step.run(store) {
            Ok(()) => reached.acknowledged = next,
            Err(error) => {
                let is_poisoned = matches!(error, StoreError::Poisoned { .. });
                reached.under_way = (!is_poisoned).then_some(next);
                reached.failure = Some((index, error));
                break;
            }
        }
        if matches!(step, Step::Hold) {
            shows(held.replace((store.snapshot(), reached.acknowledged.clone())));
        }
    }
    shows(held);
    reached
}

/// A snapshot shows its own state, or says that it cannot read it.
fn shows(held: Option<(<PageStore as LeafStore>::Snapshot<'_>, Tables)>) {
    if let Some((snapshot, state)) = held
        && let Ok(found) = dump(&snapshot)
    {
        assert!(found == state, "a snapshot has changed");
    }
}

/// Runs the steps on a new store on `disk`, and closes it.
pub(super) fn run_on(disk: &SimDisk, steps: &[Step]) -> Reached {
    match super::open(disk) {
        Ok(store) => run(&store, steps),
        Err(error) => Reached {
            failure: Some((0, error)),
            ..Reached::default()
        },
    }
}

/// A script of so many steps. The same seed gives the same one.
pub(super) fn script(seed: u64, steps: usize) -> Vec<Step> {
    let random = &mut ChaCha8Rng::seed_from_u64(seed);
    let mut unloaded = vec![Table::Utxo, Table::Code];
    let mut script = Vec::new();
    for index in 0..steps {
        let step = match random.random_range(0..20) {
            0 => Step::Flush,
            1 if index > steps / 2 => Step::Compact,
            2 | 3 => Step::Hold,
            4 if !unloaded.is_empty() => Step::Bulk(
                unloaded.pop().expect("it is not empty"),
                sorted_entries(random),
            ),
            _ => Step::Commit(batch(random)),
        };
        script.push(step);
    }
    script
}

/// A commit of so few and short entries that no checkpoint begins.
pub(super) fn small_commit(number: u8) -> Step {
    let mut batch = Batch::default();
    batch.put(Table::Accounts, [number; 32], [number; 9]);
    batch.put(Table::Meta, *b"number", [number]);
    batch.delete(Table::Storage, [number; 32]);
    Step::Commit(batch)
}

fn batch(random: &mut ChaCha8Rng) -> Batch {
    let mut batch = Batch::default();
    for _ in 0..random.random_range(1..40) {
        let table = [Table::Accounts, Table::Storage, Table::Undo][random.random_range(0..3_usize)];
        match random.random_range(0..30) {
            0..4 => batch.delete(table, key(random)),
            4 => {
                let (from, to) = (key(random), key(random));
                if from < to {
                    batch.delete_range(table, from, to);
                }
            }
            _ => batch.put(table, key(random), value(random)),
        }
    }
    batch
}

/// One of 400 keys of 20 to 64 bytes.
fn key(random: &mut ChaCha8Rng) -> Vec<u8> {
    let number = random.random_range(0..400_u32);
    let mut key = number.wrapping_mul(0x9e37_79b9).to_be_bytes().repeat(16);
    key.truncate(20 + number as usize % 45);
    key
}

/// Mostly short, some long enough to lie outside of their page, few in several pages.
fn value(random: &mut ChaCha8Rng) -> Vec<u8> {
    let len = match random.random_range(0..40) {
        0 => random.random_range(1_000..5_000),
        1..4 => random.random_range(200..600),
        _ => random.random_range(0..60),
    };
    (0..len).map(|_| random.random()).collect()
}

fn sorted_entries(random: &mut ChaCha8Rng) -> Vec<Entry> {
    let count = random.random_range(0..150);
    let entries: BTreeMap<_, _> = (0..count).map(|_| (key(random), value(random))).collect();
    entries.into_iter().collect()
}
