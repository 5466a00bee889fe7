//! The oracle: a second node that shares nothing with the store.
//!
//! It keeps the whole state in maps, executes each block itself on them (revm commits every
//! transaction straight to the maps, so the store's block cache and its conversion to changes have
//! no part in it), and hashes the state with alloy-trie: the account trie from scratch for every
//! root, a storage trie from scratch when a slot of it changed.
//!
//! Cost: memory of some 100 bytes for each account and slot; a root hashes every account (about
//! 25 ms for 10,000), which is why it is only for small states.

use super::{error::Difference, generate::GeneratedBlock};
use alloy_primitives::{
    Address, B256, Bytes, KECCAK256_EMPTY, U256, keccak256,
    map::{AddressMap, B256Map, U256Map},
};
use alloy_trie::{EMPTY_ROOT_HASH, TrieAccount, root};
use core::convert::Infallible;
use revm::{
    Context, Database, DatabaseCommit, ExecuteCommitEvm, MainBuilder, MainContext,
    bytecode::Bytecode,
    context::result::EVMError,
    primitives::hardfork::SpecId,
    state::{Account as EvmAccount, AccountInfo},
};
use thinstate_formats::{Account, AccountUpdate, StateChanges, StateReader};

/// The oracle could not execute a block: the block is wrong, or the oracle's state is.
#[derive(Debug, thiserror::Error)]
#[error("transaction {index} is invalid on the oracle's state")]
pub struct OracleError {
    /// The transaction, counted from 1.
    pub index: usize,
    /// The rule that it breaks.
    pub source: EVMError<Infallible>,
}

/// The state in memory.
#[derive(Clone, Debug, Default)]
pub struct Oracle {
    accounts: AddressMap<Held>,
    codes: B256Map<Bytes>,
}

/// One account.
#[derive(Clone, Debug)]
struct Held {
    /// keccak256 of the address.
    hashed: B256,
    account: Account,
    /// Slots that are not zero.
    storage: U256Map<U256>,
    /// `None` where a slot has changed since it was computed.
    storage_root: Option<B256>,
}

/// How much of a store was found equal to the oracle's state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Compared {
    /// Accounts.
    pub accounts: u64,
    /// Slots that are not zero.
    pub slots: u64,
    /// Codes.
    pub codes: u64,
}

impl Oracle {
    /// A state that begins with these changes, none of which deletes anything.
    pub fn new(genesis: &StateChanges) -> Self {
        let mut oracle = Self {
            accounts: AddressMap::default(),
            codes: genesis.code.clone(),
        };
        for (address, change) in &genesis.accounts {
            if let AccountUpdate::Set(account) = change.account {
                let held = oracle.held(*address);
                held.account = account;
                held.storage = change.storage.clone();
                held.storage.retain(|_, value| !value.is_zero());
                held.storage_root = None;
            }
        }
        oracle
    }

    /// Executes a block by Shanghai's rules, and gives the gas that it used.
    pub fn execute(&mut self, block: &GeneratedBlock) -> Result<u64, OracleError> {
        let mut evm = Context::mainnet()
            .with_db(self)
            .with_block(block.block_env())
            .modify_cfg_chained(|cfg| cfg.set_spec_and_mainnet_gas_params(SpecId::SHANGHAI))
            .build_mainnet();
        let mut gas_used = 0;
        for (index, tx) in (1..).zip(&block.txs) {
            let result = evm.transact_commit(tx.tx_env());
            gas_used += result
                .map_err(|source| OracleError { index, source })?
                .tx_gas_used();
        }
        Ok(gas_used)
    }

    /// The state root.
    pub fn root(&mut self) -> B256 {
        let leaves = self.accounts.values_mut().map(|held| {
            let storage_root = held.storage_root();
            let Account {
                nonce,
                balance,
                code_hash,
            } = held.account;
            let leaf = TrieAccount {
                nonce,
                balance,
                storage_root,
                code_hash,
            };
            (held.hashed, leaf)
        });
        root::state_root_unsorted(leaves)
    }

    /// Gives an account another balance, as no block did: for tests that a difference shows.
    pub fn set_balance(&mut self, address: Address, balance: U256) {
        self.held(address).account.balance = balance;
    }

