//! Accounts and slots of a population, hashed and sorted, in parts.

use super::{
    Keep,
    order::{Order, hashed_addresses},
};
use crate::population::{Population, SlotId};
use alloy_primitives::B256;
use rayon::prelude::*;
use thinstate_engine::{BulkAccount, BulkPart, BulkSlot};
use thinstate_formats::{BlockNumber, keccak::BatchHasher, object::ObjectClass};

/// A part ends behind the account with which it has so many entries.
const PART_ENTRIES: u64 = 1 << 17;
/// Slots whose keys are derived together.
const SLOTS_TOGETHER: usize = 4_096;
/// A contract with more slots is sorted on all threads.
const SORTED_ALONE: usize = 1 << 16;

/// The parts of a population, by hashed address.
pub(super) struct Parts<'a> {
    population: &'a Population,
    order: &'a Order,
    keep: &'a Keep<'a>,
    block: BlockNumber,
    hasher: BatchHasher,
    next: usize,
}

impl<'a> Parts<'a> {
    pub(super) fn new(
        population: &'a Population,
        order: &'a Order,
        keep: &'a Keep<'a>,
        block: BlockNumber,
    ) -> Self {
        Self {
            population,
            order,
            keep,
            block,
            hasher: BatchHasher::new(),
            next: 0,
        }
    }

    /// Those behind so many accounts.
    pub(super) fn behind(self, accounts: u64) -> Self {
        let all = self.order.len();
        let next = usize::try_from(accounts).map_or(all, |next| next.min(all));
        Self { next, ..self }
    }

    /// The next accounts, of a part's size together.
    fn take(&mut self) -> Vec<u64> {
        let mut entries = 0;
        let accounts = self.order.from(self.next).take_while(|account| {
            let goes_on = entries < PART_ENTRIES;
            entries += 1 + self.population.slots_of(*account);
            goes_on
        });
        let accounts: Vec<_> = accounts.collect();
        self.next += accounts.len();
        accounts
    }

    fn written(&self, age: u64) -> BlockNumber {
        BlockNumber(self.block.0.saturating_sub(age))
    }
}

impl Iterator for Parts<'_> {
    type Item = BulkPart;

    fn next(&mut self) -> Option<BulkPart> {
        if self.next == self.order.len() {
            return None;
        }
        let numbers = self.take();
        let keys = hashed_addresses(self.population, &self.hasher, numbers.iter().copied());
        let mut part = Filling {
            parts: self,
            pending: Vec::with_capacity(SLOTS_TOGETHER),
            slots: Vec::new(),
        };
        let accounts = numbers
            .into_iter()
            .zip(keys)
            .map(|(number, key)| part.account(number, key));
        let accounts: Vec<_> = accounts.collect();
        part.derive();
        let mut slots = part.slots;
        sort(&accounts, &mut slots);
        Some(BulkPart { accounts, slots })
    }
}

/// A part in the making.
struct Filling<'p, 'a> {
    parts: &'p Parts<'a>,
    /// Slots whose keys are not derived yet, with their ages.
    pending: Vec<((SlotId, ObjectClass), u64)>,
    slots: Vec<BulkSlot>,
}

impl Filling<'_, '_> {
    fn account(&mut self, number: u64, key: B256) -> BulkAccount {
        let population = self.parts.population;
        let (slots, youngest) = self.add_slots(number);
        let age = match youngest {
            None => population.account_age(number),
            Some(_) if population.is_hub(number) => Some(0),
            age => age,
        };
        BulkAccount {
            key,
            account: population.account(number).unwrap_or_default(),
            last_written: self.parts.written(age.unwrap_or_default()),
            slots,
        }
    }

    /// Adds the slots of a contract that are kept; gives their number, and the least age of all.
    fn add_slots(&mut self, contract: u64) -> (usize, Option<u64>) {
        let (mut kept, mut youngest) = (0, None);
        for (local, age) in (0..).zip(self.parts.population.slot_ages(contract)) {
            youngest = Some(youngest.map_or(age, |least: u64| least.min(age)));
            let id = SlotId { contract, local };
            let class = self.parts.population.class_of(id);
            if !(self.parts.keep)(class) {
                continue;
            }
            kept += 1;
            self.pending.push(((id, class), age));
            if self.pending.len() == SLOTS_TOGETHER {
                self.derive();
            }
        }
        (kept, youngest)
    }

    /// Derives what is pending.
    fn derive(&mut self) {
        let parts = self.parts;
        let (slots, ages): (Vec<_>, Vec<_>) = self.pending.drain(..).unzip();
        let keys = parts.population.keys_of(&parts.hasher, &slots);
        let keys: Vec<[u8; 32]> = keys.iter().map(|key| key.to_be_bytes()).collect();
        let mut hashes = Vec::with_capacity(keys.len());
        parts.hasher.hash_fixed32(&keys, &mut hashes);
        let hashed = hashes.into_iter().zip(slots).zip(ages);
        self.slots
            .extend(hashed.map(|((key, (id, class)), age)| BulkSlot {
                key,
                value: parts.population.value_of(id, class, 0),
                last_written: parts.written(age),
            }));
    }
}

/// Sorts the slots of each account.
fn sort(accounts: &[BulkAccount], slots: &mut [BulkSlot]) {
    let mut rest = slots;
    for account in accounts {
        let (own, behind) = rest.split_at_mut(account.slots);
        if own.len() > SORTED_ALONE {
            own.par_sort_unstable_by_key(|slot| slot.key);
        } else {
            own.sort_unstable_by_key(|slot| slot.key);
        }
        rest = behind;
    }
}
