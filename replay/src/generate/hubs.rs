//! Contracts that most slots of a block are of.

use super::hot;
use crate::{
    demo::generate::Popularity,
    population::{Population, SlotId},
    profile::ContractHabits,
};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use thinstate_formats::object::ObjectClass;

/// Slots of a contract that are looked at to see what classes it has.
const PROBES: u64 = 32;
/// Of these, how many must have a class for the contract to count as one of the class.
const PROBES_LEAST: usize = 3;
/// Slots that are looked at before a class is given up.
const TRIES: usize = 64;

/// Hubs, by the class of their slots.
#[derive(Debug)]
pub(super) struct Hubs {
    /// Contracts with a number below this are hubs.
    pub(super) end: u64,
    elsewhere: f64,
    by_class: [Class; ObjectClass::ALL.len()],
}

#[derive(Debug)]
struct Class {
    contracts: Vec<u64>,
    popularity: Popularity,
}

impl Hubs {
    pub(super) fn new(habits: &ContractHabits, population: &Population, asked: f64) -> Self {
        let size = hot::size(habits.hubs.keys_per_million, population.accounts(), asked);
        let end = (size as u64).min(population.contracts_with_storage());
        let by_class = ObjectClass::ALL.map(|class| {
            let contracts: Vec<u64> = (0..end)
                .filter(|contract| has_class(population, *contract, class))
                .collect();
            Class {
                popularity: Popularity::of(habits.hubs.exponent, contracts.len()),
                contracts,
            }
        });
        Self {
            end,
            elsewhere: habits.elsewhere,
            by_class,
        }
    }

    /// Whether any hub has slots of the class.
    pub(super) fn have(&self, class: ObjectClass) -> bool {
        !self.of(class).contracts.is_empty()
    }

    /// A hub with slots of the class, by popularity.
    pub(super) fn contract(&self, class: ObjectClass, rng: &mut ChaCha8Rng) -> Option<u64> {
        let of_class = self.of(class);
        let at = of_class.popularity.sample(rng)?;
        Some(of_class.contracts[at])
    }

    /// A slot of the class that was there at the start: mostly of a hub, and all slots of a hub alike.
    pub(super) fn slot(
        &self,
        class: ObjectClass,
        population: &Population,
        rng: &mut ChaCha8Rng,
        fits: impl Fn(SlotId) -> bool,
    ) -> Option<SlotId> {
        let anywhere = rng.random::<f64>() < self.elsewhere;
        let contract = self.contract(class, rng);
        for _ in 0..TRIES {
            let id = match contract {
                Some(contract) if !anywhere => SlotId {
                    contract,
                    local: rng.random_range(0..population.slots_of(contract)),
                },
                _ => population.slot_at(rng.random_range(0..population.slots()))?,
            };
            if population.class_of(id) == class && fits(id) {
                return Some(id);
            }
        }
        None
    }

    const fn of(&self, class: ObjectClass) -> &Class {
        &self.by_class[class.id() as usize]
    }
}

fn has_class(population: &Population, contract: u64, class: ObjectClass) -> bool {
    let slots = (0..PROBES).map(|local| SlotId { contract, local });
    slots.filter(|id| population.class_of(*id) == class).count() >= PROBES_LEAST
}
