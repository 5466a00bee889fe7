//! A model of the state in plain maps, hashed by alloy-trie.
#![expect(dead_code, unreachable_pub, reason = "each test uses a part of it")]

pub mod chain;
pub mod child;
pub mod leaves;
pub mod ledger_driver;
pub mod ledger_host;
pub mod ledger_model;
pub mod ledger_scenarios;
pub mod random;
pub mod store_world;
pub mod tiers;

use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256, keccak256};
use alloy_trie::{
    EMPTY_ROOT_HASH, HashBuilder, TrieAccount,
    proof::ProofRetainer,
    root::{state_root_unsorted, storage_root_unsorted},
};
use nybbles::Nibbles;
use std::collections::BTreeMap;
use thinstate_engine::{BlockId, PermanentTier, View, leaf_store::LeafStore};
use thinstate_formats::{
    Account, AccountChange, AccountUpdate, BlockNumber, StateChanges, StateReader,
};

/// Accounts with their storage.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Model {
    pub accounts: BTreeMap<Address, (Account, BTreeMap<U256, U256>)>,
}

impl Model {
    /// Applies a block as the store is to apply it.
    pub fn apply(&mut self, changes: &StateChanges) {
        for (address, change) in &changes.accounts {
            self.apply_to(*address, change);
        }
    }

    fn apply_to(&mut self, address: Address, change: &AccountChange) {
        match change.account {
            AccountUpdate::Delete => {
                self.accounts.remove(&address);
                return;
            }
            AccountUpdate::Set(account) => self.accounts.entry(address).or_default().0 = account,
            AccountUpdate::Keep => {}
        }
        let Some((_, storage)) = self.accounts.get_mut(&address) else {
            return;
        };
        if change.wipe_storage {
            storage.clear();
        }
        for (slot, value) in &change.storage {
            match value.is_zero() {
                true => storage.remove(slot),
                false => storage.insert(*slot, *value),
            };
        }
    }

    pub fn slots(&self) -> usize {
        self.accounts
            .values()
            .map(|(_, storage)| storage.len())
            .sum()
    }

    /// The state root, by alloy-trie.
    pub fn root(&self) -> B256 {
        state_root_unsorted(self.trie_accounts().map(|(a, t)| (keccak256(a), t)))
    }

    pub fn trie_accounts(&self) -> impl Iterator<Item = (Address, TrieAccount)> + '_ {
        self.accounts.iter().map(|(address, (account, storage))| {
            let root = storage_root(storage);
            let account = TrieAccount::new(account.nonce, account.balance, root, account.code_hash);
            (*address, account)
        })
    }

    /// Every node of every trie that has a hash of its own, by alloy-trie.
    pub fn nodes(&self) -> Vec<Bytes> {
        let accounts = self.trie_accounts();
        let mut nodes = all_nodes(accounts.map(|(a, t)| (keccak256(a), alloy_rlp::encode(t))));
        for (_, storage) in self.accounts.values() {
            nodes.extend(all_nodes(storage.iter().map(|(slot, value)| {
                (
                    keccak256(slot.to_be_bytes::<32>()),
                    alloy_rlp::encode(value),
                )
            })));
        }
        nodes.sort();
        nodes.dedup();
        nodes
    }

    /// Panics unless `view` shows exactly this state, on `absent` too.
    pub fn assert_shown_by<S: LeafStore>(&self, view: &View<'_, S>, absent: &[Address]) {
        assert_eq!(view.head().root, self.root());
        assert_eq!(view.head().accounts, self.accounts.len() as u64);
        assert_eq!(view.head().slots, self.slots() as u64);
        for (address, (account, storage)) in &self.accounts {
            assert_eq!(view.account(*address).expect("read"), Some(*account));
            for (slot, value) in storage {
                assert_eq!(view.slot(*address, *slot).expect("read"), *value);
            }
            let beyond = U256::from(1_000_003);
            assert_eq!(view.slot(*address, beyond).expect("read"), U256::ZERO);
        }
        for address in absent.iter().filter(|a| !self.accounts.contains_key(*a)) {
            assert_eq!(view.account(*address).expect("read"), None);
        }
    }
}

