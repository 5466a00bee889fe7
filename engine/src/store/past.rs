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
