//! A block in the making.

use super::state::State;
use crate::{
    population::{PopulationSlot, SlotId},
    profile::{BlockShape, Spread},
};
use alloy_primitives::{U256, map::HashSet};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use thinstate_formats::{
    Account,
    trace::{CodeRead, CodeWrite},
};

/// How much of everything one block has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counts {
    pub(super) gas_used: u64,
    pub(super) txs: u64,
    pub(super) accounts_touched: u64,
    pub(super) accounts_written: u64,
    pub(super) accounts_created: u64,
    pub(super) slots_written: u64,
    pub(super) slots_created: u64,
    pub(super) slots_deleted: u64,
    pub(super) slots_read: u64,
    pub(super) code_reads: u64,
}

/// What is done to a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Write {
    Create,
    Update,
    Delete,
}

/// How a slot was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Drawn {
    /// In a hot set, which no log remembers and which all groups of users share.
    Hot,
    /// By when it was written last: in this one of the windows.
    Window(u8),
    /// A number that was not given out yet.
    New,
    /// By when it came to be: within 30 days.
    Young,
    /// Any with a value.
    Any,
    /// Not there.
    Absent,
}

/// A slot of the block.
#[derive(Clone, Copy, Debug)]
pub(super) struct SlotTouch {
    pub(super) id: SlotId,
    pub(super) slot: PopulationSlot,
    /// `None` if it is only read.
    pub(super) write: Option<Write>,
    pub(super) drawn: Drawn,
    pub(super) before: U256,
    pub(super) after: U256,
}

/// An account of the block.
#[derive(Clone, Copy, Debug)]
pub(super) struct AccountTouch {
    pub(super) account: u64,
    pub(super) hot: bool,
    /// Whether it is of another group of users than the first.
    pub(super) copy: bool,
    pub(super) before: Option<Account>,
    pub(super) after: Option<Account>,
}

/// What the block touches so far.
#[derive(Debug, Default)]
pub(super) struct Draft {
    /// Above zero, and another one for each draft.
    pub(super) stamp: u64,
    /// Blocks of the source before it.
    pub(super) clock: u64,
    /// Groups of users who do the same: 1 unless the block is cloned.
    pub(super) copies: u64,
    pub(super) slots: Vec<SlotTouch>,
    pub(super) accounts: Vec<AccountTouch>,
    pub(super) code_reads: Vec<CodeRead>,
    pub(super) code_writes: Vec<CodeWrite>,
    pub(super) slots_used: HashSet<SlotId>,
    pub(super) accounts_used: HashSet<u64>,
    /// Contracts of the slots, in the order in which they were touched first.
    pub(super) contracts: Vec<u64>,
    contracts_seen: HashSet<u64>,
}

impl Draft {
    pub(super) fn new(stamp: u64, clock: u64, copies: u64) -> Self {
        Self {
            stamp,
            clock,
            copies,
            ..Self::default()
        }
    }

    /// Adds a slot; its value after the block follows later. Nothing happens if it is in the block.
    pub(super) fn touch(
        &mut self,
        id: SlotId,
        slot: PopulationSlot,
        write: Option<Write>,
        drawn: Drawn,
        state: &State,
    ) {
        if !self.slots_used.insert(id) {
            return;
        }
        if self.contracts_seen.insert(id.contract) {
            self.contracts.push(id.contract);
        }
        let before = state.value(id, &slot);
        self.slots.push(SlotTouch {
            id,
            slot,
            write,
            drawn,
            before,
            after: before,
        });
    }

    /// Adds an account that is not in the block.
    pub(super) fn touch_account(&mut self, touch: AccountTouch) {
        if self.accounts_used.insert(touch.account) {
            self.accounts.push(touch);
        }
    }
}

impl Counts {
    /// Draws the counts of one block. `common` is the quantile of those that stand at the same one.
    pub(super) fn draw(shape: &BlockShape, common: f64, rng: &mut ChaCha8Rng) -> Self {
        let mut count = |spread: &Spread| {
            let own: f64 = rng.random();
            let alike = rng.random::<f64>() < shape.alike;
            let value = spread.at(if alike { common } else { own });
            // Rounded up as often as not, so that means of small counts come out.
            (value + rng.random::<f64>()) as u64
        };
        let mut counts = Self {
            gas_used: count(&shape.gas_used),
            txs: count(&shape.txs),
            accounts_touched: count(&shape.accounts_touched),
            accounts_written: count(&shape.accounts_written),
            accounts_created: count(&shape.accounts_created),
            slots_written: count(&shape.slots_written),
            slots_created: count(&shape.slots_created),
            slots_deleted: count(&shape.slots_deleted),
            slots_read: count(&shape.slots_read),
            code_reads: count(&shape.code_reads),
        };
        let parts = counts.slots_created + counts.slots_deleted;
        counts.slots_written = counts.slots_written.max(parts);
        counts.accounts_written = counts.accounts_written.max(counts.accounts_created);
        counts.accounts_touched = counts.accounts_touched.max(counts.accounts_written);
        counts
    }

    /// Updates of slots.
    pub(super) const fn slots_updated(&self) -> u64 {
        self.slots_written - self.slots_created - self.slots_deleted
    }
}

/// A share of a count, rounded up as often as the part that is lost says.
pub(super) fn part(count: u64, share: f64, rng: &mut ChaCha8Rng) -> u64 {
    let part = count as f64 * share.clamp(0.0, 1.0) + rng.random::<f64>();
    (part as u64).min(count)
}