fn storage_root(storage: &BTreeMap<U256, U256>) -> B256 {
    if storage.is_empty() {
        return EMPTY_ROOT_HASH;
    }
    let hashed = |(slot, value): (&U256, &U256)| (keccak256(slot.to_be_bytes::<32>()), *value);
    storage_root_unsorted(storage.iter().map(hashed))
}

/// Nodes of a trie with these leaves.
fn all_nodes(leaves: impl Iterator<Item = (B256, Vec<u8>)>) -> Vec<Bytes> {
    let leaves: BTreeMap<B256, Vec<u8>> = leaves.collect();
    if leaves.is_empty() {
        return Vec::new();
    }
    let keys = leaves.keys().map(Nibbles::unpack).collect();
    let mut builder = HashBuilder::default().with_proof_retainer(ProofRetainer::new(keys));
    for (key, value) in &leaves {
        builder.add_leaf(Nibbles::unpack(key), value);
    }
    builder.root();
    let nodes = builder.take_proof_nodes().into_nodes_sorted();
    let hashed = |(path, node): &(Nibbles, Bytes)| path.is_empty() || node.len() >= 32;
    nodes
        .into_iter()
        .filter(hashed)
        .map(|(_, node)| node)
        .collect()
}

pub fn block(number: u64) -> BlockId {
    BlockId {
        number: BlockNumber(number),
        hash: keccak256(number.to_be_bytes()),
    }
}

/// Applies a block to store and model, and compares roots.
pub fn apply<S: LeafStore>(
    tier: &PermanentTier<S>,
    model: &mut Model,
    number: u64,
    changes: &StateChanges,
) {
    model.apply(changes);
    let report = tier.apply(block(number), changes).expect("apply");
    assert_eq!(report.root, model.root(), "block {number}");
}

pub mod strategy {
    //! Random blocks over few addresses and slots, so that they meet again.
    use super::*;
    use proptest::prelude::*;

    pub fn address(seed: u8) -> Address {
        Address::repeat_byte(seed)
    }

    pub fn addresses() -> Vec<Address> {
        (0..24).map(address).collect()
    }

    fn account() -> impl Strategy<Value = Account> {
        (0u64..4, any::<u64>(), any::<bool>()).prop_map(|(nonce, balance, has_code)| Account {
            nonce,
            balance: U256::from(balance) << 20,
            code_hash: if has_code {
                B256::repeat_byte(7)
            } else {
                KECCAK256_EMPTY
            },
        })
    }

    fn change() -> impl Strategy<Value = AccountChange> {
        let slot = prop_oneof![0u64..200, Just(u64::MAX)].prop_map(U256::from);
        let value = prop_oneof![
            Just(U256::ZERO),
            (1u64..300).prop_map(U256::from),
            Just(U256::MAX)
        ];
        let storage = prop_oneof![
            2 => Just(BTreeMap::new()),
            2 => prop::collection::btree_map(slot.clone(), value.clone(), 0..5),
            1 => prop::collection::btree_map(slot, value, 20..80),
        ];
        let kind = prop_oneof![8 => Just(0u8), 1 => Just(1), 1 => Just(2)];
        (account(), storage, kind).prop_map(|(account, storage, kind)| AccountChange {
            account: match kind {
                1 => AccountUpdate::Delete,
                _ => AccountUpdate::Set(account),
            },
            wipe_storage: kind > 0,
            storage: if kind == 1 {
                Default::default()
            } else {
                storage.into_iter().collect()
            },
        })
    }

    pub fn changes() -> impl Strategy<Value = StateChanges> {
        let address = (0u8..24).prop_map(address);
        let code = prop::option::of(prop::collection::vec(any::<u8>(), 0..40));
        (prop::collection::btree_map(address, change(), 0..14), code).prop_map(
            |(accounts, code)| StateChanges {
                accounts: accounts.into_iter().collect(),
                code: code
                    .into_iter()
                    .map(|c| (keccak256(&c), Bytes::from(c)))
                    .collect(),
            },
        )
    }

    pub fn blocks() -> impl Strategy<Value = Vec<StateChanges>> {
        prop::collection::vec(changes(), 1..12)
    }
}
