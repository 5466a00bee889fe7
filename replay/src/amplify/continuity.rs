//! Whether each block finds what the ones before left.

use crate::load::{AccountLoad, BlockLoad, LoadFault, SlotFault};
use alloy_primitives::{
    Address, U256,
    map::{AddressMap, HashMap, U256Map},
};
use serde::{Deserialize, Serialize};
use thinstate_formats::Account;

/// What becomes of a block that finds something else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Gaps {
    /// It is an error.
    #[default]
    Refuse,
    /// It finds what was left instead: writes stay as they are, reads read the other value. Such accesses are
    /// counted, and the block has no known root.
    Bridge,
}

/// Accesses that were made to fit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bridged {
    /// Of accounts.
    pub accounts: u64,
    /// Of slots.
    pub slots: u64,
}

/// What the blocks so far have left, as far as they touched it: about 100 bytes for each key.
#[derive(Clone, Debug, Default)]
pub struct Continuity {
    gaps: Gaps,
    accounts: AddressMap<Option<Account>>,
    slots: AddressMap<U256Map<U256>>,
    bridged: Bridged,
    /// Values before the first change since [`Self::begin`].
    since: HashMap<(Address, U256), U256>,
}

impl Continuity {
    /// Nothing is known yet.
    pub fn new(gaps: Gaps) -> Self {
        Self {
            gaps,
            ..Self::default()
        }
    }

    /// Accesses that did not fit.
    pub const fn bridged(&self) -> Bridged {
        self.bridged
    }

    /// Begins a slot of several blocks.
    pub fn begin(&mut self) {
        self.since.clear();
    }

    /// Corrects what the merged blocks since [`Self::begin`] find. One of them may look at a slot for the
    /// first time after another has wiped it; the state before them still has its value.
    pub fn found(&self, merged: &mut BlockLoad) {
        for account in merged.accounts.iter().filter(|it| it.drops_storage()) {
            let from = merged
                .slots
                .partition_point(|it| it.address < account.address);
            let of_account = merged.slots[from..]
                .iter_mut()
                .take_while(|it| it.address == account.address);
            for slot in of_account {
                slot.before = self.since.get(&slot.key()).copied().unwrap_or(slot.before);
            }
        }
    }

    /// Checks that a block finds what is known, and notes what it leaves.
    ///
    /// A slot of an account whose storage goes in this very block may have been looked at only
    /// afterwards; it is then found as what the state holds.
    pub fn follow(&mut self, load: &mut BlockLoad) -> Result<(), LoadFault> {
        let before = self.bridged;
        self.slots(load)?;
        self.accounts(load)?;
        if self.bridged != before {
            load.state_root = None;
        }
        Ok(())
    }

    fn slots(&mut self, load: &mut BlockLoad) -> Result<(), LoadFault> {
        for account in load.accounts.iter().filter(|it| it.drops_storage()) {
            let slots = self.slots.entry(account.address).or_default();
            for slot in &mut load.slots {
                if slot.address == account.address && slot.before.is_zero() {
                    slot.before = slots.get(&slot.slot).copied().unwrap_or_default();
                }
            }
        }
        let number = load.number;
        for slot in &mut load.slots {
            let known = self.slots.entry(slot.address).or_default();
            if let Some(left) = known.get(&slot.slot).copied()
                && left != slot.before
            {
                if self.gaps == Gaps::Refuse {
                    return Err(LoadFault::SlotBetween {
                        number,
                        slot: Box::new(SlotFault {
                            address: slot.address,
                            slot: slot.slot,
                            expected: left,
                            got: slot.before,
                        }),
                    });
                }
                self.bridged.slots += 1;
                if !slot.is_written() {
                    slot.after = left;
                }
                slot.before = left;
            }
        }
        for account in load.accounts.iter().filter(|it| it.drops_storage()) {
            let slots = self.slots.entry(account.address).or_default();
            for (slot, value) in slots.iter_mut().filter(|(_, value)| !value.is_zero()) {
                let key = (account.address, *slot);
                self.since.entry(key).or_insert(*value);
                *value = U256::ZERO;
            }
        }
        for slot in &load.slots {
            let known = self.slots.entry(slot.address).or_default();
            known.insert(slot.slot, slot.after);
            if slot.is_written() {
                self.since.entry(slot.key()).or_insert(slot.before);
            }
        }
        Ok(())
    }

