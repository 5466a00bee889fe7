//! What planning knows from block to block.

use super::{
    pending::{Pending, Waiting},
    sealed::Homes,
    wallet::Wallet,
};
use crate::design::DesignError;
use alloy_primitives::{B256, map::B256Map};
use std::collections::VecDeque;
use thinstate_formats::{BlockNumber, PeriodId, policy::UtxoParameters};

/// Blocks whose plans can be taken back: as many as a store undoes, and those planned ahead.
const UNDO_BLOCKS: usize = 128 + super::sealed::PLANNED_AHEAD_MAX as usize;

/// What senders and wallets know.
#[derive(Debug)]
pub(super) struct State {
    /// The last block that was planned.
    last: Option<BlockNumber>,
    pub(super) wallet: Wallet,
    /// Whether the store has records that the wallet does not know.
    pub(super) is_blind: bool,
    pub(super) pending: Pending,
    pub(super) waiting: B256Map<Waiting>,
    /// Where the store was filled with temporary objects.
    pub(super) homes: Option<Homes>,
    /// The newest sealed period of the fill.
    pub(super) filled: Option<PeriodId>,
    undo: VecDeque<Planned>,
}

/// A planned block: what waited before it.
#[derive(Debug)]
struct Planned {
    block: BlockNumber,
    waiting: Vec<(B256, Option<Waiting>)>,
}

impl State {
    /// Of a store that has no block, or whose blocks nothing is known of.
    pub(super) fn new(rules: UtxoParameters) -> Self {
        Self {
            last: None,
            wallet: Wallet::new(rules),
            is_blind: false,
            pending: Pending::default(),
            waiting: B256Map::default(),
            homes: None,
            filled: None,
            undo: VecDeque::new(),
        }
    }

    /// The last block that was planned.
    pub(super) const fn last(&self) -> Option<BlockNumber> {
        self.last
    }

    /// Begins the plan of a block behind the head. Plans of this block and of later ones are taken back, if
    /// there are any: another block is to be in their place.
    pub(super) fn begin(
        &mut self,
        block: BlockNumber,
        head: Option<BlockNumber>,
    ) -> Result<(), DesignError> {
        if let Some(head) = head.filter(|head| block <= *head) {
            return Err(DesignError::NotNext {
                expected: head.next().unwrap_or_default(),
                got: block,
            });
        }
        if self.last.is_some_and(|last| block <= last) {
            self.rewind(block);
        }
        self.last = Some(block);
        self.undo.push_back(Planned {
            block,
            waiting: Vec::new(),
        });
        if self.undo.len() > UNDO_BLOCKS {
            self.undo.pop_front();
        }
        Ok(())
    }

    /// Takes back all plans from this block on; whether all of it is still known.
    pub(super) fn rewind(&mut self, to: BlockNumber) -> bool {
        let mut known = false;
        while let Some(last) = self.undo.pop_back_if(|last| last.block >= to) {
            for (location, before) in last.waiting.into_iter().rev() {
                match before {
                    Some(waiting) => self.waiting.insert(location, waiting),
                    None => self.waiting.remove(&location),
                };
            }
            known = last.block == to;
        }
        self.pending.rewind(to);
        self.last = to.prev();
        self.wallet.rewind(to) && known
    }

    /// Whether [`Self::rewind`] to this block can be done.
    pub(super) fn remembers(&self, block: BlockNumber) -> bool {
        let planned = self.undo.front().is_some_and(|first| first.block <= block);
        planned && self.wallet.remembers(block)
    }

    /// Changes that wait for no longer than until this block. They do not wait any more.
    pub(super) fn due(&mut self, block: BlockNumber) -> B256Map<Waiting> {
        if self.waiting.is_empty() {
            return B256Map::default();
        }
        let is_due = |_: &B256, waiting: &mut Waiting| waiting.until <= block;
        let due: B256Map<Waiting> = self.waiting.extract_if(is_due).collect();
        if let Some(planned) = self.undo.back_mut() {
            let before = due.iter().map(|(at, waiting)| (*at, Some(*waiting)));
            planned.waiting.extend(before);
        }
        due
    }

    /// A change waits, or one that waits is another now.
    pub(super) fn wait(&mut self, location: B256, waiting: Waiting) {
        let before = self.waiting.insert(location, waiting);
        if let Some(planned) = self.undo.back_mut() {
            planned.waiting.push((location, before));
        }
    }

    /// The period that the store was filled into with the object at a location.
    pub(super) fn home(&self, location: &B256) -> Option<PeriodId> {
        let origin = self.wallet.origin()?;
        let native = origin.find(location)?;
        Some(self.homes?.of(origin.age(native.number.into())))
    }
}
