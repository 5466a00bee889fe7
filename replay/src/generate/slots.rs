//! Which slots a block touches.

use super::{
    Generator,
    draft::{Counts, Draft, Write, part},
    generator::Logs,
    hot::{self, Hot},
    hubs::Hubs,
};
use crate::{
    population::{Population, PopulationSlot, SlotId},
    profile::{ClassShares, DAYS, Locality, Profile},
};
use alloy_primitives::map::HashSet;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;
use thinstate_formats::object::ObjectClass;

/// Draws after which a slot that fits is given up.
const TRIES: usize = 64;
/// Draws for a key of a hot set, of each window.
const SET_TRIES: usize = 1_000;
/// Slots that are looked at to see what classes a population has.
const SAMPLE: u64 = 4_096;
/// Absent slots that are asked for have numbers so far above those that are given out.
const ABSENT: u64 = 1 << 40;
/// Hot slots that were emptied stay so until there are so many times more of them than a block needs.
const EMPTY: usize = 4;

/// A slot of a hot set.
#[derive(Clone, Copy, Debug)]
pub(super) struct HotSlot {
    pub(super) id: SlotId,
    slot: PopulationSlot,
}

/// What the choice of slots rests on.
#[derive(Debug)]
pub(super) struct SlotHabit {
    written: Hot<HotSlot>,
    read: Hot<HotSlot>,
    absent: Hot<HotSlot>,
    /// Places in the hot set of slots that a delete emptied.
    empty: Vec<usize>,
    /// Share of updates outside the hot set by window: the last is what is older.
    windows: [f64; DAYS.len() + 1],
    /// How often a slot that was found by its age alone is taken, by class.
    taken: [f64; ObjectClass::ALL.len()],
    written_classes: Vec<(ObjectClass, f64)>,
    read_classes: Vec<(ObjectClass, f64)>,
    pub(super) logs: Logs<SlotId>,
}

