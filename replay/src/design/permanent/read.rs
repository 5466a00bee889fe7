//! Reading what a block needs, in parallel.

use super::PermanentDesign;
use crate::{
    design::{DesignError, Overlay, ReadCost, codes, keys::Keys, tally},
    load::{AccountLoad, BlockLoad},
    measure::TierWork,
};
use rayon::prelude::*;
use thinstate_engine::{MissingNode, StateError, View, leaf_store::DiskStore};
use thinstate_formats::{Account, StateReader as _};

/// Keys that one thread reads at a time.
const CHUNK: usize = 16;

/// What one thread read.
#[derive(Default)]
struct Part {
    work: TierWork,
    missing: Vec<MissingNode>,
    /// Places in the load of what could not be read for that.
    pending: Vec<usize>,
}

impl Part {
    fn join(mut self, other: Self) -> Self {
        tally::add(&mut self.work, &other.work);
        self.missing.extend(other.missing);
        self.pending.extend(other.pending);
        self
    }

    /// Notes a key that cannot be read without a witness.
    fn pend(&mut self, at: usize, error: StateError, context: &str) -> Result<(), DesignError> {
        match error {
            StateError::Missing(missing) => {
                self.missing.push(*missing);
                self.pending.push(at);
                Ok(())
            }
            other => Err(DesignError::store(context)(other)),
        }
    }
}

/// One pass over keys of a load.
struct Pass<'p> {
    design: &'p PermanentDesign,
    load: &'p BlockLoad,
    overlay: &'p Overlay,
    keys: &'p Keys,
    view: View<'p, DiskStore>,
}

impl Pass<'_> {
    fn account(&self, at: usize) -> Result<Option<Account>, StateError> {
        match self.overlay.account(self.load.accounts[at].address) {
            Some(pending) => Ok(pending),
            None => {
                let found = self.view.trie_account_hashed(self.keys.accounts[at])?;
                Ok(found.map(|account| Account {
                    nonce: account.nonce,
                    balance: account.balance,
                    code_hash: account.code_hash,
                }))
            }
        }
    }

    fn read_account(&self, mut part: Part, at: &usize) -> Result<Part, DesignError> {
        let load: &AccountLoad = &self.load.accounts[*at];
        match tally::ask(&mut part.work, || self.account(*at)) {
            Ok(got) => tally::read_account(self.load.number, load, got, &mut part.work)?,
            Err(error) => {
                let context = format!("read account {}", load.address);
                part.pend(*at, error, &context)?;
            }
        }
        Ok(part)
    }

    fn read_slot(&self, mut part: Part, at: &usize) -> Result<Part, DesignError> {
        let load = &self.load.slots[*at];
        let (contract, slot) = self.keys.slots[*at];
        let got = match self.overlay.slot(load.address, load.slot) {
            Some(pending) => Ok(pending),
            None => tally::ask(&mut part.work, || self.view.slot_hashed(contract, slot)),
        };
        match got {
            Ok(got) => {
                tally::read_slot(self.load.number, "permanent", load, got, &mut part.work)?;
            }
            Err(error) => {
                let context = format!("read slot {:#x} of {}", load.slot, load.address);
                part.pend(*at, error, &context)?;
            }
        }
        Ok(part)
    }

    /// Reads these accounts and these slots.
    fn run(&self, accounts: &[usize], slots: &[usize]) -> Result<(Part, Part), DesignError> {
        type Read<'r> = dyn Fn(Part, &usize) -> Result<Part, DesignError> + Sync + 'r;
        let all = |keys: &[usize], read: &Read<'_>| {
            keys.par_chunks(CHUNK)
                .map(|chunk| chunk.iter().try_fold(Part::default(), read))
                .try_reduce(Part::default, |a, b| Ok(a.join(b)))
        };
        let (accounts, slots) = self.design.pool.install(|| {
            rayon::join(
                || all(accounts, &|part, at| self.read_account(part, at)),
                || all(slots, &|part, at| self.read_slot(part, at)),
            )
        });
        Ok((accounts?, slots?))
    }
}

impl PermanentDesign {
    /// Reads and compares everything that the load names. What has expired is brought back as often as it
    /// takes: stubs lie under stubs.
    pub(super) fn read_load(
        &self,
        load: &BlockLoad,
        overlay: &Overlay,
    ) -> Result<ReadCost, DesignError> {
        let keys = Keys::of(load, &self.hasher);
        let mut accounts: Vec<usize> = (0..load.accounts.len()).collect();
        let mut slots: Vec<usize> = (0..load.slots.len()).collect();
        let mut cost = ReadCost::default();
        let view = self.tier.view();
        self.pool
            .install(|| codes::read(load, overlay, &mut cost, |hash| view.code(hash)))?;
        drop(view);
        let mut changing = None;
        loop {
            let pass = Pass {
                design: self,
                load,
                overlay,
                keys: &keys,
                view: self.tier.view(),
            };
            let (of_accounts, of_slots) = pass.run(&accounts, &slots)?;
            drop(pass);
            tally::add(&mut cost.accounts, &of_accounts.work);
            tally::add(&mut cost.slots, &of_slots.work);
            let missing = [of_accounts.missing, of_slots.missing].concat();
            if missing.is_empty() {
                return Ok(cost);
            }
            (accounts, slots) = (of_accounts.pending, of_slots.pending);
            if changing.is_none() {
                // What is missing is asked for again, when nobody changes it any more.
                changing = Some(self.changing());
                continue;
            }
            let brought = self.bring(load.number, missing)?;
            cost.accounts.witness_bytes += brought.accounts_bytes;
            cost.slots.witness_bytes += brought.slots_bytes;
        }
    }

    /// What the load's keys lie under, where that has expired.
    pub(super) fn missing_for(&self, load: &BlockLoad) -> Result<Vec<MissingNode>, DesignError> {
        let keys = Keys::of(load, &self.hasher);
        let view = self.tier.view();
        let accounts = keys
            .accounts
            .iter()
            .map(|key| view.trie_account_hashed(*key).map(drop));
        let slots = keys
            .slots
            .iter()
            .map(|(contract, slot)| view.slot_hashed(*contract, *slot).map(drop));
        let missing = accounts.chain(slots).filter_map(|found| match found {
            Ok(()) => None,
            Err(StateError::Missing(node)) => Some(Ok(*node)),
            Err(other) => Some(Err(other)),
        });
        missing
            .collect::<Result<_, _>>()
            .map_err(DesignError::store("look for what has expired"))
    }
}
