//! Reading what a block needs, and comparing it with what must be there.

use super::{KeyValueDesign, LoadKeys, failed};
use crate::{
    layout::Layout,
    store::{BoxError, KeyValueStore},
};
use alloy_primitives::{U256, hex};
use thinstate_replay::{
    design::{DesignError, Overlay, ReadCost, tally},
    load::BlockLoad,
};

impl<S: KeyValueStore> KeyValueDesign<S> {
    /// Reads everything that the load names and no pending block answers, in one call of the store.
    pub(super) fn read_load(
        &self,
        load: &BlockLoad,
        keys: &LoadKeys<S::Layout>,
        overlay: &Overlay,
    ) -> Result<ReadCost, DesignError> {
        let accounts = load.accounts.iter().zip(&keys.accounts);
        let slots = load.slots.iter().zip(&keys.slots);
        let pending_accounts: Vec<_> = accounts
            .clone()
            .map(|(account, _)| overlay.account(account.address))
            .collect();
        let pending_slots: Vec<_> = slots
            .clone()
            .map(|(slot, _)| overlay.slot(slot.address, slot.slot))
            .collect();
        let asked = {
            let accounts = pending_accounts.iter().zip(&keys.accounts);
            let accounts = accounts.filter_map(|(pending, key)| pending.is_none().then_some(*key));
            let slots = pending_slots.iter().zip(&keys.slots);
            let slots = slots.filter_map(|(pending, key)| pending.is_none().then_some(*key));
            accounts.chain(slots).collect::<Vec<_>>()
        };
        let number = load.number;
        let failed = || failed(format!("read for block {number}"));
        let mut values = self.get(&asked).map_err(failed())?.into_iter();
        let mut next = || values.next().ok_or_else(|| failed()(too_few()));
        let mut cost = ReadCost::default();
        for ((account, key), pending) in accounts.zip(pending_accounts) {
            let got = match pending {
                Some(pending) => pending,
                None => next()?
                    .map(|bytes| {
                        S::Layout::decode_account(&bytes).ok_or_else(|| failed()(bad(key, &bytes)))
                    })
                    .transpose()?,
            };
            tally::read_account(number, account, got, &mut cost.accounts)?;
        }
        for ((slot, key), pending) in slots.zip(pending_slots) {
            let got = match pending {
                Some(pending) => pending,
                None => next()?.map_or(Ok(U256::ZERO), |bytes| {
                    S::Layout::decode_slot(&bytes).ok_or_else(|| failed()(bad(key, &bytes)))
                })?,
            };
            tally::read_slot(number, S::FACTS.name, slot, got, &mut cost.slots)?;
        }
        Ok(cost)
    }
}

fn too_few() -> BoxError {
    "the store answered fewer keys than it was asked for".into()
}

fn bad(key: &impl AsRef<[u8]>, bytes: &[u8]) -> BoxError {
    let (key, bytes) = (hex::encode(key.as_ref()), hex::encode(bytes));
    format!("key {key}: expected an account or a slot, got {bytes}").into()
}
