//! What the choice of slots rests on.

use super::{
    EMPTY,
    hot_set::{HotSet, HotSlot, Kind},
    windows::windows,
};
use crate::{
    generate::{
        generator::Logs,
        hot::{self, Hot},
        hubs::Hubs,
    },
    population::{Population, SlotId},
    profile::{ClassShares, DAYS, Profile},
};
use alloy_primitives::map::HashSet;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;
use thinstate_formats::object::ObjectClass;

/// Slots that are looked at to see what classes a population has.
const SAMPLE: u64 = 4_096;
/// A busy block writes so many times what the mean one does.
const BUSY: f64 = 2.0;

/// What the choice of slots rests on.
#[derive(Debug)]
pub(in crate::generate) struct SlotHabit {
    pub(super) written: Hot<HotSlot>,
    pub(super) read: Hot<HotSlot>,
    pub(super) absent: Hot<HotSlot>,
    /// Places in the hot set of slots that a delete emptied.
    pub(super) empty: Vec<usize>,
    /// Share of updates outside the hot set by window: the last is what is older.
    pub(super) windows: [f64; DAYS.len() + 1],
    /// How often a slot that was found by its age alone is taken, by class.
    pub(super) taken: [f64; ObjectClass::ALL.len()],
    pub(super) written_classes: Vec<(ObjectClass, f64)>,
    pub(super) read_classes: Vec<(ObjectClass, f64)>,
    pub(in crate::generate) logs: Logs<SlotId>,
}

impl SlotHabit {
    pub(in crate::generate) fn new(
        profile: &Profile,
        population: &Population,
        hubs: &Hubs,
        blocks_per_day: f64,
        rng: &mut ChaCha8Rng,
    ) -> Self {
        let (block, habits) = (&profile.block, &profile.slots);
        let written_classes = classes(&profile.classes.written, hubs);
        let read_classes = classes(&profile.classes.read, hubs);
        let updates =
            block.slots_written.mean - block.slots_created.mean - block.slots_deleted.mean;
        let hot_updates = updates * habits.hot_updates;
        let cycles = block.slots_deleted.mean * habits.hot_cycles;
        let absent = block.slots_read.mean * habits.absent_reads;
        let found = block.slots_read.mean - absent;
        let slots = population.slots();
        let size =
            |set: &crate::profile::HotSet, asked| hot::size(set.keys_per_million, slots, asked);
        let mut taken = HashSet::default();
        let mut set = |size, classes: &[(ObjectClass, f64)], kind| {
            HotSet {
                population,
                hubs,
                kind,
            }
            .keys(size, classes, &mut taken, rng)
        };
        let written = set(
            size(
                &habits.hot_written,
                BUSY * cycles.mul_add(EMPTY as f64 + 2.0, hot_updates),
            ),
            &written_classes,
            Kind::Young,
        );
        let read_size = size(&habits.hot_read, found * habits.hot_reads);
        let read = set(read_size, &read_classes, Kind::Any);
        let absent_size = size(&habits.hot_absent, absent * habits.hot_absent_reads);
        let absent = set(absent_size, &read_classes, Kind::Absent);
        let written = Hot::new(written, habits.hot_written.exponent);
        let fresh = DAYS.map(|days| written.fresh(hot_updates, f64::from(days) * blocks_per_day));
        Self {
            windows: windows(&habits.locality, habits.hot_updates, fresh),
            taken: acceptance(population, &written_classes, rng),
            read: Hot::new(read, habits.hot_read.exponent),
            absent: Hot::new(absent, habits.hot_absent.exponent),
            written,
            empty: Vec::new(),
            written_classes,
            read_classes,
            logs: Logs::new(),
        }
    }
}

/// Shares of the classes that hubs have; those that they lack are plain slots.
fn classes(shares: &BTreeMap<ObjectClass, f64>, hubs: &Hubs) -> Vec<(ObjectClass, f64)> {
    let mut list: Vec<(ObjectClass, f64)> = Vec::new();
    let mut lacking = 0.0;
    for class in ObjectClass::ALL {
        let share = ClassShares::share(shares, class);
        match hubs.have(class) {
            true if share > 0.0 => list.push((class, share)),
            true => {}
            false => lacking += share,
        }
    }
    match list
        .iter_mut()
        .find(|(class, _)| *class == ObjectClass::PlainSlot)
    {
        Some((_, share)) => *share += lacking,
        None if lacking > 0.0 => list.push((ObjectClass::PlainSlot, lacking)),
        None => {}
    }
    list
}

/// The class at a place between 0 and 1.
pub(super) fn class_at(classes: &[(ObjectClass, f64)], mut at: f64) -> ObjectClass {
    for (class, share) in classes {
        if at < *share {
            return *class;
        }
        at -= share;
    }
    classes.last().map_or(ObjectClass::PlainSlot, |last| last.0)
}

/// With which probability a slot drawn by its age is taken, by class, so that classes are as wanted.
fn acceptance(
    population: &Population,
    wanted: &[(ObjectClass, f64)],
    rng: &mut ChaCha8Rng,
) -> [f64; ObjectClass::ALL.len()] {
    let mut counts = [0_u32; ObjectClass::ALL.len()];
    for _ in 0..SAMPLE {
        let index = rng.random_range(0..population.slots());
        if let Some(id) = population.slot_at(index) {
            counts[usize::from(population.class_of(id).id())] += 1;
        }
    }
    let mut ratios = [0.0; ObjectClass::ALL.len()];
    for (class, share) in wanted {
        let at = usize::from(class.id());
        ratios[at] = share / f64::from(counts[at].max(1));
    }
    let largest = ratios.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    ratios.map(|ratio| ratio / largest)
}
