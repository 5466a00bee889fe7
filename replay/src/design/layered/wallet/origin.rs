//! The objects that a store was filled with: found by their location, known by the population.
//!
//! Nothing of an object is held but the number of its slot, in a hash table that is asked with the location
//! and answers are checked against the population: 6 to 11 bytes for each object of a cheap tier. Records of
//! the fill have indexes in the order of slots, so that an index is a rank among the slots whose objects are
//! records ([`Ranks`]): 1.13 bits for each slot of the population.

use super::{
    super::{
        place::{Placement, object_of},
        sealed::Homes,
    },
    ranks::Ranks,
};
use crate::{
    design::DesignError,
    population::{Population, PopulationSlot},
};
use alloy_primitives::B256;
use hashbrown::HashTable;
use rayon::prelude::*;
use std::collections::BTreeMap;
use thinstate_formats::{
    PeriodId, RecordIndex,
    object::{ContractObject, Tier},
    temporary::location,
};

/// Slots that one thread looks at, a multiple of 64.
const SLOTS_TOGETHER: u64 = 1 << 14;
/// Parts that are looked at before their objects enter the table.
const PARTS_TOGETHER: u64 = 64;

/// An object of the population, by the number of its slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::design::layered) struct Native {
    /// The number of its slot.
    pub(in crate::design::layered) number: u32,
    pub(in crate::design::layered) object: ContractObject,
}

/// The objects of a population that are not in the trie.
#[derive(Debug)]
pub(in crate::design::layered) struct Origin {
    population: Population,
    placement: Placement,
    table: HashTable<u32>,
    records: Ranks,
}

/// What one thread finds among some slots.
struct Part {
    /// Hash and slot of each object of a cheap tier.
    objects: Vec<(u64, u32)>,
    /// Period and slot of each object that is temporary.
    temporary: Vec<(PeriodId, u32)>,
    /// Slots whose objects are records, as bits.
    records: Vec<u64>,
}

/// Slots whose objects are in the temporary tier, by period.
pub(in crate::design::layered) type Periods = BTreeMap<PeriodId, Vec<u32>>;

impl Origin {
    /// Goes through all slots of a population. With `homes`, also says which are in which period.
    pub(in crate::design::layered) fn build(
        design: &str,
        population: &Population,
        placement: Placement,
        homes: Option<&Homes>,
        progress: &(dyn Fn(&str, u64, u64) + Sync),
    ) -> Result<(Self, Periods), DesignError> {
        let slots = population.slots();
        if u32::try_from(slots).is_err() {
            return Err(DesignError::Unsupported {
                design: design.to_owned(),
                what: format!("a population of {slots} slots: wallets number less than 2^32"),
            });
        }
        let mut origin = Self {
            population: population.clone(),
            placement,
            table: HashTable::new(),
            records: Ranks::default(),
        };
        let (mut objects, mut words) = (Vec::new(), Vec::new());
        let mut periods = Periods::new();
        let parts = slots.div_ceil(SLOTS_TOGETHER);
        for first in (0..parts).step_by(PARTS_TOGETHER as usize) {
            progress("objects known to wallets", first * SLOTS_TOGETHER, slots);
            let found: Vec<Part> = (first..parts.min(first + PARTS_TOGETHER))
                .into_par_iter()
                .map(|part| origin.part(part, homes))
                .collect();
            for part in found {
                objects.extend(part.objects);
                words.extend(part.records);
                for (period, number) in part.temporary {
                    periods.entry(period).or_default().push(number);
                }
            }
        }
        let mut table = HashTable::with_capacity(objects.len());
        for (hash, number) in objects {
            table.insert_unique(hash, number, |number| origin.hash_of(*number));
        }
        origin.table = table;
        origin.records = Ranks::new(words);
        progress("objects known to wallets", slots, slots);
        Ok((origin, periods))
    }

