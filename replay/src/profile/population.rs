//! Mainnet's numbers that are the population's, not the blocks'.

use crate::population::{Population, SlotId};
use alloy_primitives::U256;
use alloy_rlp::Encodable;

/// Slots and accounts that are looked at for means.
const SAMPLE: u64 = 20_000;

/// What a state is like.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Shape {
    /// Accounts.
    pub(super) accounts: f64,
    /// Slots.
    pub(super) slots: f64,
    /// Slots for each account.
    pub(super) slots_per_account: f64,
    /// Slots for each contract.
    pub(super) slots_per_contract: f64,
    /// Slots of the contract in the middle.
    pub(super) slots_median: f64,
    /// Slots of the contract at the top hundredth.
    pub(super) slots_p99: f64,
    /// The largest contract's share of all slots.
    pub(super) largest: f64,
    /// Mean bytes of a slot's value in a snapshot: RLP.
    pub(super) slot_bytes: f64,
    /// Mean bytes of an account in a snapshot: slim RLP, which leaves empty hashes out.
    pub(super) account_bytes: f64,
}

impl Shape {
    pub(super) fn of(population: &Population) -> Self {
        let (accounts, contracts) = (population.accounts(), population.contracts());
        let slots = population.slots() as f64;
        Self {
            accounts: accounts as f64,
            slots,
            slots_per_account: slots / accounts.max(1) as f64,
            slots_per_contract: slots / contracts.max(1) as f64,
            slots_median: population.slots_of(contracts / 2) as f64,
            slots_p99: population.slots_of(contracts / 100) as f64,
            largest: population.slots_of(0) as f64 / slots,
            slot_bytes: mean(population.slots(), |index| {
                let id = population.slot_at(index).unwrap_or(SlotId {
                    contract: 0,
                    local: 0,
                });
                population.slot(id).value.length()
            }),
            account_bytes: mean(accounts, |account| slim_bytes(population, account)),
        }
    }
}

/// The mean over numbers below `all`, evenly apart.
fn mean(all: u64, bytes: impl Fn(u64) -> usize) -> f64 {
    let sample = SAMPLE.min(all).max(1);
    let numbers =
        (0..sample).map(|at| (u128::from(at) * u128::from(all) / u128::from(sample)) as u64);
    numbers.map(|number| bytes(number) as u64).sum::<u64>() as f64 / sample as f64
}

/// Bytes of an account in a snapshot.
fn slim_bytes(population: &Population, number: u64) -> usize {
    const HASH: usize = 33;
    let Some(account) = population.account(number) else {
        return 0;
    };
    let hash = |is_there: bool| if is_there { HASH } else { 1 };
    let payload = account.nonce.length()
        + U256::length(&account.balance)
        + hash(population.slots_of(number) > 0)
        + hash(account.code_hash != alloy_primitives::KECCAK256_EMPTY);
    payload + alloy_rlp::length_of_length(payload)
}
