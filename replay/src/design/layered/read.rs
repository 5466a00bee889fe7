//! Reading what a block needs, in parallel.

use super::{LayeredDesign, Private, place::Access, sealed::Brought, temporary::Expected};
use crate::{
    design::{DesignError, Overlay, ReadCost, WrongSlot, codes, tally},
    load::{BlockLoad, SlotLoad},
    measure::TierWork,
};
use alloy_primitives::{Address, B256, U256};
use rayon::prelude::*;
use thinstate_engine::{Resurrection, ResurrectionError, View, leaf_store::DiskStore};
use thinstate_formats::{Account, NodeHasher, StateReader as _, object::NOTHING};

/// Keys that one thread reads at a time.
const TOGETHER: usize = 64;

impl LayeredDesign {
    /// Reads everything that a load needs, and compares it.
    pub(super) fn read_load(
        &self,
        load: &BlockLoad,
        private: &Private,
        overlay: &Overlay,
    ) -> Result<ReadCost, DesignError> {
        let view = self.store.view();
        let mut temporary = self.read_temporary(load, &private.temporary.expected, overlay)?;
        tally::add(&mut temporary, &private.temporary.read);
        tally::add(
            &mut temporary,
            &self.check_proofs(load, &private.temporary.proofs)?,
        );
        let mut cost = ReadCost {
            accounts: self.read_accounts(load, overlay, &view)?,
            slots: self.read_slots(load, &private.trie, overlay, &view)?,
            temporary,
            utxo: private.utxo.read,
            ..ReadCost::default()
        };
        codes::read(load, overlay, &mut cost, |hash| view.code(hash))?;
        Ok(cost)
    }

    fn read_accounts(
        &self,
        load: &BlockLoad,
        overlay: &Overlay,
        view: &View<'_, DiskStore>,
    ) -> Result<TierWork, DesignError> {
        let addresses: Vec<Address> = load.accounts.iter().map(|it| it.address).collect();
        let mut keys = Vec::new();
        self.hasher.hash_addresses(&addresses, &mut keys);
        let read = |at: usize, work: &mut TierWork| {
            let account = &load.accounts[at];
            let got = match overlay.account(account.address) {
                Some(pending) => pending,
                None => {
                    let found = tally::ask(work, || view.trie_account_hashed(keys[at]));
                    let context = || format!("read account {}", account.address);
                    let found = found.map_err(|error| DesignError::store(context())(error))?;
                    found.map(|found| Account {
                        nonce: found.nonce,
                        balance: found.balance,
                        code_hash: found.code_hash,
                    })
                }
            };
            tally::read_account(load.number, account, got, work)
        };
        in_parallel(load.accounts.len(), read)
    }

    fn read_slots(
        &self,
        load: &BlockLoad,
        accesses: &[Access],
        overlay: &Overlay,
        view: &View<'_, DiskStore>,
    ) -> Result<TierWork, DesignError> {
        let keys = self.slot_keys(load, accesses);
        let read = |at: usize, work: &mut TierWork| {
            let access = &accesses[at];
            let slot = SlotLoad {
                before: access.before,
                after: access.after,
                ..load.slots[access.at as usize]
            };
            let got = match overlay.slot(slot.address, slot.slot) {
                Some(pending) => self.placement.in_trie(&slot, pending),
                None => {
                    let (contract, key) = keys[at];
                    let found = tally::ask(work, || view.slot_hashed(contract, key));
                    let context = || format!("read slot {:#x} of {}", slot.slot, slot.address);
                    found.map_err(|error| DesignError::store(context())(error))?
                }
            };
            tally::read_slot(load.number, "permanent", &slot, got, work)
        };
        in_parallel(accesses.len(), read)
    }

