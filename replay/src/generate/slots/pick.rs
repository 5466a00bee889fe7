//! One slot of a block, found by its class or by its age.

use super::{TRIES, habit::class_at};
use crate::{
    generate::{Generator, draft::Draft},
    population::SlotId,
};
use core::ops::Range;
use rand::RngExt;

impl Generator {
    /// A slot with a value, of a class that is drawn.
    pub(super) fn present(&mut self, written: bool, draft: &Draft) -> Option<SlotId> {
        let classes = match written {
            true => &self.slot_habit.written_classes,
            false => &self.slot_habit.read_classes,
        };
        let class = class_at(classes, self.rng.random());
        let (state, population) = (&self.state, &*self.population);
        self.hubs.slot(class, population, &mut self.rng, |id| {
            !draft.slots_used.contains(&id) && state.has_value(id, population)
        })
    }

    /// A slot that was last written in the run, from `from` to `to` days ago.
    pub(super) fn written_within(&mut self, from: f64, to: f64, draft: &Draft) -> Option<SlotId> {
        for _ in 0..TRIES / 8 {
            let clock = self.clock_ago(from, to)?;
            let drawn = self.slot_habit.logs.written.draw(clock, &mut self.rng);
            let Some(id) = drawn else { continue };
            let last = self.state.slot(id);
            let fits = last.is_some_and(|it| it.clock == clock && !it.value.is_zero());
            if fits && !draft.slots_used.contains(&id) {
                return Some(id);
            }
        }
        None
    }

    /// A slot that came to be in the run, within so many days.
    pub(super) fn created_within(&mut self, days: f64, draft: &Draft) -> Option<SlotId> {
        for _ in 0..TRIES / 8 {
            let clock = self.clock_ago(0.0, days)?;
            let drawn = self.slot_habit.logs.created.draw(clock, &mut self.rng);
            let Some(id) = drawn else { continue };
            let has_value = self.state.has_value(id, &self.population);
            if has_value && !draft.slots_used.contains(&id) {
                return Some(id);
            }
        }
        None
    }

    /// The clock at a time between `from` and `to` days ago; `None` if that was before the run.
    pub(in crate::generate) fn clock_ago(&mut self, from: f64, to: f64) -> Option<u64> {
        if !to.is_finite() {
            return None;
        }
        let days = from + (to - from) * self.rng.random::<f64>();
        let blocks = (days * self.blocks_per_day).ceil().max(1.0);
        let within = blocks <= to * self.blocks_per_day;
        self.clock().checked_sub(blocks as u64).filter(|_| within)
    }

    /// Ranks by recency of what was written from `from` to `to` days ago, and before the run.
    pub(super) fn ranks_between(&self, from: f64, to: f64) -> Range<u64> {
        let run = self.days_run();
        let first = self.population.slots_within((from - run).max(0.0));
        let end = match to.is_finite() {
            true => self.population.slots_within((to - run).max(0.0)),
            false => self.population.slots(),
        };
        first..end
    }

    /// A slot that was last written before the run, from `from` to `to` days ago.
    pub(super) fn written_before(&mut self, from: f64, to: f64, draft: &Draft) -> Option<SlotId> {
        let ranks = self.ranks_between(from, to);
        if ranks.is_empty() {
            return None;
        }
        for _ in 0..TRIES {
            let id = self
                .population
                .recent_slot(self.rng.random_range(ranks.clone()))?;
            let class = self.population.class_of(id);
            let taken = self.slot_habit.taken[usize::from(class.id())];
            let hub = id.contract < self.hubs.end
                || self.rng.random::<f64>() < self.profile.contracts.elsewhere;
            let fits = hub
                && self.rng.random::<f64>() < taken
                && self.state.slot(id).is_none()
                && !draft.slots_used.contains(&id);
            if fits {
                return Some(id);
            }
        }
        None
    }
}
