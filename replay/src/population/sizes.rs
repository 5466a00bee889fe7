//! How many slots each contract has.

use super::{PopulationSpec, SlotId};
use core::cmp::Reverse;

/// Contracts with as many slots each, one behind the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    first_contract: u64,
    first_slot: u64,
    size: u64,
}

/// Sizes of all contracts, largest first, as runs of equal ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sizes {
    runs: Vec<Run>,
    contracts: u64,
    slots: u64,
}

impl Sizes {
    pub(super) fn new(spec: &PopulationSpec, contracts: u64) -> Self {
        let with_storage = (contracts as f64 * spec.storage_share) as u64;
        let mut sizes = Self {
            runs: Vec::new(),
            contracts: 0,
            slots: 0,
        };
        let slots = spec.slots();
        let giants: Vec<u64> = spec
            .giants
            .iter()
            .map(|share| (slots as f64 * share) as u64)
            .filter(|size| *size > 0)
            .collect();
        let rest = slots.saturating_sub(giants.iter().sum());
        let mut all: Vec<(u64, u64)> = giants.into_iter().map(|size| (size, 1)).collect();
        all.truncate(with_storage as usize);
        let first = all.len() as u64;
        all.extend(Tail::new(spec, contracts, first, with_storage, rest).runs());
        // In a small population the first of the tail are larger than the last giants.
        all.sort_by_key(|(size, _)| Reverse(*size));
        for (size, count) in all {
            sizes.push(size, count);
        }
        sizes
    }

    /// Contracts that have slots.
    pub(super) const fn contracts(&self) -> u64 {
        self.contracts
    }

    /// Slots of all of them.
    pub(super) const fn slots(&self) -> u64 {
        self.slots
    }

    /// Slots of a contract.
    pub(super) fn of(&self, contract: u64) -> u64 {
        self.slots_at(contract).map_or(0, |(_, size)| size)
    }

    /// Sizes, and how many contracts have each.
    pub(super) fn runs(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        let ends = self.runs[1.min(self.runs.len())..].iter();
        let ends = ends.map(|run| run.first_contract).chain([self.contracts]);
        let count = |(run, end): (&Run, u64)| (run.size, end - run.first_contract);
        self.runs.iter().zip(ends).map(count)
    }

    /// The number of the first slot of a contract, and how many it has.
    pub(super) fn slots_at(&self, contract: u64) -> Option<(u64, u64)> {
        if contract >= self.contracts {
            return None;
        }
        let at = self
            .runs
            .partition_point(|run| run.first_contract <= contract);
        let run = self.runs[at - 1];
        let before = (contract - run.first_contract) * run.size;
        Some((run.first_slot + before, run.size))
    }

    /// The number of a slot.
    pub(super) fn index_of(&self, id: SlotId) -> Option<u64> {
        let (first, size) = self.slots_at(id.contract)?;
        (id.local < size).then(|| first + id.local)
    }

    /// The slot with this number.
    pub(super) fn slot_at(&self, index: u64) -> Option<SlotId> {
        if index >= self.slots {
            return None;
        }
        let at = self.runs.partition_point(|run| run.first_slot <= index);
        let run = self.runs[at - 1];
        let behind = index - run.first_slot;
        Some(SlotId {
            contract: run.first_contract + behind / run.size,
            local: behind % run.size,
        })
    }

    fn push(&mut self, size: u64, count: u64) {
        if self.runs.last().is_none_or(|last| last.size != size) {
            self.runs.push(Run {
                first_contract: self.contracts,
                first_slot: self.slots,
                size,
            });
        }
        self.contracts += count;
        self.slots += size * count;
    }
}

/// Steps in which the scale of sizes is looked for; it takes less than ten where there are many contracts.
const STEPS_MAX: usize = 40;

/// Contracts behind the giants: size in proportion to `(rank / contracts + offset) ^ -exponent`, the first
/// of them being of rank 0.
struct Tail {
    first: u64,
    end: u64,
    contracts: f64,
    exponent: f64,
    offset: f64,
    scale: f64,
}

impl Tail {
    fn new(spec: &PopulationSpec, contracts: u64, first: u64, end: u64, slots: u64) -> Self {
        let mut tail = Self {
            first,
            // No contract has less than one slot.
            end: end.max(first).min(first.saturating_add(slots)),
            contracts: contracts.max(1) as f64,
            exponent: spec.size_exponent,
            offset: spec.size_offset,
            scale: 0.0,
        };
        tail.fit(slots);
        tail
    }

    /// Chooses the scale with which sizes, each at least 1, add up to `slots`, nearly: sizes are whole numbers.
    /// Their sum grows with the scale almost as a straight line, so that a few steps of regula falsi do.
    fn fit(&mut self, slots: u64) {
        let near = (slots / 20_000) as f64;
        // Without a scale all sizes are 1, and there are no more contracts than slots.
        let (mut low, mut below) = (0.0, slots as f64 - (self.end - self.first) as f64);
        let (mut high, mut above) = (slots.max(1) as f64, -1.0);
        while above < 0.0 && high < f64::MAX.sqrt() && self.first < self.end {
            above = self.beyond(high, slots);
            high *= 4.0;
        }
        high /= 4.0;
        for _ in 0..STEPS_MAX {
            self.scale = low + (high - low) * below / (below + above);
            let beyond = self.beyond(self.scale, slots);
            if beyond.abs() <= near {
                break;
            }
            // An end that stays counts half as much the next time, or the other would creep towards it.
            if beyond > 0.0 {
                (high, above) = (self.scale, beyond);
                below /= 2.0;
            } else {
                (low, below) = (self.scale, -beyond);
                above /= 2.0;
            }
        }
    }

    /// By how much the sum of all sizes is more than `slots`.
    fn beyond(&mut self, scale: f64, slots: u64) -> f64 {
        self.scale = scale;
        let total: u64 = self.runs().map(|(size, count)| size * count).sum();
        total as f64 - slots as f64
    }

    fn size(&self, rank: u64) -> u64 {
        let share = ((rank - self.first) as f64 + 0.5) / self.contracts + self.offset;
        let relative = (share / self.offset).powf(-self.exponent);
        ((self.scale * relative) as u64).max(1)
    }

    /// The first rank behind `rank` with another size.
    fn next(&self, rank: u64) -> u64 {
        let size = self.size(rank);
        if size == 1 {
            return self.end;
        }
        // size(r) >= size  <=>  scale * relative(r) >= size
        let relative = size as f64 / self.scale;
        let share = self.offset * relative.powf(-1.0 / self.exponent);
        let guess = self.first + ((share - self.offset) * self.contracts) as u64;
        let mut next = guess.clamp(rank + 1, self.end);
        while next > rank + 1 && self.size(next - 1) != size {
            next -= 1;
        }
        while next < self.end && self.size(next) == size {
            next += 1;
        }
        next
    }

    fn runs(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        let mut rank = self.first;
        core::iter::from_fn(move || {
            if rank >= self.end {
                return None;
            }
            let next = self.next(rank);
            let run = (self.size(rank), next - rank);
            rank = next;
            Some(run)
        })
    }
}