impl SlotHabit {
    pub(super) fn new(
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
                cycles.mul_add(EMPTY as f64 + 2.0, hot_updates),
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
fn class_at(classes: &[(ObjectClass, f64)], mut at: f64) -> ObjectClass {
    for (class, share) in classes {
        if at < *share {
            return *class;
        }
        at -= share;
    }
    classes.last().map_or(ObjectClass::PlainSlot, |last| last.0)
}

/// Updates outside of a hot set, by window, so that with those of the set the locality comes out: `fresh` is
/// the share of the set's updates within each window.
pub(super) fn windows(
    locality: &Locality,
    hot: f64,
    fresh: [f64; DAYS.len()],
) -> [f64; DAYS.len() + 1] {
    let mut windows = [0.0; DAYS.len() + 1];
    let (mut before, mut fresh_before) = (0.0, 0.0);
    for at in 0..DAYS.len() {
        let wanted = locality.0[at] - before;
        let by_set = hot * (fresh[at] - fresh_before);
        windows[at] = (wanted - by_set).max(0.0);
        (before, fresh_before) = (locality.0[at], fresh[at]);
    }
    windows[DAYS.len()] = (1.0 - before).max(0.0);
    windows
}

/// Draws a window by weight.
pub(super) fn window(windows: &[f64; DAYS.len() + 1], rng: &mut ChaCha8Rng) -> usize {
    let mut at = rng.random::<f64>() * windows.iter().sum::<f64>();
    let found = windows.iter().position(|weight| {
        let is_it = at < *weight;
        at -= weight;
        is_it
    });
    found.unwrap_or(0)
}

/// The ends of a window in days.
pub(super) fn ends(window: usize) -> (f64, f64) {
    let from = window.checked_sub(1).map_or(0.0, |at| f64::from(DAYS[at]));
    let to = DAYS
        .get(window)
        .map_or(f64::INFINITY, |days| f64::from(*days));
    (from, to)
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

/// Where the slots of a hot set are from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Written within a day before the start.
    Young,
    /// Any that are there.
    Any,
    /// Not there.
    Absent,
}

/// The making of a hot set.
struct HotSet<'a> {
    population: &'a Population,
    hubs: &'a Hubs,
    kind: Kind,
}

impl HotSet<'_> {
    /// Slots whose classes are spread over the ranks as their shares say: the classes of neighbouring ranks
    /// lie a golden section apart.
    fn keys(
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
fn absent(
    class: ObjectClass,
    population: &Population,
    hubs: &Hubs,
    rng: &mut ChaCha8Rng,
) -> Option<SlotId> {
    let contract = hubs.contract(class, rng)?;
    let above = population.slots_of(contract) + ABSENT;
    (0..TRIES).find_map(|_| {
        let local = above + rng.random_range(0..ABSENT);
        let id = SlotId { contract, local };
        (population.class_of(id) == class).then_some(id)
    })
}

impl Generator {
    /// Draws the slots of a block.
    pub(super) fn draw_slots(&mut self, counts: &Counts, draft: &mut Draft) {
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
        let copies = draft.copies;
        for _ in 0..(counts.slots_updated() - hot_updates) * copies {
            self.update(draft);
        }
        for _ in 0..(counts.slots_created - back) * copies {
            self.create(draft);
        }
        for _ in 0..(counts.slots_deleted - cycles) * copies {
            self.delete(draft);
        }
        for _ in 0..(found - hot_found) * copies {
            self.read(draft);
        }
        for _ in 0..(absent - hot_absent) * copies {
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
            draft.touch(key.id, key.slot, Some(Write::Create), true, &self.state);
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
        draft.touch(key.id, key.slot, Some(write), true, &self.state);
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
            draft.touch(key.id, key.slot, None, true, state);
        }
        for _ in 0..absent {
            let drawn = self
                .slot_habit
                .absent
                .draw(draft.stamp, &mut self.rng, |_| true);
            let Some(at) = drawn else { break };
            let key = self.slot_habit.absent.keys[at];
            draft.touch(key.id, key.slot, None, true, state);
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
        self.touch(id, Some(Write::Update), draft);
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
        self.touch(Some(id), Some(Write::Create), draft);
    }

    fn delete(&mut self, draft: &mut Draft) {
        let month = f64::from(DAYS[2]);
        let id = match self.rng.random::<f64>() < self.profile.slots.young_deletes {
            true => self
                .created_within(month, draft)
                .or_else(|| self.written_before(0.0, month, draft)),
            false => None,
        };
        let id = id.or_else(|| self.present(true, draft));
        self.touch(id, Some(Write::Delete), draft);
    }

    fn read(&mut self, draft: &mut Draft) {
        let id = match self.rng.random::<f64>() < self.profile.slots.young_reads {
            true => self.created_within(f64::from(DAYS[2]), draft),
            false => None,
        };
        let id = id.or_else(|| self.present(false, draft));
        self.touch(id, None, draft);
    }

    fn read_absent(&mut self, draft: &mut Draft) {
        let class = class_at(&self.slot_habit.read_classes, self.rng.random());
        let id = absent(class, &self.population, &self.hubs, &mut self.rng);
        self.touch(id, None, draft);
    }

    fn touch(&self, id: Option<SlotId>, write: Option<Write>, draft: &mut Draft) {
        if let Some(id) = id {
            let slot = self.population.slot(id);
            draft.touch(id, slot, write, false, &self.state);
        }
    }

    /// A slot with a value, of a class that is drawn.
    fn present(&mut self, written: bool, draft: &Draft) -> Option<SlotId> {
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
    fn written_within(&mut self, from: f64, to: f64, draft: &Draft) -> Option<SlotId> {
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
    fn created_within(&mut self, days: f64, draft: &Draft) -> Option<SlotId> {
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
    pub(super) fn clock_ago(&mut self, from: f64, to: f64) -> Option<u64> {
        if !to.is_finite() {
            return None;
        }
        let days = from + (to - from) * self.rng.random::<f64>();
        let blocks = (days * self.blocks_per_day).ceil().max(1.0);
        let within = blocks <= to * self.blocks_per_day;
        self.clock().checked_sub(blocks as u64).filter(|_| within)
    }

    /// A slot that was last written before the run, from `from` to `to` days ago.
    fn written_before(&mut self, from: f64, to: f64, draft: &Draft) -> Option<SlotId> {
        let run = self.days_run();
        let first = self.population.slots_within((from - run).max(0.0));
        let end = match to.is_finite() {
            true => self.population.slots_within((to - run).max(0.0)),
            false => self.population.slots(),
        };
        if first >= end {
            return None;
        }
        for _ in 0..TRIES {
            let id = self
                .population
                .recent_slot(self.rng.random_range(first..end))?;
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
