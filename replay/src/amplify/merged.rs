//! Several blocks as one.

use crate::load::{AccountLoad, BlockLoad, LoadFault, SlotFault, SlotLoad};
use alloy_primitives::{Address, B256, U256};
use std::collections::BTreeMap;
use thinstate_formats::{
    BlockNumber,
    trace::{CodeRead, CodeWrite},
};

/// Consecutive blocks on their way to become one load.
///
/// Applying it leads to the same state, and the same root, as applying the blocks one by one.
#[derive(Clone, Debug, Default)]
pub struct Merged {
    whole: BlockLoad,
    accounts: BTreeMap<Address, AccountLoad>,
    slots: BTreeMap<(Address, U256), SlotLoad>,
    code_reads: BTreeMap<B256, CodeRead>,
    code_writes: BTreeMap<B256, CodeWrite>,
}

impl Merged {
    /// Adds the block that follows those so far.
    ///
    /// The first access of a key says what is found, the last what is left; each must find what the one
    /// before left. An account that is wiped loses what earlier blocks wrote into its storage.
    pub fn push(&mut self, load: &BlockLoad) -> Result<(), LoadFault> {
        self.add_figures(load);
        for account in load.accounts.iter().filter(|it| it.drops_storage()) {
            self.wipe(account.address);
        }
        for slot in &load.slots {
            let wiped = load
                .account(slot.address)
                .is_some_and(AccountLoad::drops_storage);
            self.add_slot(load.number, slot, wiped)?;
        }
        for account in &load.accounts {
            self.add_account(load.number, account)?;
        }
        for code in &load.code_reads {
            self.code_reads.entry(code.hash).or_insert(*code);
        }
        for code in &load.code_writes {
            self.code_writes.entry(code.hash).or_insert(*code);
        }
        Ok(())
    }

    /// The load, with the number of the first block and the root after the last.
    pub fn finish(self) -> BlockLoad {
        BlockLoad {
            accounts: self.accounts.into_values().collect(),
            slots: self.slots.into_values().collect(),
            code_reads: self.code_reads.into_values().collect(),
            code_writes: self.code_writes.into_values().collect(),
            ..self.whole
        }
    }

    fn add_figures(&mut self, load: &BlockLoad) {
        let whole = &mut self.whole;
        if whole.blocks == 0 {
            whole.number = load.number;
        }
        whole.blocks += load.blocks;
        whole.gas_used += load.gas_used;
        whole.tx_count += load.tx_count;
        whole.keys_lacking += load.keys_lacking;
        whole.state_root = load.state_root;
    }

    fn wipe(&mut self, address: Address) {
        let of_account = (address, U256::ZERO)..=(address, U256::MAX);
        for (_, slot) in self.slots.range_mut(of_account) {
            slot.after = U256::ZERO;
        }
    }

    /// `wiped`: the block drops the storage, and what the slot is found as may be from before or after.
    fn add_slot(
        &mut self,
        number: BlockNumber,
        slot: &SlotLoad,
        wiped: bool,
    ) -> Result<(), LoadFault> {
        match self.slots.get_mut(&slot.key()) {
            None => {
                self.slots.insert(slot.key(), *slot);
            }
            Some(known) if known.after != slot.before && !wiped => {
                return Err(LoadFault::SlotBetween {
                    number,
                    slot: Box::new(SlotFault {
                        address: slot.address,
                        slot: slot.slot,
                        expected: known.after,
                        got: slot.before,
                    }),
                });
            }
            Some(known) => known.follow(slot),
        }
        Ok(())
    }

    fn add_account(&mut self, number: BlockNumber, account: &AccountLoad) -> Result<(), LoadFault> {
        match self.accounts.get_mut(&account.address) {
            None => {
                self.accounts.insert(account.address, *account);
            }
            Some(known) if known.after != account.before => {
                return Err(LoadFault::AccountBetween {
                    number,
                    address: account.address,
                });
            }
            Some(known) => known.follow(account),
        }
        Ok(())
    }
}
