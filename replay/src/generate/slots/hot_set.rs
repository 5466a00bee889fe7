//! The making of hot sets: slots that blocks touch again and again.

use super::{TRIES, habit::class_at};
use crate::{
    generate::hubs::Hubs,
    population::{Population, PopulationSlot, SlotId},
};
use alloy_primitives::map::HashSet;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use thinstate_formats::object::ObjectClass;

/// Draws for a key of a hot set, of each window.
const SET_TRIES: usize = 1_000;
/// Absent slots that are asked for have numbers so far above those that are given out.
const ABSENT: u64 = 1 << 40;

/// A slot of a hot set.
#[derive(Clone, Copy, Debug)]
pub(super) struct HotSlot {
    pub(super) id: SlotId,
    pub(super) slot: PopulationSlot,
}

/// Where the slots of a hot set are from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Written within a day before the start.
    Young,
    /// Any that are there.
    Any,
    /// Not there.
    Absent,
}

/// The making of a hot set.
pub(super) struct HotSet<'a> {
    pub(super) population: &'a Population,
    pub(super) hubs: &'a Hubs,
    pub(super) kind: Kind,
}

impl HotSet<'_> {
    /// Slots whose classes are spread over the ranks as their shares say: the classes of neighbouring ranks
    /// lie a golden section apart.
    pub(super) fn keys(
        &self,
        size: usize,
        classes: &[(ObjectClass, f64)],
        taken: &mut HashSet<SlotId>,
        rng: &mut ChaCha8Rng,
    ) -> Vec<HotSlot> {
        let mut keys = Vec::with_capacity(size);
        let mut at = 0.5;
        for _ in 0..size {
            at = f64::fract(at + 0.618_033_988_749);
            let Some(id) = self.key(class_at(classes, at), taken, rng) else {
                continue;
            };
            taken.insert(id);
            let slot = self.population.slot(id);
            keys.push(HotSlot { id, slot });
        }
        keys
    }

    fn key(
        &self,
        class: ObjectClass,
        taken: &HashSet<SlotId>,
        rng: &mut ChaCha8Rng,
    ) -> Option<SlotId> {
        match self.kind {
            Kind::Absent => {
                absent(class, self.population, self.hubs, rng).filter(|id| !taken.contains(id))
            }
            Kind::Any => self.any(class, taken, rng),
            Kind::Young => [1.0, 7.0, 30.0]
                .into_iter()
                .find_map(|days| self.young(class, days, taken, rng))
                .or_else(|| self.any(class, taken, rng)),
        }
    }

    fn any(
        &self,
        class: ObjectClass,
        taken: &HashSet<SlotId>,
        rng: &mut ChaCha8Rng,
    ) -> Option<SlotId> {
        (0..4).find_map(|_| {
            self.hubs
                .slot(class, self.population, rng, |id| !taken.contains(&id))
        })
    }

    fn young(
        &self,
        class: ObjectClass,
        days: f64,
        taken: &HashSet<SlotId>,
        rng: &mut ChaCha8Rng,
    ) -> Option<SlotId> {
        let within = self.population.slots_within(days);
        if within == 0 {
            return None;
        }
        (0..SET_TRIES).find_map(|_| {
            let id = self.population.recent_slot(rng.random_range(0..within))?;
            let fits = id.contract < self.hubs.end
                && !taken.contains(&id)
                && self.population.class_of(id) == class;
            fits.then_some(id)
        })
    }
}

/// A slot of a hub that is not there and will not be.
pub(super) fn absent(
    class: ObjectClass,
    population: &Population,
    hubs: &Hubs,
    rng: &mut ChaCha8Rng,
) -> Option<SlotId> {
    let contract = hubs.contract(class, rng)?;
    absent_of(contract, class, population, rng)
}

/// A slot of a contract that is not there and will not be.
pub(super) fn absent_of(
    contract: u64,
    class: ObjectClass,
    population: &Population,
    rng: &mut ChaCha8Rng,
) -> Option<SlotId> {
    let above = population.slots_of(contract) + ABSENT;
    (0..TRIES).find_map(|_| {
        let local = above + rng.random_range(0..ABSENT);
        let id = SlotId { contract, local };
        (population.class_of(id) == class).then_some(id)
    })
}
