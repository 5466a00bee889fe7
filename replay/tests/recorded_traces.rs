//! A trace of a mainnet block must not differ from what the block did.
//!
//! The oracle is the recorded outcome of each block: every account and slot with its value before and
//! after, every read with what it found, every code.

#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod support;

use alloy_primitives::{Address, B256, U256};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};
use support::mainnet;
use thinstate_engine::{Need, Options};
use thinstate_formats::{
    Account, BlockNumber,
    trace::{BlockTrace, TraceHeader, TxAccesses},
};
use thinstate_replay::{
    exec::ChainSpec,
    source::witness::{self, BlockWitness},
    trace::{
        RecordError, Recorded, RootCheck, STRUCT_WORDS, TraceReader, TraceWriter, record_witness,
    },
};

/// Blocks whose witnesses lack a node that a collapse needs.
const INCOMPLETE: [u64; 4] = [20_378_342, 20_526_626, 21_000_001, 22_075_730];

type Span<T> = (T, T);

/// A trace's accesses over the whole block: first value before, last value after.
#[derive(Default)]
struct Union {
    accounts: BTreeMap<Address, Span<Option<Account>>>,
    slots: BTreeMap<(Address, U256), Span<U256>>,
    code_reads: BTreeMap<B256, u32>,
    code_writes: BTreeMap<B256, u32>,
    /// Accounts that had no code, or were wiped, at some index: a contract that is created there
    /// finds zeros without a read.
    fresh: BTreeSet<Address>,
}

impl Union {
    /// Adds one index after another, each of which must find what the ones before have left.
    fn of(trace: &BlockTrace) -> Self {
        let mut union = Self::default();
        for group in &trace.accesses {
            let at = format!("block {}, index {}", trace.number, group.index.get());
            union.add_accounts(group, &at);
            union.add_slots(group, &at);
            let reads = group.code_reads.iter().map(|it| (it.hash, it.length));
            union.code_reads.extend(reads);
            let writes = group.code_writes.iter().map(|it| (it.hash, it.length));
            union.code_writes.extend(writes);
            union.wipe(group);
        }
        union
    }

    fn add_accounts(&mut self, group: &TxAccesses, at: &str) {
        for access in &group.accounts {
            let (before, after) = (access.before(), access.after());
            let seen = self.accounts.entry(access.address);
            let span = seen.or_insert((before, before));
            assert_eq!(span.1, before, "{at}, {}", access.address);
            span.1 = after;
            if before.unwrap_or_default().code_hash == Account::default().code_hash {
                self.fresh.insert(access.address);
            }
        }
    }

    fn add_slots(&mut self, group: &TxAccesses, at: &str) {
        for access in &group.slots {
            let seen = self.slots.entry(access.key());
            let span = seen.or_insert((access.before(), access.before()));
            assert_eq!(span.1, access.before(), "{at}, {access:?}");
            span.1 = access.after();
            if !access.preimages.is_empty() {
                let offset = access.member_offset(STRUCT_WORDS);
                assert!(offset.is_some(), "{at}, {access:?}");
            }
        }
    }

    fn wipe(&mut self, group: &TxAccesses) {
        for access in &group.accounts {
            if access.kind.wipes_storage() {
                self.fresh.insert(access.address);
                let slots = self.slots.iter_mut();
                slots
                    .filter(|((address, _), _)| *address == access.address)
                    .for_each(|(_, span)| span.1 = U256::ZERO);
            }
        }
    }
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&zstd::decode_all(std::fs::File::open(path).unwrap()).unwrap()).unwrap()
}

fn parse<T: std::str::FromStr<Err: std::fmt::Debug>>(value: &Value) -> T {
    value.as_str().unwrap().parse().unwrap()
}

