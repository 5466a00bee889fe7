//! Generated blocks executed by revm in memory: what the generator's model says must be what the EVM did.

#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod calibration;
mod model;
mod refusals;

use super::{contracts::token, *};
use alloy_primitives::{Address, B256, U256, b256, keccak256};
use revm::{
    Context, DatabaseCommit, ExecuteEvm, MainBuilder, MainContext,
    context::result::ExecutionResult,
    database::{AccountState, CacheDB, EmptyDB},
    primitives::hardfork::SpecId,
    state::{AccountInfo, EvmState},
};
use std::{collections::BTreeMap, path::Path};

const DEMO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../data/profiles/demo.toml");
const GENESIS: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../data/mainnet-genesis.json.zst"
);
const ETHER: u64 = 1_000_000_000_000_000_000;

fn demo_profile(blocks: u64) -> Profile {
    Profile {
        blocks,
        ..Profile::load(Path::new(DEMO)).expect("the demo's profile is valid")
    }
}

/// No transactions at all, to be filled by a test.
fn quiet_profile(blocks: u64) -> Profile {
    let transactions = Transactions {
        plain_transfers: 0,
        empty_touches: 0,
        token_transfers: 0,
        token_mints: 0,
        contract_creations: 0,
        vault_creations: 0,
        vault_wipes: 0,
        vault_batches: 0,
    };
    Profile {
        transactions,
        ..demo_profile(blocks)
    }
}

fn funded(accounts: u64, ether: u64) -> Vec<(Address, U256)> {
    let address = |index: u64| Address::from_word(keccak256(index.to_be_bytes()));
    (0..accounts)
        .map(|index| (address(index), U256::from(ether) * U256::from(ETHER)))
        .collect()
}

/// A slot: the contract and the key.
type SlotKey = (Address, U256);

/// What one block did, from the EVM's own records.
#[derive(Default)]
struct Outcome {
    gas_used: u64,
    created: Vec<Option<Address>>,
    /// Slots touched, with the values before and after the block.
    slots: BTreeMap<SlotKey, (U256, U256)>,
}

struct Chain {
    db: CacheDB<EmptyDB>,
}

impl Chain {
    fn new(funded: &[(Address, U256)]) -> Self {
        let mut db = CacheDB::new(EmptyDB::new());
        for &(address, balance) in funded {
            db.insert_account_info(address, AccountInfo::from_balance(balance));
        }
        Self { db }
    }

    fn run(&mut self, block: &GeneratedBlock, tx: &GeneratedTx) -> (ExecutionResult, EvmState) {
        let mut evm = Context::mainnet()
            .with_db(&mut self.db)
            .with_block(block.block_env())
            .modify_cfg_chained(|cfg| cfg.set_spec_and_mainnet_gas_params(SpecId::SHANGHAI))
            .build_mainnet();
        let outcome = evm
            .transact(tx.tx_env())
            .expect("a generated transaction is valid");
        (outcome.result, outcome.state)
    }

    /// Executes a block; every transaction has to succeed.
    fn execute(&mut self, block: &GeneratedBlock) -> Outcome {
        let mut outcome = Outcome::default();
        for (index, tx) in block.txs.iter().enumerate() {
            let (result, state) = self.run(block, tx);
            assert!(
                result.is_success(),
                "block {}, transaction {index}: {result:?}, {tx:?}",
                block.number
            );
            outcome.gas_used += result.tx_gas_used();
            outcome.created.push(result.created_address());
            outcome.note_slots(&state);
            self.db.commit(state);
        }
        outcome
    }

    /// Whether there is such an account by EIP-161; revm leaves it to the database to drop those that were touched and are empty.
    fn exists(&self, address: Address) -> bool {
        self.db.cache.accounts.get(&address).is_some_and(|account| {
            account.account_state != AccountState::NotExisting && !account.info.is_empty()
        })
    }

    fn account_count(&self) -> usize {
        self.db
            .cache
            .accounts
            .keys()
            .filter(|address| self.exists(**address))
            .count()
    }

    /// The slots of a contract that are not zero.
    fn storage(&self, address: Address) -> BTreeMap<U256, U256> {
        let Some(account) = self.db.cache.accounts.get(&address) else {
            return BTreeMap::new();
        };
        account
            .storage
            .iter()
            .filter(|(_, value)| !value.is_zero())
            .map(|(&key, &value)| (key, value))
            .collect()
    }
}

impl Outcome {
    fn note_slots(&mut self, state: &EvmState) {
        for (&address, account) in state {
            for (&key, slot) in &account.storage {
                let entry = self
                    .slots
                    .entry((address, key))
                    .or_insert((slot.original_value, slot.present_value));
                entry.1 = slot.present_value;
            }
        }
    }
}

/// Compares every token and vault of the model with the EVM's state.
fn assert_model_holds(generator: &BlockGenerator, chain: &Chain) {
    for token in generator.tokens() {
        let mut expected: BTreeMap<U256, U256> = token
            .balances()
            .filter(|(_, balance)| *balance != 0)
            .map(|(holder, balance)| (token::balance_slot(holder), U256::from(balance)))
            .collect();
        let mut got = chain.storage(token.address());
        let supply = got
            .remove(&U256::from(token::SUPPLY_SLOT))
            .unwrap_or_default();
        assert_eq!(
            supply,
            expected.values().sum::<U256>(),
            "the supply is the sum of the balances"
        );
        assert_eq!(got.len(), expected.len(), "holders of {}", token.address());
        got.iter()
            .for_each(|(slot, balance)| assert_eq!(expected.remove(slot), Some(*balance)));
    }
    for vault in generator.vaults() {
        let expected: BTreeMap<U256, U256> = vault
            .slots()
            .iter()
            .map(|(&key, &value)| (U256::from(key), value))
            .collect();
        assert_eq!(
            chain.storage(vault.address()),
            expected,
            "slots of {}",
            vault.address()
        );
        assert!(chain.exists(vault.address()));
    }
}
