//! A small state in memory, and random blocks over it: what designs are compared with.

use alloy_primitives::{Address, B256, KECCAK256_EMPTY, U256, keccak256};
use alloy_trie::{TrieAccount, root};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::{collections::BTreeMap, sync::Arc};
use thinstate_formats::{
    Account, BlockNumber,
    object::{ObjectClass, ObjectKey},
    trace::{CodeRead, CodeWrite},
};
use thinstate_replay::load::{AccountLoad, BlockLoad, SlotLoad};

/// Contracts that are there from the first block on and stay.
const HUBS: u64 = 8;
/// Contracts; those behind the hubs may lose their storage, or go.
const CONTRACTS: u64 = 16;
const ACCOUNTS: u64 = 64;
const SLOTS: u64 = 96;
/// Different codes.
const CODES: u8 = 2;
/// Where contracts declare the mapping of a class.
const BASE: u64 = 3;

/// What blocks are like.
#[derive(Clone, Copy)]
pub(crate) struct WorldOptions {
    /// Everything is drawn from it.
    pub(crate) seed: u64,
    /// Whether contracts go, or lose their storage.
    pub(crate) wipes: bool,
    /// Which slots are in the trie; `None` where there is no trie.
    pub(crate) in_trie: Option<fn(&SlotLoad) -> bool>,
    /// Whether most slots are chosen among few at a time, so that others grow cold.
    pub(crate) drifts: bool,
}

/// The state after some blocks.
#[derive(Clone, Debug, Default)]
pub(crate) struct World {
    pub(crate) accounts: BTreeMap<Address, Account>,
    pub(crate) slots: BTreeMap<(Address, U256), SlotLoad>,
}

/// Blocks that follow one another, from the empty state on.
pub(crate) fn blocks(options: WorldOptions, first: u64, count: u64) -> Vec<Arc<BlockLoad>> {
    let mut world = World::default();
    (first..first + count)
        .map(|number| Arc::new(world.next(options, BlockNumber(number), number == first)))
        .collect()
}

impl World {
    /// The next block, after which the world is as the block leaves it.
    pub(crate) fn next(
        &mut self,
        options: WorldOptions,
        number: BlockNumber,
        is_first: bool,
    ) -> BlockLoad {
        let mut block = Block {
            rng: rng(options.seed, number.0),
            world: self,
            accounts: BTreeMap::new(),
            slots: BTreeMap::new(),
        };
        if is_first {
            (0..CONTRACTS).for_each(|index| block.set_account(index));
        }
        block.touch_accounts();
        if options.wipes {
            block.wipe();
        }
        let window = match options.drifts {
            true => Some(number.0 * 3 / 8 % SLOTS),
            false => None,
        };
        block.touch_slots(window);
        let Block {
            mut rng,
            accounts,
            slots,
            ..
        } = block;
        let mut load = BlockLoad {
            number,
            blocks: 1,
            gas_used: 21_000,
            tx_count: 1,
            keys_lacking: 0,
            state_root: None,
            accounts: accounts.into_values().collect(),
            slots: slots.into_values().collect(),
            code_reads: code_reads(&mut rng),
            code_writes: if is_first { codes() } else { Vec::new() },
        };
        load.check().expect("keys ascend");
        self.apply(&load);
        load.state_root = options.in_trie.map(|in_trie| self.root(in_trie));
        load
    }

    fn apply(&mut self, load: &BlockLoad) {
        for account in &load.accounts {
            match account.after {
                Some(after) => self.accounts.insert(account.address, after),
                None => self.accounts.remove(&account.address),
            };
            if account.drops_storage() {
                self.slots.retain(|(of, _), _| *of != account.address);
            }
        }
        for slot in &load.slots {
            match slot.after.is_zero() {
                true => self.slots.remove(&slot.key()),
                false => self.slots.insert(slot.key(), *slot),
            };
        }
    }

    /// The state root, as alloy-trie computes it.
    pub(crate) fn root(&self, in_trie: fn(&SlotLoad) -> bool) -> B256 {
        let account = |(address, account): (&Address, &Account)| {
            let of = (*address, U256::ZERO)..=(*address, U256::MAX);
            let slots = self.slots.range(of).filter(|(_, slot)| in_trie(slot));
            let storage = slots.map(|((_, key), slot)| (B256::from(*key), slot.after));
            let leaf = TrieAccount {
                nonce: account.nonce,
                balance: account.balance,
                storage_root: root::storage_root_unhashed(storage),
                code_hash: account.code_hash,
            };
            (keccak256(address), leaf)
        };
        root::state_root_unsorted(self.accounts.iter().map(account))
    }
}

fn rng(seed: u64, step: u64) -> ChaCha8Rng {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&step.to_le_bytes());
    ChaCha8Rng::from_seed(key)
}

