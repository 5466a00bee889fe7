//! The live periods: reads, writes by the rules, and the way back.
//!
//! Invariant: an entry of the previous period is shadowed exactly if it is present there and its
//! location is present in the current period. Every change keeps it, so that reads need look in the
//! previous period only where the current one has nothing, and a seal takes what is not shadowed.
//!
//! | write | current period | previous period |
//! |---|---|---|
//! | not zero, location absent or deleted | set | shadowed if present |
//! | not zero, location present | set | - |
//! | zero, [`ZeroRule::DeleteBoth`] | deleted | deleted |
//! | zero, [`ZeroRule::NoTombstone`] | deleted | no longer shadowed |
//!
//! One look-up for a write of what is present, two for the others.

use super::{
    block::TemporaryWrite,
    change::{Change, ChangeList},
    commitment::{HashWork, Hashing},
    entries::{Entry, EntryId},
    log::{LoggedWrite, LoggedWrites},
    period::Period,
};
use alloy_primitives::B256;
use rayon::prelude::*;
use thinstate_formats::{PeriodId, temporary::ZeroRule};

/// Writes whose entries are looked up before the first is done.
const WRITES_TOGETHER: usize = 4_096;
/// Those that one thread looks up, at least.
const WRITES_APART: usize = 512;

/// The periods that are read.
pub(super) struct Live {
    pub(super) zero_rule: ZeroRule,
    pub(super) current: Period,
    /// Under [`Retention::CurrentAndPrevious`](thinstate_formats::temporary::Retention) once there
    /// was one.
    pub(super) previous: Option<Period>,
}

/// What writes leave behind: the log to be stored, and the way back.
#[derive(Debug, Default)]
pub(super) struct Trail {
    pub(super) log: LoggedWrites,
    pub(super) back: ChangeList,
}

/// A write of a log that does not fit the entries that are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Misfit {
    /// No entry has this id.
    Id(EntryId),
    /// The location, said to be new, has an entry.
    NotNew(B256),
}

/// Locations whose entry in a tree may have changed.
#[derive(Debug, Default)]
pub(super) struct Touched {
    pub(super) current: Vec<B256>,
    pub(super) previous: Vec<B256>,
}

