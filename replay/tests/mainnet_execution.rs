//! No mainnet block may execute to another outcome than it had.
//!
//! The oracle is twofold: the headers (gas, receipts, logs, requests), and the recorded change of
//! every account and slot, which is known to lead from the block's pre-state root to its post-state
//! root.

#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod support;

use alloy_primitives::{Address, B256, U256, keccak256, map::U256Map};
use revm::state::EvmState;
use serde_json::Value;
use std::{collections::BTreeMap, path::Path, time::Instant};
use support::{WitnessState, mainnet};
use thinstate_formats::{Account, AccountChange, AccountUpdate, StateChanges};
use thinstate_replay::{
    exec::{
        AccessIndex, BlockObserver, BlockOutcome, ChainSpec, check_body, check_outcome,
        execute_block, execute_block_observed,
    },
    source::witness::{self, BlockWitness},
};

fn json(path: &Path) -> Value {
    serde_json::from_slice(&zstd::decode_all(std::fs::File::open(path).unwrap()).unwrap()).unwrap()
}

fn number(value: &Value) -> U256 {
    match value {
        Value::String(text) => text.parse().unwrap(),
        other => U256::from(other.as_u64().unwrap()),
    }
}

fn execute(witness: &BlockWitness) -> BlockOutcome {
    let state = WitnessState::new(witness);
    execute_block(
        &state,
        &witness.block,
        &witness.block_hashes,
        &ChainSpec::mainnet(),
    )
    .unwrap()
}

/// The recorded changes in the terms of [`StateChanges`], codes apart.
fn recorded(diff: &Value) -> BTreeMap<Address, AccountChange> {
    let accounts = diff["accounts"].as_object().unwrap();
    let change = |(address, value): (&String, &Value)| {
        recorded_change(value).map(|change| (address.parse().unwrap(), change))
    };
    accounts.iter().filter_map(change).collect()
}

fn recorded_change(value: &Value) -> Option<AccountChange> {
    let account = |value: &Value| {
        (!value.is_null()).then(|| Account {
            nonce: value["nonce"].as_u64().unwrap(),
            balance: number(&value["balance"]),
            code_hash: value["codeHash"].as_str().unwrap().parse().unwrap(),
        })
    };
    let (before, after) = (account(&value["pre"]), account(&value["post"]));
    let update = match (before, after) {
        (None, None) => return None,
        (Some(_), None) => AccountUpdate::Delete,
        (before, Some(after)) if before == Some(after) => AccountUpdate::Keep,
        (_, Some(after)) => AccountUpdate::Set(after),
    };
    let deleted = update == AccountUpdate::Delete;
    let storage: U256Map<U256> = value["storage"]
        .as_object()
        .unwrap()
        .iter()
        .filter(|(_, pair)| !deleted && number(&pair[0]) != number(&pair[1]))
        .map(|(slot, pair)| (slot.parse().unwrap(), number(&pair[1])))
        .collect();
    let wipe_storage = before.is_some() && (deleted || value["destroyed"].as_bool().unwrap());
    let change = AccountChange {
        account: update,
        wipe_storage,
        storage,
    };
    (change != AccountChange::default()).then_some(change)
}

fn compare_changes(
    block: u64,
    changes: &StateChanges,
    recorded: &BTreeMap<Address, AccountChange>,
) {
    for (address, expected) in recorded {
        let got = changes.accounts.get(address);
        assert_eq!(got, Some(expected), "block {block}, account {address}");
    }
    for address in changes.accounts.keys() {
        assert!(
            recorded.contains_key(address),
            "block {block} must not change {address}"
        );
    }
    for (hash, code) in &changes.code {
        assert_eq!(keccak256(code), *hash, "block {block}");
    }
}