fn account(value: &Value) -> Option<Account> {
    (!value.is_null()).then(|| Account {
        nonce: value["nonce"].as_u64().unwrap(),
        balance: parse(&value["balance"]),
        code_hash: parse(&value["codeHash"]),
    })
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

fn compare_accounts(union: &Union, diff: &Value, block: BlockNumber) {
    let read: BTreeMap<Address, bool> = list(&diff["account_reads"])
        .iter()
        .map(|pair| (parse(&pair[0]), pair[1].as_bool().unwrap()))
        .collect();
    let found = union.accounts.iter();
    let found: BTreeMap<_, _> = found
        .map(|(address, span)| (*address, span.0.is_some()))
        .collect();
    assert_eq!(found, read, "block {block}");

    let mut changed: BTreeMap<Address, Span<Option<Account>>> = union.accounts.clone();
    changed.retain(|_, (before, after)| before != after);
    for (address, change) in diff["accounts"].as_object().unwrap() {
        let address: Address = address.parse().unwrap();
        let expected = (account(&change["pre"]), account(&change["post"]));
        let got = union.accounts.get(&address);
        assert_eq!(got, Some(&expected), "block {block}, {address}");
        changed.remove(&address);
    }
    assert_eq!(changed, BTreeMap::new(), "block {block}: not in the record");
}

fn compare_slots(union: &Union, diff: &Value, block: BlockNumber) {
    let mut rest = union.slots.clone();
    for read in list(&diff["slot_reads"]) {
        let key: (Address, U256) = (parse(&read[0]), parse(&read[1]));
        let span = rest.remove(&key);
        let found = span.map(|(before, _)| before);
        assert_eq!(found, Some(parse(&read[2])), "block {block}, {key:?}");
    }
    for ((address, slot), (before, _)) in rest {
        assert!(
            before.is_zero() && union.fresh.contains(&address),
            "block {block}: slot {slot} of {address} was not read"
        );
    }

    let mut changed = union.slots.clone();
    changed.retain(|_, (before, after)| before != after);
    for (address, change) in diff["accounts"].as_object().unwrap() {
        let address: Address = address.parse().unwrap();
        let destroyed = change["destroyed"].as_bool().unwrap() || change["post"].is_null();
        for (slot, pair) in change["storage"].as_object().unwrap() {
            let key = (address, slot.parse().unwrap());
            let expected = (parse(&pair[0]), parse(&pair[1]));
            assert_eq!(union.slots[&key], expected, "block {block}, {key:?}");
            changed.remove(&key);
        }
        if destroyed {
            changed.retain(|(of, _), _| *of != address);
        }
    }
    assert_eq!(changed, BTreeMap::new(), "block {block}: not in the record");
}

fn compare_codes(union: &Union, diff: &Value, block: BlockNumber) {
    let expected: BTreeMap<B256, u32> = list(&diff["code_reads"])
        .iter()
        .map(|pair| {
            let length = pair[1].as_u64().unwrap();
            (parse(&pair[0]), u32::try_from(length).unwrap())
        })
        .collect();
    // Code that the block itself deployed, and ran later, was not read from its pre-state.
    let mut got = union.code_reads.clone();
    got.retain(|hash, _| expected.contains_key(hash) || !union.code_writes.contains_key(hash));
    assert_eq!(got, expected, "block {block}");

    let new: BTreeSet<B256> = union
        .accounts
        .values()
        .filter_map(|(before, after)| {
            let had = before.unwrap_or_default().code_hash;
            after.map(|it| it.code_hash).filter(|hash| *hash != had)
        })
        .collect();
    for hash in new {
        let known = union.code_writes.contains_key(&hash);
        assert!(
            known || hash == Account::default().code_hash,
            "block {block}, {hash}"
        );
    }
}

fn record(witness: &BlockWitness) -> Result<Recorded, RecordError> {
    let dir = tempfile::tempdir().unwrap();
    record_witness(
        dir.path(),
        witness,
        &ChainSpec::mainnet(),
        Options::default(),
    )
}

#[test]
fn no_trace_differs_from_what_its_block_did() {
    let (Some(witnesses), Some(diffs)) = (mainnet("witness"), mainnet("diff")) else {
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    let header = TraceHeader::new(1);
    let mut writer = TraceWriter::create(directory.path().join("trace"), header).unwrap();
    let mut traces = Vec::new();
    let mut incomplete = Vec::new();
    for path in witness::find(&witnesses).unwrap() {
        let witness = witness::read(&path).unwrap();
        let block = witness.number();
        let recorded = record(&witness).unwrap_or_else(|error| panic!("block {block}: {error:?}"));
        if let RootCheck::Unknown(node) = recorded.root {
            assert_eq!(node.needed_for, Need::Collapse, "block {block}");
            incomplete.push(block.0);
        }
        let union = Union::of(&recorded.trace);
        let diff = json(&diffs.join(format!("{block}.json.zst")));
        compare_accounts(&union, &diff, block);
        compare_slots(&union, &diff, block);
        compare_codes(&union, &diff, block);
        assert_eq!(
            recorded.trace.state_root,
            Some(witness.block.header.state_root)
        );
        writer.push(&recorded.trace).unwrap();
        traces.push(recorded.trace);
    }
    assert_eq!(incomplete, INCOMPLETE);
    let reader = TraceReader::open(writer.finish().unwrap()).unwrap();
    let read: Vec<_> = reader.blocks().map(Result::unwrap).collect();
    assert!(read == traces, "the file does not hold what was recorded");
    let info = reader.info().unwrap();
    assert!(info.slots.written_preimage_share() > Some(0.5));
}

#[test]
fn a_wrong_execution_is_not_recorded() {
    let Some(witnesses) = mainnet("witness") else {
        return;
    };
    let path = witnesses.join("15537394.json.zst");
    let good = witness::read(&path).unwrap();
    let refuse = |alter: fn(&mut BlockWitness)| {
        let mut witness = good.clone();
        alter(&mut witness);
        record(&witness).unwrap_err()
    };
    let body = refuse(|it| drop(it.block.body.transactions.pop()));
    assert!(matches!(body, RecordError::Body(_)), "{body:?}");
    let gas = refuse(|it| it.block.header.gas_used += 1);
    assert!(matches!(gas, RecordError::Outcome(_)), "{gas:?}");
    let root = refuse(|it| it.block.header.state_root.0[31] ^= 1);
    assert!(matches!(root, RecordError::StateRoot { .. }), "{root:?}");
    let nodes = refuse(|it| it.state.clear());
    assert!(matches!(nodes, RecordError::Execution(_)), "{nodes:?}");
}
