//! A period between its end and its seal.

use super::{Sealer, Worker, progress::put_pages, worker::Done};
use crate::{
    leaf_store::Batch,
    temporary::{error::SealError, period::Period},
};
use std::sync::Arc;
use thinstate_formats::{PeriodId, counted::Node};

/// A period that no read looks in, and that is not in the period table yet.
pub(in crate::temporary) struct Frozen {
    pub(in crate::temporary) id: PeriodId,
    /// `None` after a block that sealed it was undone: the root is known then.
    period: Option<Arc<Period>>,
    sealing: Sealing,
}

/// How far its sealing has come.
pub(in crate::temporary) struct Sealing {
    work: Work,
    /// Pages that the store has.
    saved: usize,
    /// Pages that it will have once the staged block is committed.
    staged: usize,
}

enum Work {
    /// Between two steps.
    Here(Box<Sealer>),
    /// With the worker.
    Away,
    Known(Node),
    Failed(SealError),
}

impl Sealing {
    /// Goes on with a sealer whose pages the store has.
    pub(in crate::temporary) fn with(sealer: Sealer) -> Self {
        let saved = sealer.pages().len();
        Self {
            work: Work::Here(Box::new(sealer)),
            saved,
            staged: saved,
        }
    }

    /// There is nothing to do: blocks have committed to the root, and no archive wants the leaves.
    pub(in crate::temporary) const fn known(root: Node) -> Self {
        Self {
            work: Work::Known(root),
            saved: 0,
            staged: 0,
        }
    }
}

impl Frozen {
    pub(in crate::temporary) fn new(period: Period, sealing: Sealing) -> Self {
        Self {
            id: period.id,
            period: Some(Arc::new(period)),
            sealing,
        }
    }

    /// A period whose entries are gone.
    pub(in crate::temporary) const fn known(id: PeriodId, root: Node) -> Self {
        Self {
            id,
            period: None,
            sealing: Sealing::known(root),
        }
    }

    /// The entries, unless they are gone.
    pub(in crate::temporary) fn period(&self) -> Option<&Period> {
        self.period.as_deref()
    }

    /// Bits of its pages, once they are chosen; 0 where none are needed.
    pub(in crate::temporary) fn page_bits(&self) -> u32 {
        match &self.sealing.work {
            Work::Here(sealer) => sealer.page_bits(),
            Work::Away | Work::Known(_) | Work::Failed(_) => 0,
        }
    }

    /// Begins the next step, if there is one to begin.
    pub(in crate::temporary) fn start(&mut self, worker: &Worker, cap: u64) {
        let (Some(period), true) = (&self.period, cap > 0) else {
            return;
        };
        match core::mem::replace(&mut self.sealing.work, Work::Away) {
            Work::Here(sealer) if sealer.root().is_none() => {
                if worker.step(Arc::clone(period), sealer, cap).is_err() {
                    self.sealing.work = Work::Failed(SealError::Thread(self.id));
                }
            }
            other => self.sealing.work = other,
        }
    }

    /// Takes back a step that is over; the leaves it did. One that failed is told by
    /// [`Self::finish`]: until the period is due, blocks do not depend on it, and reopening tries again.
    pub(in crate::temporary) fn collect(&mut self, worker: &Worker) -> u64 {
        if !matches!(self.sealing.work, Work::Away) {
            return 0;
        }
        match worker.poll() {
            Ok(None) => 0,
            Ok(Some(done)) => self.take_back(done).unwrap_or_default(),
            Err(_) => {
                self.fail(SealError::Thread(self.id));
                0
            }
        }
    }

    /// Waits for the step at hand, if there is one; the leaves it did.
    pub(in crate::temporary) fn wait(&mut self, worker: &Worker) -> Result<u64, SealError> {
        if !matches!(self.sealing.work, Work::Away) {
            return self.healthy();
        }
        match worker.wait() {
            Ok(done) => self.take_back(done),
            Err(_) => Err(self.fail(SealError::Thread(self.id))),
        }
    }

    fn healthy(&self) -> Result<u64, SealError> {
        match &self.sealing.work {
            Work::Failed(error) => Err(error.clone()),
            Work::Here(_) | Work::Away | Work::Known(_) => Ok(0),
        }
    }

    fn take_back(&mut self, done: Done) -> Result<u64, SealError> {
        match done.result {
            Ok(leaves) => {
                self.sealing.work = Work::Here(done.sealer);
                Ok(leaves)
            }
            Err(error) => Err(self.fail(error)),
        }
    }

    fn fail(&mut self, error: SealError) -> SealError {
        self.sealing.work = Work::Failed(error.clone());
        error
    }

    /// Does what is left, now; the root, and the leaves done.
    pub(in crate::temporary) fn finish(
        &mut self,
        worker: &Worker,
    ) -> Result<(Node, u64), SealError> {
        let mut leaves = self.wait(worker)?;
        let root = match (&mut self.sealing.work, &self.period) {
            (Work::Known(root), _) => return Ok((*root, 0)),
            (Work::Here(sealer), Some(period)) => match sealer.step(&period.entries, u64::MAX) {
                Ok(done) => {
                    leaves += done;
                    sealer.root().expect("a step without a cap does everything")
                }
                Err(error) => return Err(self.fail(error)),
            },
            (Work::Failed(error), _) => return Err(error.clone()),
            (Work::Away, _) | (Work::Here(_), None) => return Err(SealError::Thread(self.id)),
        };
        Ok((root, leaves))
    }

    /// Puts the pages that the store does not have.
    pub(in crate::temporary) fn save(&mut self, batch: &mut Batch) {
        let Work::Here(sealer) = &self.sealing.work else {
            return;
        };
        let unsaved = &sealer.pages()[self.sealing.saved..];
        if !unsaved.is_empty() {
            put_pages(batch, self.id, self.sealing.saved, unsaved);
        }
        self.sealing.staged = sealer.pages().len();
    }

    /// The block that saved pages is committed, or is not.
    pub(in crate::temporary) const fn saved(&mut self, committed: bool) {
        if committed {
            self.sealing.saved = self.sealing.staged;
        } else {
            self.sealing.staged = self.sealing.saved;
        }
    }

    /// Gives the period back to the live ones; the work at hand must have been waited for.
    pub(in crate::temporary) fn thaw(self) -> Option<(Period, Sealing)> {
        let period = Arc::into_inner(self.period?)?;
        Some((period, self.sealing))
    }
}
