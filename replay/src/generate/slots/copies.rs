//! The slots of a cloned block's other groups of users.
//!
//! Every slot of the block that is in no hot set is a user's, and each group has one of its own for it: another slot of
//! a contract that the block touches, of the same class, to which the same is done, found by the same habit (as
//! fresh, as young, as absent). None is in the block twice, so that `m` groups have `m` times as many; only where a
//! contract of the block has none left is one of another class, or of another age, taken.

use super::{TRIES, hot_set::absent_of, windows::ends};
use crate::{
    generate::{
        Generator,
        draft::{Draft, Drawn, SlotTouch, Write},
    },
    population::SlotId,
    profile::DAYS,
};
use alloy_primitives::map::HashSet;
use rand::RngExt;

/// Where the contracts of a block have been gone through for slots that are left.
#[derive(Debug, Default)]
struct Sweep {
    /// Place among the block's contracts.
    contract: usize,
    local: u64,
}

impl Generator {
    /// Gives every group but the first its slots.
    pub(in crate::generate) fn copy_slots(&mut self, draft: &mut Draft) {
        let own: Vec<SlotTouch> = draft
            .slots
            .iter()
            .filter(|it| it.drawn != Drawn::Hot)
            .copied()
            .collect();
        let contracts: HashSet<u64> = draft.contracts.iter().copied().collect();
        let mut sweep = Sweep::default();
        for _ in 1..draft.copies {
            for touch in &own {
                let found = self
                    .like(touch, &contracts, draft)
                    .or_else(|| self.left_over(touch, &mut sweep, draft));
                match found {
                    Some(id) => self.touch(Some(id), touch.write, touch.drawn, draft),
                    None => self.lacking += 1,
                }
            }
        }
    }

    /// A slot like this one that is not in the block.
    fn like(
        &mut self,
        touch: &SlotTouch,
        contracts: &HashSet<u64>,
        draft: &Draft,
    ) -> Option<SlotId> {
        let month = f64::from(DAYS[2]);
        let fits = |generator: &Self, id: SlotId| {
            contracts.contains(&id.contract)
                && generator.population.class_of(id) == touch.slot.class
                && !draft.slots_used.contains(&id)
        };
        match touch.drawn {
            Drawn::New => return Some(self.new_like(touch)),
            Drawn::Absent => return self.absent_like(touch, draft),
            Drawn::Window(window) => {
                let (from, to) = ends(usize::from(window));
                self.written_like(from, to, &fits)
                    .or_else(|| self.old_like(from, to, &fits))
            }
            Drawn::Young if touch.write == Some(Write::Delete) => self
                .created_like(month, &fits)
                .or_else(|| self.old_like(0.0, month, &fits)),
            Drawn::Young => self.created_like(month, &fits),
            Drawn::Any | Drawn::Hot => None,
        }
        .or_else(|| self.present_like(touch, draft))
    }

    fn new_like(&mut self, touch: &SlotTouch) -> SlotId {
        let contract = touch.id.contract;
        let mut id = self.state.new_slot(contract, &self.population);
        for _ in 0..TRIES {
            if self.population.class_of(id) == touch.slot.class {
                break;
            }
            id = self.state.new_slot(contract, &self.population);
        }
        id
    }

    fn absent_like(&mut self, touch: &SlotTouch, draft: &Draft) -> Option<SlotId> {
        let (contract, class) = (touch.id.contract, touch.slot.class);
        (0..TRIES).find_map(|_| {
            let id = absent_of(contract, class, &self.population, &mut self.rng)?;
            (!draft.slots_used.contains(&id)).then_some(id)
        })
    }

    /// One that was last written in the run, from `from` to `to` days ago.
    fn written_like(
        &mut self,
        from: f64,
        to: f64,
        fits: &impl Fn(&Self, SlotId) -> bool,
    ) -> Option<SlotId> {
        (0..TRIES / 4).find_map(|_| {
            let clock = self.clock_ago(from, to)?;
            let id = self.slot_habit.logs.written.draw(clock, &mut self.rng)?;
            let last = self.state.slot(id)?;
            let is_last = last.clock == clock && !last.value.is_zero();
            (is_last && fits(self, id)).then_some(id)
        })
    }

    /// One that came to be in the run, within so many days.
    fn created_like(&mut self, days: f64, fits: &impl Fn(&Self, SlotId) -> bool) -> Option<SlotId> {
        (0..TRIES / 4).find_map(|_| {
            let clock = self.clock_ago(0.0, days)?;
            let id = self.slot_habit.logs.created.draw(clock, &mut self.rng)?;
            (self.state.has_value(id, &self.population) && fits(self, id)).then_some(id)
        })
    }

    /// One that was last written before the run.
    fn old_like(
        &mut self,
        from: f64,
        to: f64,
        fits: &impl Fn(&Self, SlotId) -> bool,
    ) -> Option<SlotId> {
        let ranks = self.ranks_between(from, to);
        if ranks.is_empty() {
            return None;
        }
        (0..TRIES).find_map(|_| {
            let id = self
                .population
                .recent_slot(self.rng.random_range(ranks.clone()))?;
            (self.state.slot(id).is_none() && fits(self, id)).then_some(id)
        })
    }

    /// One of the same contract.
    fn present_like(&mut self, touch: &SlotTouch, draft: &Draft) -> Option<SlotId> {
        let contract = touch.id.contract;
        let slots = self.population.slots_of(contract);
        if slots == 0 {
            return None;
        }
        (0..TRIES / 4).find_map(|_| {
            let local = self.rng.random_range(0..slots);
            let id = SlotId { contract, local };
            let fits = self.population.class_of(id) == touch.slot.class && self.is_left(id, draft);
            fits.then_some(id)
        })
    }

    /// The next slot of the block's contracts that is not in the block.
    fn left_over(&self, touch: &SlotTouch, sweep: &mut Sweep, draft: &Draft) -> Option<SlotId> {
        if touch.drawn == Drawn::Absent {
            return None;
        }
        while let Some(contract) = draft.contracts.get(sweep.contract).copied() {
            while sweep.local < self.population.slots_of(contract) {
                let id = SlotId {
                    contract,
                    local: sweep.local,
                };
                sweep.local += 1;
                if self.is_left(id, draft) {
                    return Some(id);
                }
            }
            *sweep = Sweep {
                contract: sweep.contract + 1,
                local: 0,
            };
        }
        None
    }

    fn is_left(&self, id: SlotId, draft: &Draft) -> bool {
        !draft.slots_used.contains(&id) && self.state.has_value(id, &self.population)
    }
}