    fn part(&self, part: u64, homes: Option<&Homes>) -> Part {
        let first = part * SLOTS_TOGETHER;
        let end = self.population.slots().min(first + SLOTS_TOGETHER);
        let mut found = Part {
            objects: Vec::new(),
            temporary: Vec::new(),
            records: vec![0; (end - first).div_ceil(64) as usize],
        };
        for number in first..end {
            let Some((slot, tier)) = self.cheap(number) else {
                continue;
            };
            let Some(key) = slot.object else { continue };
            let at = location(slot.address, key.temporary_key());
            found.objects.push((hash(&at), number as u32));
            match (tier, homes) {
                (Tier::Utxo, _) => {
                    let bit = number - first;
                    found.records[(bit / 64) as usize] |= 1 << (bit % 64);
                }
                (_, Some(homes)) => {
                    let period = homes.of(self.age(number));
                    found.temporary.push((period, number as u32));
                }
                (_, None) => {}
            }
        }
        found
    }

    /// A slot whose object is not in the trie, and where that is.
    fn cheap(&self, number: u64) -> Option<(PopulationSlot, Tier)> {
        let slot = self.population.slot(self.population.slot_at(number)?);
        let tier = self
            .placement
            .home(slot.class, slot.object.as_ref(), slot.value);
        (tier != Tier::Permanent).then_some((slot, tier))
    }

    /// Blocks since the slot with this number was last written.
    pub(in crate::design::layered) fn age(&self, number: u64) -> u64 {
        let id = self.population.slot_at(number);
        let age = id.and_then(|id| self.population.slot_age(id));
        age.unwrap_or(u64::MAX)
    }

    fn hash_of(&self, number: u32) -> u64 {
        let at = self.native(number).map(|native| native.location());
        at.map_or(0, |at| hash(&at))
    }

    /// The object in the slot with this number, if it is in a cheap tier.
    pub(in crate::design::layered) fn native(&self, number: u32) -> Option<Native> {
        let (slot, _) = self.cheap(number.into())?;
        let object = object_of(slot.object?, slot.value)?;
        let contract = slot.address;
        Some(Native {
            number,
            object: ContractObject { contract, object },
        })
    }

    /// The object at a location.
    pub(in crate::design::layered) fn find(&self, at: &B256) -> Option<Native> {
        let mut native = None;
        self.table.find(hash(at), |number| {
            native = self.native(*number).filter(|it| it.location() == *at);
            native.is_some()
        })?;
        native
    }

    /// The index of the record that the store was filled with for an object.
    pub(in crate::design::layered) fn record_of(&self, native: &Native) -> Option<RecordIndex> {
        self.records.rank(native.number.into()).map(RecordIndex)
    }

    /// Records of the fill.
    pub(in crate::design::layered) fn records(&self) -> u64 {
        self.records.len()
    }

    /// The records of the fill from one on, in order.
    pub(in crate::design::layered) fn records_from(
        &self,
        first: RecordIndex,
    ) -> impl Iterator<Item = ContractObject> + '_ {
        let numbers = self.records.from_rank(first.0);
        numbers.filter_map(|number| Some(self.native(number as u32)?.object))
    }

    /// The slots whose objects are records, from one on.
    pub(in crate::design::layered) fn record_slots_from(
        &self,
        first: RecordIndex,
    ) -> impl Iterator<Item = u32> + '_ {
        self.records.from_rank(first.0).map(|number| number as u32)
    }

    /// Bytes of memory.
    pub(in crate::design::layered) fn memory_bytes(&self) -> u64 {
        self.table.allocation_size() as u64 + self.records.memory_bytes()
    }
}

impl Native {
    /// Where the object lies in the temporary tier; what names it in the others.
    pub(in crate::design::layered) fn location(&self) -> B256 {
        let ContractObject { contract, object } = self.object;
        location(contract, object.key().temporary_key())
    }
}

/// A location is a hash.
fn hash(location: &B256) -> u64 {
    let (first, _) = location
        .split_first_chunk()
        .expect("a location has 32 bytes");
    u64::from_le_bytes(*first)
}
