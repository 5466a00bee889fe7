//! The slots of one block.

use super::{
    EMPTY, TRIES,
    habit::class_at,
    hot_set::{HotSlot, absent},
    windows::{ends, window},
};
use crate::{
    generate::{
        Generator,
        draft::{Counts, Draft, Drawn, Write, part},
    },
    population::SlotId,
    profile::DAYS,
};
use rand::RngExt;

impl Generator {
    /// Draws the slots of a block, those of one group of users.
    pub(in crate::generate) fn draw_slots(&mut self, counts: &Counts, draft: &mut Draft) {
        let habits = &self.profile.slots;
        let hot_updates = part(counts.slots_updated(), habits.hot_updates, &mut self.rng);
        let cycles = part(counts.slots_deleted, habits.hot_cycles, &mut self.rng);
        let absent = part(counts.slots_read, habits.absent_reads, &mut self.rng);
        let hot_absent = part(absent, habits.hot_absent_reads, &mut self.rng);
        let found = counts.slots_read - absent;
        let hot_found = part(found, habits.hot_reads, &mut self.rng);
        let back = self.refill(cycles.min(counts.slots_created), draft);
        for _ in 0..hot_updates {
            self.hot_write(Write::Update, draft);
        }
        for _ in 0..cycles {
            self.hot_write(Write::Delete, draft);
        }
        self.hot_reads(hot_found, hot_absent, draft);
        for _ in hot_updates..counts.slots_updated() {
            self.update(draft);
        }
        for _ in back..counts.slots_created {
            self.create(draft);
        }
        for _ in cycles..counts.slots_deleted {
            self.delete(draft);
        }
        for _ in hot_found..found {
            self.read(draft);
        }
        for _ in hot_absent..absent {
            self.read_absent(draft);
        }
    }

    /// Brings back hot slots that were emptied; says how many.
    fn refill(&mut self, wanted: u64, draft: &mut Draft) -> u64 {
        let empty = &mut self.slot_habit.empty;
        let wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
        let spare = empty.len().saturating_sub(wanted.saturating_mul(EMPTY));
        let count = wanted.min(spare);
        for _ in 0..count {
            let at = empty.swap_remove(self.rng.random_range(0..empty.len()));
            self.slot_habit.written.take(at, draft.stamp, &|_| true);
            let key = self.slot_habit.written.keys[at];
            draft.touch(
                key.id,
                key.slot,
                Some(Write::Create),
                Drawn::Hot,
                &self.state,
            );
        }
        count as u64
    }

    fn hot_write(&mut self, write: Write, draft: &mut Draft) {
        let (state, population) = (&self.state, &*self.population);
        let fits = |key: &HotSlot| {
            !draft.slots_used.contains(&key.id) && state.has_value(key.id, population)
        };
        let drawn = self
            .slot_habit
            .written
            .draw(draft.stamp, &mut self.rng, fits);
        let Some(at) = drawn else { return };
        if write == Write::Delete {
            self.slot_habit.empty.push(at);
        }
        let key = self.slot_habit.written.keys[at];
        draft.touch(key.id, key.slot, Some(write), Drawn::Hot, &self.state);
    }

    fn hot_reads(&mut self, found: u64, absent: u64, draft: &mut Draft) {
        let (state, population) = (&self.state, &*self.population);
        for _ in 0..found {
            let fits = |key: &HotSlot| {
                !draft.slots_used.contains(&key.id) && state.has_value(key.id, population)
            };
            let drawn = self.slot_habit.read.draw(draft.stamp, &mut self.rng, fits);
            let Some(at) = drawn else { break };
            let key = self.slot_habit.read.keys[at];
            draft.touch(key.id, key.slot, None, Drawn::Hot, state);
        }
        for _ in 0..absent {
            let drawn = self
                .slot_habit
                .absent
                .draw(draft.stamp, &mut self.rng, |_| true);
            let Some(at) = drawn else { break };
            let key = self.slot_habit.absent.keys[at];
            draft.touch(key.id, key.slot, None, Drawn::Hot, state);
        }
    }

    /// An update of what was written within a window of days.
    fn update(&mut self, draft: &mut Draft) {
        let window = window(&self.slot_habit.windows, &mut self.rng);
        let (from, to) = ends(window);
        let id = self
            .written_within(from, to, draft)
            .or_else(|| self.written_before(from, to, draft))
            .or_else(|| self.present(true, draft));
        let drawn = Drawn::Window(window as u8);
        self.touch(id, Some(Write::Update), drawn, draft);
    }

    fn create(&mut self, draft: &mut Draft) {
        let class = class_at(&self.slot_habit.written_classes, self.rng.random());
        let contract = match self.rng.random::<f64>() < self.profile.contracts.elsewhere {
            true => Some(
                self.rng
                    .random_range(0..self.population.contracts_with_storage()),
            ),
            false => self.hubs.contract(class, &mut self.rng),
        };
        let Some(contract) = contract else { return };
        let mut id = self.state.new_slot(contract, &self.population);
        for _ in 0..TRIES {
            if self.population.class_of(id) == class {
                break;
            }
            id = self.state.new_slot(contract, &self.population);
        }
        self.touch(Some(id), Some(Write::Create), Drawn::New, draft);
    }

    fn delete(&mut self, draft: &mut Draft) {
        let month = f64::from(DAYS[2]);
        let id = match self.rng.random::<f64>() < self.profile.slots.young_deletes {
            true => self
                .created_within(month, draft)
                .or_else(|| self.written_before(0.0, month, draft)),
            false => None,
        };
        let drawn = if id.is_some() {
            Drawn::Young
        } else {
            Drawn::Any
        };
        let id = id.or_else(|| self.present(true, draft));
        self.touch(id, Some(Write::Delete), drawn, draft);
    }

    fn read(&mut self, draft: &mut Draft) {
        let id = match self.rng.random::<f64>() < self.profile.slots.young_reads {
            true => self.created_within(f64::from(DAYS[2]), draft),
            false => None,
        };
        let drawn = if id.is_some() {
            Drawn::Young
        } else {
            Drawn::Any
        };
        let id = id.or_else(|| self.present(false, draft));
        self.touch(id, None, drawn, draft);
    }

    fn read_absent(&mut self, draft: &mut Draft) {
        let class = class_at(&self.slot_habit.read_classes, self.rng.random());
        let id = absent(class, &self.population, &self.hubs, &mut self.rng);
        self.touch(id, None, Drawn::Absent, draft);
    }

    pub(super) fn touch(
        &self,
        id: Option<SlotId>,
        write: Option<Write>,
        drawn: Drawn,
        draft: &mut Draft,
    ) {
        if let Some(id) = id {
            let slot = self.population.slot(id);
            draft.touch(id, slot, write, drawn, &self.state);
        }
    }
}
