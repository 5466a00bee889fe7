//! How many slots each contract has.

use super::{PopulationSpec, SlotId};

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
        let all = spec.slots();
        let giants: Vec<u64> = spec
            .giants
            .iter()
            .map(|share| (all as f64 * share) as u64)
            .filter(|size| *size > 0)
            .collect();
        let rest = all.saturating_sub(giants.iter().sum());
        for size in giants.into_iter().take(with_storage as usize) {
            sizes.push(size, 1);
        }
        let tail = Tail::new(spec, contracts, sizes.contracts, with_storage, rest);
        tail.append_to(&mut sizes);
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
        if contract >= self.contracts {
            return 0;
        }
        let at = self
            .runs
            .partition_point(|run| run.first_contract <= contract);
        self.runs[at - 1].size
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

/// Contracts behind the giants: size in proportion to `(rank / contracts + offset) ^ -exponent`.
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
            end: end.max(first),
            contracts: contracts.max(1) as f64,
            exponent: spec.size_exponent,
            offset: spec.size_offset,
            scale: 0.0,
        };
        tail.fit(slots);
        tail
    }

    /// Chooses the scale with which sizes, each at least 1, add up to `slots`.
    fn fit(&mut self, slots: u64) {
        let (mut low, mut high) = (0.0, slots.max(1) as f64);
        for _ in 0..64 {
            self.scale = f64::midpoint(low, high);
            if self.total() > slots {
                high = self.scale;
            } else {
                low = self.scale;
            }
        }
        self.scale = low;
    }

    fn size(&self, rank: u64) -> u64 {
        let share = rank as f64 / self.contracts + self.offset;
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
        let guess = ((share - self.offset) * self.contracts) as u64;
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

    fn total(&self) -> u64 {
        self.runs().map(|(size, count)| size * count).sum()
    }

    fn append_to(&self, sizes: &mut Sizes) {
        for (size, count) in self.runs() {
            sizes.push(size, count);
        }
    }
}