pub(crate) fn address(index: u64) -> Address {
    Address::left_padding_from(&index.to_be_bytes())
}

/// Class, object and key of a contract's slot.
fn slot_key(index: u64) -> (ObjectClass, Option<ObjectKey>, U256) {
    let owner = address(1_000 + index);
    let object = match index % 4 {
        0 => return (ObjectClass::PlainSlot, None, U256::from(index)),
        1 => ObjectKey::Erc20Balance { owner },
        2 => ObjectKey::Erc721Owner { id: index },
        _ => ObjectKey::Allowance {
            owner,
            spender: address(2_000),
        },
    };
    (object.class(), Some(object), object.slot(U256::from(BASE)))
}

/// Codes that blocks read, deployed by the first.
fn codes() -> Vec<CodeWrite> {
    let hash = |n| B256::repeat_byte(n);
    (0..CODES)
        .map(|n| CodeWrite {
            hash: hash(n),
            length: 100,
        })
        .collect()
}

fn code_reads(rng: &mut ChaCha8Rng) -> Vec<CodeRead> {
    let count = rng.random_range(0..=CODES);
    let codes = codes().into_iter().take(count.into());
    let read = |CodeWrite { hash, length }| CodeRead { hash, length };
    codes.map(read).collect()
}

/// A block that is being drawn.
struct Block<'w> {
    rng: ChaCha8Rng,
    world: &'w World,
    accounts: BTreeMap<Address, AccountLoad>,
    slots: BTreeMap<(Address, U256), SlotLoad>,
}

impl Block<'_> {
    /// The account's load, as a read where nothing has happened to it yet.
    fn account(&mut self, index: u64) -> &mut AccountLoad {
        let address = address(index);
        let before = self.world.accounts.get(&address).copied();
        self.accounts.entry(address).or_insert(AccountLoad {
            address,
            before,
            after: before,
            storage_wiped: false,
        })
    }

    fn set_account(&mut self, index: u64) {
        let code_hash = match index < CONTRACTS {
            true => B256::repeat_byte(0xc0),
            false => KECCAK256_EMPTY,
        };
        let account = Account {
            nonce: self.rng.random_range(1..1 << 20),
            balance: U256::from(self.rng.random::<u64>()) << self.rng.random_range(0..100),
            code_hash,
        };
        self.account(index).after = Some(account);
    }

    fn touch_accounts(&mut self) {
        for _ in 0..12 {
            let index = self.rng.random_range(0..ACCOUNTS);
            let action = self.rng.random_range(0..10u8);
            let is_there = self.account(index).after.is_some();
            match action {
                0..5 if is_there || index >= CONTRACTS => self.set_account(index),
                5 if index >= CONTRACTS => self.account(index).after = None,
                _ => {}
            }
        }
    }

    /// A contract loses its storage; some of them go with it.
    fn wipe(&mut self) {
        if self.rng.random_range(0..3u8) > 0 {
            return;
        }
        let index = self.rng.random_range(HUBS..CONTRACTS);
        let how = self.rng.random_range(0..4u8);
        if self.account(index).after.is_none() {
            self.set_account(index);
            return;
        }
        let account = self.account(index);
        account.storage_wiped = how > 0;
        if how < 2 {
            account.after = None;
        }
    }

    fn value(&mut self, class: ObjectClass) -> U256 {
        let bits = match class {
            ObjectClass::Erc721Owner => 160,
            ObjectClass::Erc20Balance | ObjectClass::Allowance => 64,
            _ => self.rng.random_range(1..=256),
        };
        let value = U256::from_be_bytes(self.rng.random::<[u8; 32]>()) >> (256 - bits);
        value | U256::ONE
    }

    fn touch_slots(&mut self, window: Option<u64>) {
        for _ in 0..40 {
            let contract = self.rng.random_range(0..CONTRACTS);
            let index = match window {
                Some(from) if self.rng.random_range(0..10u8) > 0 => {
                    (from + self.rng.random_range(0..12)) % SLOTS
                }
                _ => self.rng.random_range(0..SLOTS),
            };
            let account = *self.account(contract);
            let (class, object, slot) = slot_key(index);
            let key = (account.address, slot);
            if self.slots.contains_key(&key) {
                continue;
            }
            let held = self.world.slots.get(&key).map(|slot| slot.after);
            let before = held.unwrap_or_default();
            let left = match account.drops_storage() {
                true => U256::ZERO,
                false => before,
            };
            let after = match self.rng.random_range(0..8u8) {
                _ if account.after.is_none() => U256::ZERO,
                0..3 => left,
                3 => U256::ZERO,
                4 => before,
                _ => self.value(class),
            };
            let load = SlotLoad {
                address: account.address,
                slot,
                before,
                after,
                class,
                object,
            };
            self.slots.insert(key, load);
        }
    }
}