    /// An account's balance.
    pub fn balance(&self, address: Address) -> Option<U256> {
        self.accounts.get(&address).map(|held| held.account.balance)
    }

    /// Compares every account, slot and code held here with what `store` says of it.
    pub fn compare<R: StateReader>(&self, store: &R) -> Result<Compared, Difference<R::Error>> {
        let mut compared = Compared::default();
        for (&address, held) in &self.accounts {
            let got = store.account(address).map_err(Difference::Unreadable)?;
            if got != Some(held.account) {
                let expected = Box::new(held.account);
                return Err(Difference::account(address, expected, got));
            }
            for (&slot, &expected) in &held.storage {
                let got = store.slot(address, slot).map_err(Difference::Unreadable)?;
                if got != expected {
                    return Err(Difference::slot(address, slot, expected, got));
                }
            }
            compared.accounts += 1;
            compared.slots += held.storage.len() as u64;
        }
        for (&code_hash, code) in &self.codes {
            let got = store.code(code_hash).map_err(Difference::Unreadable)?;
            if got.as_ref() != Some(code) {
                return Err(Difference::Code(code_hash));
            }
            compared.codes += 1;
        }
        Ok(compared)
    }

    /// The account, made where there is none.
    fn held(&mut self, address: Address) -> &mut Held {
        self.accounts.entry(address).or_insert_with(|| Held {
            hashed: keccak256(address),
            account: Account::default(),
            storage: U256Map::default(),
            storage_root: Some(EMPTY_ROOT_HASH),
        })
    }

    /// What one transaction made of an account.
    fn put(&mut self, address: Address, evm: EvmAccount) {
        // EIP-161: what is touched and empty is not there. `SELFDESTRUCT` takes all.
        if evm.is_selfdestructed() || evm.info.is_empty() {
            self.accounts.remove(&address);
            return;
        }
        if let Some(code) = &evm.info.code
            && evm.info.code_hash != KECCAK256_EMPTY
        {
            self.codes
                .entry(evm.info.code_hash)
                .or_insert_with(|| code.original_bytes());
        }
        let held = self.held(address);
        if evm.is_created() {
            held.storage.clear();
            held.storage_root = None;
        }
        held.account = Account {
            nonce: evm.info.nonce,
            balance: evm.info.balance,
            code_hash: evm.info.code_hash,
        };
        for (key, slot) in evm.storage {
            held.put_slot(key, slot.present_value);
        }
    }
}

impl Held {
    fn put_slot(&mut self, key: U256, value: U256) {
        let before = if value.is_zero() {
            self.storage.remove(&key)
        } else {
            self.storage.insert(key, value)
        };
        if before.unwrap_or_default() != value {
            self.storage_root = None;
        }
    }

    fn storage_root(&mut self) -> B256 {
        let slots = &self.storage;
        *self.storage_root.get_or_insert_with(|| {
            let slots = slots.iter().map(|(key, value)| (B256::from(*key), *value));
            root::storage_root_unhashed(slots)
        })
    }
}

impl Database for Oracle {
    type Error = Infallible;

    fn basic(&mut self, address: Address) -> Result<Option<AccountInfo>, Infallible> {
        let info = |held: &Held| AccountInfo {
            balance: held.account.balance,
            nonce: held.account.nonce,
            code_hash: held.account.code_hash,
            account_id: None,
            code: None,
        };
        Ok(self.accounts.get(&address).map(info))
    }

    fn code_by_hash(&mut self, code_hash: B256) -> Result<Bytecode, Infallible> {
        let code = self.codes.get(&code_hash);
        Ok(code.map_or_else(Bytecode::default, |code| Bytecode::new_legacy(code.clone())))
    }

    fn storage(&mut self, address: Address, slot: U256) -> Result<U256, Infallible> {
        let held = self.accounts.get(&address);
        let value = held.and_then(|held| held.storage.get(&slot));
        Ok(value.copied().unwrap_or_default())
    }

    fn block_hash(&mut self, _: u64) -> Result<B256, Infallible> {
        // Generated code does not ask for hashes of blocks.
        Ok(B256::ZERO)
    }
}

impl DatabaseCommit for Oracle {
    fn commit(&mut self, changes: AddressMap<EvmAccount>) {
        for (address, account) in changes {
            if account.is_touched() {
                self.put(address, account);
            }
        }
    }
}