impl Live {
    /// The live periods, the older first.
    pub(super) fn periods(&self) -> impl Iterator<Item = &Period> + '_ {
        self.previous.iter().chain([&self.current])
    }

    /// Marks what is present in both periods, where nothing is marked yet.
    pub(super) fn mark_shadows(&mut self) {
        let Some(previous) = &mut self.previous else {
            return;
        };
        for (_, entry) in self.current.entries.iter() {
            if let (false, Some(id)) = (
                entry.value.is_zero(),
                previous.entries.find_present(&entry.location),
            ) {
                previous.entries.shadow(id, true);
            }
        }
    }

    /// The value at a location: zero if there is none.
    pub(super) fn get(&self, location: &B256) -> B256 {
        let value = self.current.entries.value(location);
        match &self.previous {
            Some(previous) if value.is_zero() => previous.entries.value(location),
            _ => value,
        }
    }

    /// The value at a location, and the period that has it; `None` if there is none.
    pub(super) fn entry(&self, location: &B256) -> Option<(PeriodId, B256)> {
        let newest_first = [Some(&self.current), self.previous.as_ref()];
        newest_first.into_iter().flatten().find_map(|period| {
            let value = period.entries.value(location);
            (!value.is_zero()).then_some((period.id, value))
        })
    }

    /// The value that the current period has at a location: zero if it has none.
    pub(super) fn get_current(&self, location: &B256) -> B256 {
        self.current.entries.value(location)
    }

    /// Writes values in order, or deletes with zero.
    ///
    /// Where entries lie is looked up for many at a time: each look-up waits for memory, and not
    /// for the others.
    pub(super) fn write_all(&mut self, writes: &[TemporaryWrite], trail: &mut Trail) {
        for writes in writes.chunks(WRITES_TOGETHER) {
            let entries = &self.current.entries;
            let find = |write: &TemporaryWrite| entries.find(&write.location);
            let found: Vec<_> = writes
                .par_iter()
                .with_min_len(WRITES_APART)
                .map(find)
                .collect();
            for (write, found) in writes.iter().zip(found) {
                // An entry stays where it was found; one that was not there may be by now.
                let found = found.or_else(|| self.current.entries.find(&write.location));
                self.write(found, write.location, write.value, trail);
            }
        }
    }

    fn write(&mut self, found: Option<EntryId>, location: B256, value: B256, trail: &mut Trail) {
        match found {
            Some(id) if self.rewrite(id, value, &mut trail.back) => trail.log.by_id(id, &value),
            Some(_) => {}
            None if self.write_new(location, value, &mut trail.back) => {
                trail.log.by_location(&location, &value);
            }
            None => {}
        }
    }

    /// Does again what a log says.
    pub(super) fn replay(
        &mut self,
        write: LoggedWrite,
        back: &mut ChangeList,
    ) -> Result<(), Misfit> {
        match write {
            LoggedWrite::Id(id, value) => {
                self.current.entries.get(id).ok_or(Misfit::Id(id))?;
                self.rewrite(id, value, back);
            }
            LoggedWrite::Location(location, value) => {
                if self.current.entries.find(&location).is_some() {
                    return Err(Misfit::NotNew(location));
                }
                self.write_new(location, value, back);
            }
        }
        Ok(())
    }

    /// Writes an entry that the current period has; whether that changes anything.
    fn rewrite(&mut self, id: EntryId, value: B256, back: &mut ChangeList) -> bool {
        let Entry {
            location,
            value: former,
        } = *self.current.entries.entry(id);
        if former == value {
            // Where zero is written over zero the previous period has nothing to delete either, but
            // in the replay of a checkpoint: of the two, one may have been written out earlier.
            return value.is_zero() && self.zero_in_previous(&location, back);
        }
        self.current.entries.set(id, value);
        back.push(Change::Current { id, value: former });
        if value.is_zero() {
            self.zero_in_previous(&location, back);
        } else if former.is_zero() {
            self.shadow_in_previous(&location, back);
        }
        true
    }

    /// Writes a location that the current period has no entry for; whether that changes anything.
    fn write_new(&mut self, location: B256, value: B256, back: &mut ChangeList) -> bool {
        if value.is_zero() {
            return self.zero_in_previous(&location, back);
        }
        self.current.entries.push(location, value);
        back.push(Change::Pop);
        self.shadow_in_previous(&location, back);
        true
    }

    fn shadow_in_previous(&mut self, location: &B256, back: &mut ChangeList) {
        let Some(previous) = &mut self.previous else {
            return;
        };
        if let Some(id) = previous.entries.find_present(location) {
            let shadowed = previous.entries.shadow(id, true);
            back.push(Change::Shadow { id, shadowed });
        }
    }

    /// What a deletion in the current period does to the previous one.
    fn zero_in_previous(&mut self, location: &B256, back: &mut ChangeList) -> bool {
        let Some(previous) = &mut self.previous else {
            return false;
        };
        let Some(id) = previous.entries.find_present(location) else {
            return false;
        };
        let shadowed = previous.entries.shadow(id, false);
        if shadowed {
            back.push(Change::Shadow { id, shadowed });
        }
        match self.zero_rule {
            ZeroRule::DeleteBoth => {
                let value = previous.entries.set(id, B256::ZERO);
                back.push(Change::Previous { id, value });
                true
            }
            ZeroRule::NoTombstone => shadowed,
        }
    }

    /// Applies a list from its last change to its first; the list that leads back.
    pub(super) fn revert(&mut self, changes: &ChangeList) -> ChangeList {
        let mut back = ChangeList::default();
        for change in changes.noted().into_iter().rev() {
            if let Some(opposite) = self.apply(change) {
                back.push(opposite);
            }
        }
        back
    }

    fn apply(&mut self, change: Change) -> Option<Change> {
        let current = &mut self.current.entries;
        match change {
            Change::Pop => {
                let Entry { location, value } = current.pop()?;
                Some(Change::Push { location, value })
            }
            Change::Push { location, value } => {
                current.push(location, value);
                Some(Change::Pop)
            }
            Change::Current { id, value } => {
                let value = current.set(id, value);
                Some(Change::Current { id, value })
            }
            Change::Previous { id, value } => {
                let value = self.previous.as_mut()?.entries.set(id, value);
                Some(Change::Previous { id, value })
            }
            Change::Shadow { id, shadowed } => {
                let shadowed = self.previous.as_mut()?.entries.shadow(id, shadowed);
                Some(Change::Shadow { id, shadowed })
            }
        }
    }

    /// What a block has touched, from its list of changes, in the state after the block.
    pub(super) fn touched(&self, back: &ChangeList) -> Touched {
        let mut touched = Touched::default();
        let mut next = self.current.entries.len();
        let current = |id| self.current.entries.entry(id).location;
        // The newest entries are those that the list takes back, the last first.
        for change in back.noted().into_iter().rev() {
            match change {
                Change::Pop => {
                    next -= 1;
                    touched.current.push(current(EntryId(next)));
                }
                Change::Push { .. } => {}
                Change::Current { id, .. } => touched.current.push(current(id)),
                Change::Previous { id, .. } | Change::Shadow { id, .. } => {
                    if let Some(previous) = &self.previous {
                        touched.previous.push(previous.entries.entry(id).location);
                    }
                }
            }
        }
        for list in [&mut touched.current, &mut touched.previous] {
            list.sort_unstable();
            list.dedup();
        }
        touched
    }

    /// Brings the trees, where there are some, up to the entries.
    pub(super) fn update_trees(&mut self, hashing: &Hashing, touched: &Touched) -> HashWork {
        let work = self.current.update_tree(hashing, &touched.current);
        match &mut self.previous {
            Some(previous) => work + previous.update_tree(hashing, &touched.previous),
            None => work,
        }
    }
}
