//! A store that begins in the middle of time: temporary entries, and sealed periods, of before its head.
//!
//! A store that is filled in bulk has a permanent state as of some block, and no history. The temporary
//! tier of a chain that has been running for years has one: entries that were written within the last one
//! or two periods are live, all older ones are leaves of sealed periods. [`Store::past`] makes that:
//!
//! 1. [`Past::seal`] for each sealed period with leaves, by ascending number: the tree is hashed, the
//!    leaves go to the archive, where there is one.
//! 2. [`Past::live`] for the readable periods.
//! 3. [`Past::finish`]: live entries as a checkpoint, period table, zero bitfields. The last batch makes
//!    all of it count; what a crash leaves before it does not.
//!
//! Blocks below the head cannot be undone. The past is part of the commitment of every block after it.

use super::{Store, StoreRules};
use crate::{
    leaf_store::{Batch, LeafStore, StoreError},
    spent::SpentError,
    temporary::{SealError, TemporaryPast, TemporaryWrite, last_due},
};
use thinstate_formats::{
    BlockNumber, PeriodId,
    counted::{Leaf, Node},
};

/// A past cannot be made. What was sealed lies in the archive; the store is as before.
#[derive(Debug, thiserror::Error)]
pub enum PastError {
    /// The permanent tier has no block yet. Fill it first.
    #[error("the store has no head, expected a permanent state as of some block")]
    NoHead,
    /// The temporary tier has a past already, or blocks were applied to it.
    #[error("the temporary tier is in use, expected one without a block")]
    InUse,
    /// A sealed period that does not come after the last one, or is not due at the head.
    #[error(
        "period {got} cannot be sealed before block {head}, expected one after {after:?}, and at most {last:?}"
    )]
    NotDue {
        /// The head.
        head: BlockNumber,
        /// The last one given.
        after: Option<PeriodId>,
        /// The newest that is due.
        last: Option<PeriodId>,
        /// The period given.
        got: PeriodId,
    },
    /// Entries of a period that no read looks in.
    #[error("period {got} is not live after block {head}")]
    NotLive {
        /// The head.
        head: BlockNumber,
        /// The period given.
        got: PeriodId,
    },
    /// A period has more entries than there is room for.
    #[error("period {period} has {got} entries, expected less than 2^32")]
    Full {
        /// The period.
        period: PeriodId,
        /// Its entries.
        got: u64,
    },
    /// Leaves do not ascend, or the archive failed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The leaf store failed; after a failed write it must be reopened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The spent bitfields failed.
    #[error(transparent)]
    Spent(#[from] SpentError),
}

/// The past of a store, in the making.
#[derive(Debug)]
pub struct Past<'s, S: LeafStore> {
    store: &'s Store<S>,
    past: TemporaryPast,
    last: Option<PeriodId>,
}

impl StoreRules {
    /// The newest period that must be sealed once block `head` is applied.
    pub const fn last_sealed(&self, head: BlockNumber) -> Option<PeriodId> {
        last_due(&self.temporary, head)
    }
}

impl<S: LeafStore> Store<S> {
    /// Begins the past of a store whose permanent tier has a state, and whose other tiers have had no
    /// block. No block may be applied until it is finished, or dropped.
    pub fn past(&self) -> Result<Past<'_, S>, PastError> {
        let head = self.head().block.ok_or(PastError::NoHead)?.number;
        if !self.read().is_untouched() {
            return Err(PastError::InUse);
        }
        let past = TemporaryPast {
            head,
            sealed: Vec::new(),
            current: Vec::new(),
            previous: Vec::new(),
        };
        Ok(Past {
            last: self.rules().last_sealed(head),
            store: self,
            past,
        })
    }
}

