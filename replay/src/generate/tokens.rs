//! What the slots of a block are left with.

use super::{
    Generator,
    draft::{Draft, SlotTouch, Write},
};
use alloy_primitives::U256;
use rand::{RngExt, seq::SliceRandom};
use thinstate_formats::object::ObjectClass;

/// Values that are drawn until one differs from the value before.
const TRIES: u64 = 64;
/// A payer pays at most this share of its balance in 2^16.
const PAID_MAX: u64 = 1 << 15;

impl Generator {
    /// Draws what every slot that is written is left with, from the one at `from` on.
    pub(super) fn draw_values(&mut self, draft: &mut Draft, from: usize) {
        let mut balances: Vec<usize> = Vec::new();
        for at in from..draft.slots.len() {
            let touch = draft.slots[at];
            match (touch.write, touch.slot.class) {
                (None, _) => {}
                (Some(Write::Delete), class) if class != ObjectClass::Erc20Balance => {
                    draft.slots[at].after = U256::ZERO;
                }
                (Some(_), ObjectClass::Erc20Balance) => {
                    if self.rng.random::<f64>() < self.profile.classes.minted {
                        draft.slots[at].after = self.minted(&touch);
                    } else {
                        balances.push(at);
                    }
                }
                (Some(_), _) => draft.slots[at].after = self.value(&touch),
            }
        }
        // By contract, and in the order in which they were drawn.
        balances.sort_by_key(|at| draft.slots[*at].id.contract);
        let contract = |at: &usize| draft.slots[*at].id.contract;
        let groups: Vec<Vec<usize>> = balances
            .chunk_by(|a, b| contract(a) == contract(b))
            .map(<[usize]>::to_vec)
            .collect();
        for group in groups {
            self.transfer(&group, &mut draft.slots);
        }
    }

    /// A new value of the class's form: of an NFT, another owner.
    fn value(&mut self, touch: &SlotTouch) -> U256 {
        for _ in 0..TRIES {
            self.sequence += 1;
            let value = match touch.slot.class {
                ObjectClass::Erc721Owner => {
                    let owner = self.rng.random_range(0..self.population.accounts());
                    U256::from_be_slice(self.population.address(owner).as_slice())
                }
                _ => self.population.value(touch.id, self.sequence),
            };
            if value != touch.before && !value.is_zero() {
                return value;
            }
        }
        // A form with a single value: neighbours differ from it, and are not zero.
        (touch.before ^ U256::from(2)) | U256::ONE
    }

    /// A balance that is changed alone: by a mint or a burn.
    fn minted(&mut self, touch: &SlotTouch) -> U256 {
        match touch.write {
            Some(Write::Delete) => U256::ZERO,
            Some(Write::Create) => self.value(touch),
            _ if self.rng.random::<bool>() && touch.before > U256::ONE => {
                touch.before - self.amount(touch.before)
            }
            _ => touch.before.saturating_add(self.value(touch)),
        }
    }

    /// What is taken of a balance above one: not all of it, and not nothing.
    fn amount(&mut self, balance: U256) -> U256 {
        let share = U256::from(self.rng.random_range(1..=PAID_MAX));
        (balance.wrapping_shr(16) * share).max(U256::ONE)
    }

    /// Transfers between balances of one contract: what some lose, others gain.
    fn transfer(&mut self, group: &[usize], slots: &mut [SlotTouch]) {
        let mut updates: Vec<usize> = Vec::new();
        let mut payees: Vec<usize> = Vec::new();
        let mut paid = U256::ZERO;
        for at in group {
            match slots[*at].write {
                Some(Write::Delete) => {
                    paid += slots[*at].before;
                    slots[*at].after = U256::ZERO;
                }
                Some(Write::Create) => payees.push(*at),
                _ => updates.push(*at),
            }
        }
        updates.shuffle(&mut self.rng);
        let payers = payers(updates.len(), payees.len(), !paid.is_zero());
        for (nth, at) in updates.into_iter().enumerate() {
            let before = slots[at].before;
            if nth < payers && before > U256::ONE {
                let amount = self.amount(before);
                paid += amount;
                slots[at].after = before - amount;
            } else {
                payees.push(at);
            }
        }
        self.pay(paid, &payees, slots);
    }

    /// Shares out what was paid. Nothing paid, or too little for each to get something, is a mint; nobody to
    /// be paid, a burn.
    fn pay(&mut self, paid: U256, payees: &[usize], slots: &mut [SlotTouch]) {
        let mut left = paid;
        let mint = paid < U256::from(payees.len());
        for (nth, at) in payees.iter().enumerate() {
            let others = U256::from(payees.len() - nth - 1);
            let touch = slots[*at];
            let share = if mint {
                self.value(&touch)
            } else if others.is_zero() {
                left
            } else {
                // Each of the others gets at least one.
                let most = left - others;
                let share = U256::from(self.rng.random_range(1..=PAID_MAX));
                (most.wrapping_shr(16) * share).max(U256::ONE).min(most)
            };
            left = left.saturating_sub(share);
            slots[*at].after = touch.before.saturating_add(share);
        }
    }
}

/// How many of the balances that change pay: half of those that take part, so that there are both kinds.
fn payers(updates: usize, created: usize, emptied: bool) -> usize {
    match (updates, created, emptied) {
        (0, _, _) => 0,
        // One pays what is created, or gets what was emptied.
        (1, 0, _) => usize::from(!emptied),
        (1, _, _) => 1,
        (updates, _, _) => updates.div_ceil(2),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_group_that_can_balance_lacks_payers_or_payees() {
        for updates in 0..5 {
            for created in 0..3 {
                for emptied in [false, true] {
                    let payers = payers(updates, created, emptied);
                    assert!(payers <= updates);
                    let pays = payers > 0 || emptied;
                    let is_paid = created > 0 || payers < updates;
                    let can = updates + created + usize::from(emptied) > 1 && updates > 0;
                    let both = pays && is_paid;
                    assert!(both || !can, "{updates} {created} {emptied}: {payers}");
                }
            }
        }
    }
}
