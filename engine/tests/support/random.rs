//! Seeded blocks, the same in every process.

use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256, keccak256};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use thinstate_formats::{Account, AccountChange, AccountUpdate, StateChanges};

/// What blocks are about. The first `hubs` accounts exist from the first block on and stay.
#[derive(Clone, Copy, Debug)]
pub struct Universe {
    pub accounts: u64,
    pub hubs: u64,
    pub slots: u64,
}

/// A generator of its own for each step of a run.
pub fn rng(seed: u64, step: u64) -> ChaCha8Rng {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&step.to_le_bytes());
    ChaCha8Rng::from_seed(key)
}

pub fn address(index: u64) -> Address {
    Address::left_padding_from(&index.to_be_bytes())
}

pub fn account(rng: &mut ChaCha8Rng) -> Account {
    Account {
        nonce: rng.random_range(0..1 << 20),
        balance: U256::from(rng.random::<u64>()) << rng.random_range(0..100),
        code_hash: match rng.random_range(0..4) {
            0 => B256::from(rng.random::<[u8; 32]>()),
            _ => KECCAK256_EMPTY,
        },
    }
}

/// Sets accounts to the same balance.
pub fn set(numbers: impl IntoIterator<Item = u64>, balance: U256) -> StateChanges {
    let change = AccountChange {
        account: AccountUpdate::Set(Account {
            nonce: 1,
            balance,
            ..Account::default()
        }),
        ..AccountChange::default()
    };
    StateChanges {
        accounts: numbers
            .into_iter()
            .map(|number| (address(number), change.clone()))
            .collect(),
        ..StateChanges::default()
    }
}

/// A value of any length, zero (which removes the slot) now and then.
pub fn value(rng: &mut ChaCha8Rng) -> U256 {
    match rng.random_range(0..6) {
        0 => U256::ZERO,
        _ => U256::from_be_bytes(rng.random::<[u8; 32]>()) >> rng.random_range(0..256),
    }
}

/// The block that makes the hubs.
pub fn first_block(universe: Universe) -> StateChanges {
    let hub = |index| {
        let account = Account {
            nonce: 1,
            ..Account::default()
        };
        let change = AccountChange {
            account: AccountUpdate::Set(account),
            ..AccountChange::default()
        };
        (address(index), change)
    };
    StateChanges {
        accounts: (0..universe.hubs).map(hub).collect(),
        ..StateChanges::default()
    }
}

/// A block with changes to at most `changes` accounts, of every kind that there is.
pub fn block(rng: &mut ChaCha8Rng, universe: Universe, changes: usize) -> StateChanges {
    let mut block = StateChanges::default();
    for _ in 0..changes {
        let index = match rng.random_range(0..8) {
            0 => rng.random_range(0..universe.hubs),
            _ => rng.random_range(universe.hubs..universe.accounts),
        };
        let change = match index < universe.hubs {
            true => of_hub(rng, universe),
            false => of_account(rng, universe),
        };
        block.accounts.insert(address(index), change);
    }
    for _ in 0..rng.random_range(0..=changes / 16) {
        let code = code(rng.random_range(0..500));
        block.code.insert(keccak256(&code), code);
    }
    block
}

fn of_hub(rng: &mut ChaCha8Rng, universe: Universe) -> AccountChange {
    AccountChange {
        account: AccountUpdate::Keep,
        wipe_storage: rng.random_ratio(1, 50),
        storage: slots(rng, universe, 1..80),
    }
}

fn of_account(rng: &mut ChaCha8Rng, universe: Universe) -> AccountChange {
    let set = AccountUpdate::Set(account(rng));
    let (account, wipe_storage, slots_written) = match rng.random_range(0..20) {
        0..10 => (set, false, 0..1),
        10..16 => (set, false, 1..6),
        16 => (set, false, 40..120),
        17 => (AccountUpdate::Delete, true, 0..1),
        18 => (set, true, 0..1),
        _ => (set, true, 1..60),
    };
    AccountChange {
        account,
        wipe_storage,
        storage: slots(rng, universe, slots_written),
    }
}

fn slots(
    rng: &mut ChaCha8Rng,
    universe: Universe,
    count: core::ops::Range<usize>,
) -> alloy_primitives::map::U256Map<U256> {
    let count = rng.random_range(count);
    let slot = |rng: &mut ChaCha8Rng| U256::from(rng.random_range(0..universe.slots));
    (0..count).map(|_| (slot(rng), value(rng))).collect()
}

/// One of 500 codes of up to 24 KiB.
fn code(index: u64) -> Bytes {
    let mut rng = rng(index, 0);
    let len = 1usize << rng.random_range(0..15);
    (0..len)
        .map(|_| rng.random::<u8>())
        .collect::<Vec<_>>()
        .into()
}