impl<S: LeafStore> Past<'_, S> {
    /// Adds a sealed period; its leaves ascend by location. Periods come by ascending number; those left
    /// out have no leaves. The root of its tree.
    pub fn seal(&mut self, period: PeriodId, leaves: &[Leaf]) -> Result<Node, PastError> {
        let after = self.past.sealed.last().map(|(last, _)| *last);
        if Some(period) > self.last || after.is_some_and(|after| after >= period) {
            return Err(PastError::NotDue {
                head: self.past.head,
                after,
                last: self.last,
                got: period,
            });
        }
        check_room(period, leaves.len())?;
        let pool = self.store.permanent.pool();
        let sealer = self.store.read().temporary.past_sealer();
        let root = pool.install(|| sealer.seal(period, leaves))?;
        self.fill_gap(period);
        self.past.sealed.push((period, root));
        Ok(root)
    }

    /// Sets the entries of a readable period, each location once, no value zero.
    pub fn live(
        &mut self,
        period: PeriodId,
        entries: Vec<TemporaryWrite>,
    ) -> Result<(), PastError> {
        let head = self.past.head;
        let rules = &self.store.rules().temporary;
        let current = rules.period(head);
        check_room(period, entries.len())?;
        if period == current {
            self.past.current = entries;
        } else if period.0.checked_add(1) == Some(current.0) && rules.periods_readable() == 2 {
            self.past.previous = entries;
        } else {
            return Err(PastError::NotLive { head, got: period });
        }
        Ok(())
    }

    /// Makes the past durable, and the store's.
    pub fn finish(mut self) -> Result<(), PastError> {
        if let (Some(last), false) = (self.last, self.past.sealed.is_empty()) {
            self.fill_gap(PeriodId(last.0 + 1));
        }
        let store = self.store;
        let _writer = store.writer();
        let mut cheap = store.write();
        if !cheap.is_untouched() {
            return Err(PastError::InUse);
        }
        let mut batch = Batch::default();
        let mut commit = |batch| store.permanent.commit_beside(batch);
        cheap.take_past(self.past, store.rules(), &mut commit, &mut batch)
    }

    /// Periods between the last one and this one have no leaves.
    fn fill_gap(&mut self, before: PeriodId) {
        if let Some((last, _)) = self.past.sealed.last() {
            let between = last.0 + 1..before.0;
            let empty = between.map(|id| (PeriodId(id), Node::EMPTY));
            self.past.sealed.extend(empty);
        }
    }
}