    /// Keys of slots in the trie, hashed together; those of one contract follow one another.
    fn slot_keys(&self, load: &BlockLoad, accesses: &[Access]) -> Vec<(B256, B256)> {
        let slots = || accesses.iter().map(|it| &load.slots[it.at as usize]);
        let mut contracts: Vec<Address> = slots().map(|slot| slot.address).collect();
        contracts.dedup();
        let (mut of_contracts, mut of_slots) = (Vec::new(), Vec::new());
        self.hasher.hash_addresses(&contracts, &mut of_contracts);
        let numbers: Vec<[u8; 32]> = slots().map(|slot| slot.slot.to_be_bytes()).collect();
        self.hasher.hash_fixed32(&numbers, &mut of_slots);
        let mut at = 0;
        let key = |(slot, key): (&SlotLoad, B256)| {
            if contracts[at] != slot.address {
                at += 1;
            }
            (of_contracts[at], key)
        };
        slots().zip(of_slots).map(key).collect()
    }

    /// Live entries. What they count is known beforehand.
    fn read_temporary(
        &self,
        load: &BlockLoad,
        expected: &[Expected],
        overlay: &Overlay,
    ) -> Result<TierWork, DesignError> {
        let locations: Vec<B256> = expected.iter().map(|it| it.location).collect();
        let live = self.store.temporary_all_in(load.number, &locations);
        for (expected, live) in expected.iter().zip(live) {
            let slot = &load.slots[expected.at as usize];
            let pending = overlay.slot(slot.address, slot.slot);
            let got = match pending {
                // What waits for a seal is not live, whatever a pending block makes of it.
                Some(value) if value.is_zero() || !expected.value.is_zero() => {
                    value - self.placement.in_trie(slot, value)
                }
                _ if live == NOTHING => U256::ZERO,
                _ => U256::from_be_bytes(live.0),
            };
            if got != expected.value {
                let wrong = WrongSlot {
                    number: load.number,
                    tier: "temporary",
                    address: slot.address,
                    slot: slot.slot,
                    expected: expected.value,
                    got,
                };
                return Err(Box::new(wrong).into());
            }
        }
        Ok(TierWork::default())
    }

    /// Checks proofs of sealed values that are only read, as a node must.
    fn check_proofs(&self, load: &BlockLoad, proofs: &[Brought]) -> Result<TierWork, DesignError> {
        let hasher = NodeHasher::new(self.store.rules().temporary.hash);
        let check = |brought: &Brought| {
            let Resurrection {
                period,
                leaf,
                proof,
            } = &brought.use_of;
            let period = *period;
            let root = self.store.period(period);
            let root = root.ok_or(ResurrectionError::UnknownPeriod(period))?;
            let index = proof.verify(&hasher, root, leaf);
            let index = index.map_err(|source| ResurrectionError::Proof { period, source })?;
            match self.store.is_resurrected(period, index) {
                Some(false) => Ok(brought.hashes()),
                Some(true) => Err(ResurrectionError::Spent { period, index }),
                None => Err(ResurrectionError::NoBit { period, index }),
            }
        };
        let hashes: Result<u64, ResurrectionError> =
            proofs.par_iter().with_min_len(TOGETHER).map(check).sum();
        let context = format!("block {}: check a proof of a sealed value", load.number);
        let hashes = hashes.map_err(DesignError::store(context))?;
        let kind = self.store.rules().temporary.hash;
        Ok(TierWork {
            hashes,
            permutations: super::apply::of_proofs(kind, hashes, proofs.len() as u64),
            ..TierWork::default()
        })
    }
}

/// Reads so many keys on all threads of the pool, and adds up what is counted.
fn in_parallel(
    keys: usize,
    read: impl Fn(usize, &mut TierWork) -> Result<(), DesignError> + Sync,
) -> Result<TierWork, DesignError> {
    (0..keys)
        .into_par_iter()
        .with_min_len(TOGETHER)
        .try_fold(TierWork::default, |mut work, at| {
            read(at, &mut work)?;
            Ok(work)
        })
        .try_reduce(TierWork::default, |mut sum, part| {
            tally::add(&mut sum, &part);
            Ok(sum)
        })
}
