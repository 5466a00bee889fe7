//! Whether balances move by what logs say: the check of those that are taken for balances.

use super::{Finding, SlotKind, events::Events, uses::Uses};
use alloy_primitives::{Address, U256};
use core::ops::AddAssign;
use serde::Serialize;
use std::collections::BTreeMap;

/// How accesses of ERC-20 balances agree with the logs of the same transaction, counted once for each
/// slot and index.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct BalanceCheck {
    /// The logs say that the balance moves, and it moves by that.
    pub agree: u64,
    /// It moves by something else: a fee, shares, a scaled balance, interest.
    pub differ: u64,
    /// It does not move at all.
    pub still: u64,
    /// It moves, and no log says so.
    pub unlogged: u64,
}

impl BalanceCheck {
    pub(super) fn of(
        uses: &Uses,
        events: &Events,
        slots: &BTreeMap<(Address, U256), Finding>,
    ) -> Self {
        let mut check = Self::default();
        for (key, slot) in uses {
            let is_balance = slots
                .get(key)
                .is_some_and(|it| it.kind == SlotKind::Erc20Balance);
            let Some(entry) = slot.entry.as_ref().filter(|_| is_balance) else {
                continue;
            };
            let Some(holder) = entry.keys.first().map(|key| Address::from_word(*key)) else {
                continue;
            };
            for moved in &slot.moves {
                let flow = events
                    .of(key.0)
                    .and_then(|it| it.flows.get(&(moved.index, holder)));
                check.add(flow.map(|it| it.delta()).unwrap_or_default(), moved.delta());
            }
        }
        check
    }

    fn add(&mut self, logged: U256, moved: U256) {
        let count = match (logged.is_zero(), moved.is_zero()) {
            (true, true) => return,
            (true, false) => &mut self.unlogged,
            (false, true) => &mut self.still,
            (false, false) if logged == moved => &mut self.agree,
            (false, false) => &mut self.differ,
        };
        *count += 1;
    }
}

impl AddAssign for BalanceCheck {
    fn add_assign(&mut self, other: Self) {
        self.agree += other.agree;
        self.differ += other.differ;
        self.still += other.still;
        self.unlogged += other.unlogged;
    }
}