fn check_room(period: PeriodId, entries: usize) -> Result<(), PastError> {
    match u32::try_from(entries) {
        Ok(_) => Ok(()),
        Err(_) => Err(PastError::Full {
            period,
            got: entries as u64,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        BlockChanges, BlockId, Resurrection, StoreOptions, leaf_store::MemoryStore,
        store::ArchiveOptions,
    };
    use alloy_primitives::{Address, B256, keccak256};
    use std::path::Path;
    use thinstate_formats::{
        AccountChange, AccountUpdate, StateChanges, TemporaryRules, counted::LocationProof,
        temporary::LiveCommitment,
    };

    /// The seal of period 0 is due at 397, that of period 1 at 531.
    const HEAD: u64 = 540;

    fn options(dir: &Path) -> StoreOptions {
        let temporary = TemporaryRules {
            period_length: 134,
            seal_delay_blocks: 129,
            commitment: LiveCommitment::Incremental,
            ..TemporaryRules::default()
        };
        StoreOptions {
            rules: StoreRules {
                temporary,
                ..StoreRules::default()
            },
            dir: Some(dir.to_owned()),
            archive: ArchiveOptions {
                periods: true,
                ..ArchiveOptions::NONE
            },
            ..StoreOptions::default()
        }
    }

    fn block(number: u64) -> BlockId {
        BlockId {
            number: BlockNumber(number),
            hash: B256::ZERO,
        }
    }

    /// 300 entries of each of the periods 0, 1, 3 and 4.
    fn entries(period: u64) -> Vec<TemporaryWrite> {
        let entry = |n: u64| TemporaryWrite {
            location: keccak256([period.to_le_bytes(), n.to_le_bytes()].concat()),
            value: B256::with_last_byte(1 + (n % 200) as u8),
        };
        (0..300).map(entry).collect()
    }

    fn leaves(period: u64) -> Vec<Leaf> {
        let leaf = |entry: TemporaryWrite| Leaf {
            location: entry.location,
            value: entry.value,
        };
        let mut leaves: Vec<_> = entries(period).into_iter().map(leaf).collect();
        leaves.sort_unstable();
        leaves
    }

    /// A store that went through all blocks.
    fn lived(dir: &Path) -> Store<MemoryStore> {
        let store = Store::open(MemoryStore::new(), options(dir)).expect("open");
        for number in 0..=HEAD {
            let mut changes = BlockChanges::default();
            if [5, 140, 410, 538].contains(&number) {
                changes.temporary = entries(number / 134);
            }
            store.apply(block(number), &changes).expect("apply");
        }
        store
    }

    /// A store that was given the same past.
    fn given(dir: &Path) -> Store<MemoryStore> {
        let store = Store::open(MemoryStore::new(), options(dir)).expect("open");
        assert!(matches!(store.past(), Err(PastError::NoHead)));
        let applied = store
            .permanent()
            .apply(block(HEAD), &StateChanges::default());
        applied.expect("the permanent state");
        let mut past = store.past().expect("a new store");
        past.seal(PeriodId(0), &leaves(0)).expect("due");
        past.seal(PeriodId(1), &leaves(1)).expect("due");
        let early = past.seal(PeriodId(2), &leaves(2));
        assert!(matches!(early, Err(PastError::NotDue { .. })), "{early:?}");
        let late = past.live(PeriodId(1), entries(1));
        assert!(matches!(late, Err(PastError::NotLive { .. })), "{late:?}");
        past.live(PeriodId(3), entries(3)).expect("readable");
        past.live(PeriodId(4), entries(4)).expect("readable");
        past.finish().expect("durable");
        assert!(matches!(store.past(), Err(PastError::InUse)));
        store
    }

    #[test]
    fn no_given_past_differs_from_one_that_was_lived() {
        let (dir, other) = (tempfile::tempdir(), tempfile::tempdir());
        let (dir, other) = (dir.expect("a folder"), other.expect("a folder"));
        let (lived, given) = (lived(dir.path()), given(other.path()));
        let roots = |store: &Store<MemoryStore>| {
            let commitment = store.commitment().expect("there is a head");
            (commitment.temporary, commitment.periods, commitment.spent)
        };
        assert_eq!(roots(&lived), roots(&given));
        // Opened again, and with what comes after.
        let leaves = given.into_leaf_store();
        let given = Store::open(leaves, options(other.path())).expect("it opens");
        assert_eq!(roots(&lived), roots(&given));
        for number in HEAD + 1..HEAD + 140 {
            let mut changes = BlockChanges::default();
            if number == HEAD + 1 {
                changes.temporary = entries(3);
                changes.resurrections = resurrections(&given);
            }
            for store in [&lived, &given] {
                store.apply(block(number), &changes).expect("apply");
            }
            assert_eq!(roots(&lived), roots(&given), "block {number}");
        }
        for _ in 0..100 {
            lived.undo().expect("undo");
            given.undo().expect("undo");
        }
        assert_eq!(roots(&lived), roots(&given));
    }

    fn resurrections(store: &Store<MemoryStore>) -> Vec<Resurrection> {
        let archive = store.period_archive().expect("there is one");
        let use_of = |leaf: &Leaf| {
            let proof = archive.prove(PeriodId(1), &leaf.location).expect("read");
            let LocationProof::Included { leaf, proof, .. } = proof else {
                panic!("the leaf is in the archive");
            };
            Resurrection {
                period: PeriodId(1),
                leaf,
                proof,
            }
        };
        leaves(1).iter().step_by(50).map(use_of).collect()
    }

    #[test]
    fn no_store_in_use_is_given_a_past() {
        let dir = tempfile::tempdir().expect("a folder");
        let store = Store::open(MemoryStore::new(), options(dir.path())).expect("open");
        let mut changes = BlockChanges::default();
        let account = AccountChange {
            account: AccountUpdate::Set(Default::default()),
            ..AccountChange::default()
        };
        let accounts = &mut changes.permanent.accounts;
        accounts.insert(Address::repeat_byte(1), account);
        changes.temporary = entries(0);
        store.apply(block(0), &changes).expect("apply");
        assert!(matches!(store.past(), Err(PastError::InUse)));
    }
}