    fn accounts(&mut self, load: &mut BlockLoad) -> Result<(), LoadFault> {
        let number = load.number;
        for account in &mut load.accounts {
            if let Some(left) = self.accounts.get(&account.address).copied()
                && left != account.before
            {
                if self.gaps == Gaps::Refuse {
                    let address = account.address;
                    return Err(LoadFault::AccountBetween { number, address });
                }
                self.bridged.accounts += 1;
                bridge(account, left);
            }
            self.accounts.insert(account.address, account.after);
        }
        Ok(())
    }
}

/// Lets an account be found as it was left. One that is gone and is read all the same comes back: its slots
/// may be written.
fn bridge(account: &mut AccountLoad, left: Option<Account>) {
    if !account.is_written() && left.is_some() {
        account.after = left;
    }
    account.before = left;
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

    use super::*;
    use crate::load::SlotLoad;
    use alloy_primitives::B256;
    use thinstate_formats::{BlockNumber, object::ObjectClass};

    const WHO: Address = Address::repeat_byte(1);

    fn slot(key: u64, before: u64, after: u64) -> SlotLoad {
        SlotLoad {
            address: WHO,
            slot: U256::from(key),
            before: U256::from(before),
            after: U256::from(after),
            class: ObjectClass::Unclassified,
            object: None,
        }
    }

    fn load(slots: Vec<SlotLoad>, accounts: Vec<AccountLoad>) -> BlockLoad {
        BlockLoad {
            number: BlockNumber(8),
            blocks: 1,
            state_root: Some(B256::repeat_byte(7)),
            slots,
            accounts,
            ..BlockLoad::default()
        }
    }

    fn account(before: Option<u64>, after: Option<u64>) -> AccountLoad {
        let with = |nonce| Account {
            nonce,
            ..Account::default()
        };
        AccountLoad {
            address: WHO,
            before: before.map(with),
            after: after.map(with),
            storage_wiped: false,
        }
    }

    #[test]
    fn no_gap_passes_without_being_asked_for() {
        let mut refusing = Continuity::new(Gaps::Refuse);
        refusing
            .follow(&mut load(vec![slot(1, 4, 5)], vec![]))
            .unwrap();
        let error = refusing.follow(&mut load(vec![slot(1, 4, 6)], vec![]));
        assert!(matches!(error, Err(LoadFault::SlotBetween { .. })));
        let mut refusing = Continuity::new(Gaps::Refuse);
        let one = account(Some(1), Some(2));
        refusing.follow(&mut load(vec![], vec![one])).unwrap();
        let error = refusing.follow(&mut load(vec![], vec![one]));
        assert!(matches!(error, Err(LoadFault::AccountBetween { .. })));
    }

    #[test]
    fn a_bridged_block_finds_what_was_left_and_claims_no_root() {
        let mut bridging = Continuity::new(Gaps::Bridge);
        let first = account(Some(1), Some(2));
        let mut load_1 = load(vec![slot(1, 4, 5), slot(2, 4, 5)], vec![first]);
        bridging.follow(&mut load_1).unwrap();
        assert!(load_1.state_root.is_some());
        let read = account(Some(9), Some(9));
        let mut load_2 = load(vec![slot(1, 7, 7), slot(2, 7, 8)], vec![read]);
        bridging.follow(&mut load_2).unwrap();
        assert_eq!(load_2.slots, [slot(1, 5, 5), slot(2, 5, 8)]);
        assert_eq!(load_2.accounts, [account(Some(2), Some(2))]);
        assert_eq!(load_2.state_root, None);
        let bridged = Bridged {
            accounts: 1,
            slots: 2,
        };
        assert_eq!(bridging.bridged(), bridged);
    }

    #[test]
    fn a_slot_looked_at_after_a_wipe_is_found_as_the_state_has_it() {
        let mut refusing = Continuity::new(Gaps::Refuse);
        let alive = account(Some(1), Some(1));
        let first = &mut load(vec![slot(1, 4, 5), slot(2, 3, 3)], vec![alive]);
        refusing.follow(first).unwrap();
        let wiped = AccountLoad {
            storage_wiped: true,
            ..alive
        };
        let mut second = load(vec![slot(1, 0, 6)], vec![wiped]);
        refusing.follow(&mut second).unwrap();
        assert_eq!(second.slots, [slot(1, 5, 6)]);
        let third = &mut load(vec![slot(1, 6, 6), slot(2, 0, 1)], vec![alive]);
        refusing.follow(third).unwrap();
    }
}
