//! Findings, counted: by kind and method, for some blocks.

use super::{BalanceCheck, BlockFindings, Finding, Method, SlotKind};
use core::ops::AddAssign;
use std::collections::BTreeMap;

/// Slots of some blocks, counted once for each block that touches them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Number of blocks.
    pub blocks: u64,
    /// Slots by what they hold, and how that was recognised.
    pub rows: BTreeMap<(SlotKind, Method), Tally>,
    /// How changes of balances agree with logs.
    pub balances: BalanceCheck,
}

/// A number of slots.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Touched, and left with the value that was found.
    pub read: u64,
    /// Left with another value.
    pub written: u64,
    /// Of both: objects whose key is known.
    pub movable: u64,
    /// Of the written ones: objects whose key is known.
    pub movable_written: u64,
}

impl Report {
    /// Adds a block.
    pub fn add(&mut self, block: &BlockFindings) {
        self.blocks += 1;
        self.balances += block.balances;
        for finding in block.slots.values() {
            let row = self.rows.entry((finding.kind, finding.method)).or_default();
            row.add(finding);
        }
    }

    /// All slots of which `keep` holds.
    pub fn count(&self, keep: impl Fn(SlotKind, Method) -> bool) -> Tally {
        let kept = self
            .rows
            .iter()
            .filter(|((kind, method), _)| keep(*kind, *method));
        let mut sum = Tally::default();
        kept.for_each(|(_, tally)| sum += *tally);
        sum
    }

    /// All slots.
    pub fn total(&self) -> Tally {
        self.count(|_, _| true)
    }

    /// Slots that are objects of a user.
    pub fn objects(&self) -> Tally {
        self.count(|kind, _| kind.is_object())
    }

    /// Slots of which it is not known what they hold.
    pub fn unrecognised(&self) -> Tally {
        self.count(|kind, _| !kind.is_recognised())
    }
}

impl Tally {
    /// Read or written.
    pub const fn touched(&self) -> u64 {
        self.read + self.written
    }

    fn add(&mut self, finding: &Finding) {
        let [written, movable] = [finding.written, finding.movable].map(u64::from);
        self.written += written;
        self.read += 1 - written;
        self.movable += movable;
        self.movable_written += movable * written;
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.read += other.read;
        self.written += other.written;
        self.movable += other.movable;
        self.movable_written += other.movable_written;
    }
}

/// Two classifications of the same slots, held against each other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// By what the reference says.
    pub kinds: BTreeMap<SlotKind, Agreement>,
}

/// How far a classification agrees with the reference about one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Agreement {
    /// Both say so.
    pub both: u64,
    /// The reference alone: not recognised by the other.
    pub missed: u64,
    /// The other alone: not recognised by the reference.
    pub extra: u64,
    /// The other says so, and the reference says something else.
    pub wrong: u64,
}

impl Comparison {
    /// Adds a block, as the reference has it and as the other has it.
    pub fn add(&mut self, reference: &BlockFindings, other: &BlockFindings) {
        for (key, expected) in &reference.slots {
            let Some(got) = other.slots.get(key) else {
                continue;
            };
            let (expected, got) = (expected.kind, got.kind);
            if expected == got {
                self.of(expected).both += 1;
                continue;
            }
            self.of(expected).missed += 1;
            match expected.is_recognised() {
                true => self.of(got).wrong += 1,
                false => self.of(got).extra += 1,
            }
        }
    }

    fn of(&mut self, kind: SlotKind) -> &mut Agreement {
        self.kinds.entry(kind).or_default()
    }
}

impl Agreement {
    /// Of what the other says is of the kind: the share of which the reference says the same, of what
    /// the reference recognises.
    pub fn precision(&self) -> Option<f64> {
        share(self.both, self.both + self.wrong)
    }

    /// Of what the reference says is of the kind: the share that the other finds.
    pub fn recall(&self) -> Option<f64> {
        share(self.both, self.both + self.missed)
    }
}

/// `part / whole`; `None` of nothing.
pub(crate) fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}