#[test]
fn no_block_differs_from_its_header_and_its_recorded_changes() {
    let (Some(witnesses), Some(diffs)) = (mainnet("witness"), mainnet("diff")) else {
        return;
    };
    let paths = witness::find(&witnesses).unwrap();
    assert!(!paths.is_empty());
    let (mut executing, mut gas, mut receipts) = (0.0, 0, 0);
    for path in &paths {
        let witness = witness::read(path).unwrap();
        let block = witness.number().0;
        check_body(&witness.block).unwrap();

        let start = Instant::now();
        let outcome = execute(&witness);
        executing += start.elapsed().as_secs_f64();
        gas += outcome.gas_used;

        let checked = check_outcome(&witness.block.header, &outcome)
            .unwrap_or_else(|mismatch| panic!("block {block}: {mismatch}"));
        receipts += usize::from(checked.receipts_root);
        let diff = json(&diffs.join(format!("{block}.json.zst")));
        compare_changes(block, &outcome.changes, &recorded(&diff));

        let count = |field: &str| diff[field].as_array().unwrap().len() as u64;
        assert_eq!(
            outcome.reads.accounts,
            count("account_reads"),
            "block {block}"
        );
        assert_eq!(outcome.reads.slots, count("slot_reads"), "block {block}");
        assert_eq!(outcome.reads.codes, count("code_reads"), "block {block}");
    }
    eprintln!(
        "{} blocks, {receipts} receipts roots, {:.1} Mgas, {:.2} s of execution",
        paths.len(),
        gas as f64 / 1e6,
        executing
    );
}

/// Checks that values go on from step to step, and keeps the last of each.
#[derive(Default)]
struct Continuity {
    slots: BTreeMap<(Address, U256), U256>,
    accounts: BTreeMap<Address, (u64, U256)>,
    destroyed: Vec<Address>,
    last: AccessIndex,
    preimages: usize,
}

impl BlockObserver for Continuity {
    fn on_state(&mut self, index: AccessIndex, state: &EvmState) {
        assert!(index >= self.last, "steps come in order");
        self.last = index;
        for (address, account) in state {
            let before = (
                account.original_info().nonce,
                account.original_info().balance,
            );
            let last = self.accounts.entry(*address).or_insert(before);
            assert_eq!(*last, before, "step {index}, {address}");
            *last = if account.is_selfdestructed() {
                (0, U256::ZERO)
            } else {
                (account.info.nonce, account.info.balance)
            };
            if account.is_selfdestructed() {
                self.destroyed.push(*address);
                continue;
            }
            for (slot, value) in &account.storage {
                let seen = self.slots.entry((*address, *slot));
                let last = seen.or_insert(value.original_value);
                if !self.destroyed.contains(address) {
                    assert_eq!(
                        *last, value.original_value,
                        "step {index}, {address} {slot}"
                    );
                }
                *last = value.present_value;
            }
        }
    }

    fn on_keccak(&mut self, hash: B256, preimage: [u8; 64]) {
        assert_eq!(keccak256(preimage), hash);
        self.preimages += 1;
    }
}

#[test]
fn observing_a_block_neither_changes_its_outcome_nor_misses_a_write() {
    let Some(witnesses) = mainnet("witness") else {
        return;
    };
    for path in witness::find(&witnesses).unwrap() {
        let witness = witness::read(&path).unwrap();
        let block = witness.number();
        let plain = execute(&witness);
        let state = WitnessState::new(&witness);
        let mut seen = Continuity::default();
        let spec = ChainSpec::mainnet();
        let observed = execute_block_observed(
            &state,
            &witness.block,
            &witness.block_hashes,
            &spec,
            &mut seen,
        )
        .unwrap();
        assert_eq!(observed.changes, plain.changes, "block {block}");
        assert_eq!(observed.reads, plain.reads, "block {block}");

        for (address, change) in &plain.changes.accounts {
            for (slot, value) in &change.storage {
                let last = seen.slots[&(*address, *slot)];
                assert_eq!(last, *value, "block {block}, {address} {slot}");
            }
            if let AccountUpdate::Set(account) = change.account {
                let last = seen.accounts[address];
                assert_eq!(
                    last,
                    (account.nonce, account.balance),
                    "block {block}, {address}"
                );
            }
        }
        let steps = witness.block.body.transactions.len() as u64 + 1;
        assert!(seen.last.0 <= steps, "block {block}");
        assert!(seen.last.0 + 1 >= steps, "block {block}");
        if plain.writes.slots > 100 {
            assert!(seen.preimages > 0, "block {block}");
        }
    }
}
