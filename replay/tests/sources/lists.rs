//! An access list must come back as it was, and break no rule unnoticed.

use crate::{
    chain::{self, BLOCKS},
    support::mainnet,
};
use alloy_eip7928::BlockAccessListValidationError as Rule;
use alloy_primitives::{Address, B256, U256, b256, keccak256};
use serde_json::{Value, json};
use std::{fs, path::PathBuf};
use thinstate_engine::Options;
use thinstate_formats::{
    BlockNumber,
    trace::{BlockTrace, SlotAccessKind, encode_record},
};
use thinstate_replay::{
    exec::ChainSpec,
    load::BlockLoad,
    source::{
        access_list::{
            self, AccessListFault, BlockAccessList, ListEncoding, ListOptions, check, decode_json,
            decode_rlp, encode_json, encode_rlp, from_trace, to_trace,
        },
        figures::BlockFigures,
        known::KnownState,
        witness,
    },
    trace::record_witness,
};

fn lists() -> Option<Vec<(BlockNumber, PathBuf)>> {
    let folder = mainnet("bal")?;
    let mut lists: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (
                BlockNumber(name.split('.').next().unwrap().parse().unwrap()),
                path,
            )
        })
        .collect();
    lists.sort();
    Some(lists)
}

fn trace_of(list: &BlockAccessList, known: &mut KnownState<'_>) -> access_list::Listed {
    let tx_count = access_list::tx_count(list);
    let figures = BlockFigures::without_header(BlockNumber(7), tx_count);
    to_trace(list, &figures, known).unwrap()
}

fn back(list: &BlockAccessList, trace: &BlockTrace) -> BlockAccessList {
    let codes = access_list::codes(list);
    from_trace(trace, |hash| codes.get(&hash).cloned()).unwrap()
}

/// The encoding, JSON, and by way of a trace. The lists of 2024 have 32-byte words and keep the order; those
/// of 2026 have integers and do not: they are brought into it before they become traces.
#[test]
fn no_list_of_mainnet_changes_on_its_way() {
    let Some(lists) = lists() else { return };
    let mut in_order = 0;
    for (number, path) in &lists {
        let bytes = zstd::decode_all(fs::File::open(path).unwrap()).unwrap();
        let (list, encoding) = decode_rlp(&bytes).unwrap();
        assert!(encode_rlp(&list, encoding) == bytes, "block {number}");
        assert_eq!(
            decode_json(encode_json(&list)).unwrap(),
            list,
            "block {number}"
        );

        let mut sorted = list.clone();
        let dropped = access_list::repair(&mut sorted);
        if dropped == 0 && sorted == list {
            assert_eq!(encoding, ListEncoding::Words, "block {number}");
            in_order += 1;
        }
        let traced = trace_of(&sorted, &mut KnownState::new());
        assert_eq!(traced.no_changes, 0, "block {number}");
        encode_record(&traced.trace).expect("a trace that keeps the rules");
        assert!(back(&sorted, &traced.trace) == sorted, "block {number}");
    }
    assert_eq!((lists.len(), in_order), (46, 40));
}

/// A run: what one list left the next one finds, and nothing is assumed twice.
#[test]
fn no_list_of_a_run_forgets_the_ones_before() {
    let Some(lists) = lists() else { return };
    let options = ListOptions {
        repair: true,
        ..ListOptions::default()
    };
    let mut known = KnownState::new();
    let mut alone = 0;
    let mut values = std::collections::BTreeMap::new();
    for (number, path) in lists.iter().take(40) {
        let file = access_list::read(path, &options).unwrap();
        let listed = to_trace(&file.list, &file.figures, &mut known).unwrap();
        let load = BlockLoad::collapse(&listed.trace).unwrap();
        for slot in &load.slots {
            if let Some(left) = values.insert(slot.key(), slot.after) {
                assert_eq!(slot.before, left, "block {number}, {:?}", slot.key());
            }
        }
        let mut fresh = KnownState::new();
        to_trace(&file.list, &file.figures, &mut fresh).unwrap();
        alone += fresh.assumed();
    }
    assert!(known.assumed() < alone, "{} of {alone}", known.assumed());
}

/// Lists made of executions have the changes that the execution made, and lead back to the same writes.
#[test]
fn no_write_is_lost_between_an_execution_and_its_list() {
    let Some(folder) = mainnet("witness") else {
        return;
    };
    for number in [19_426_587, 24_647_140, 22_431_084, 17_034_870] {
        let path = folder.join(format!("{number}.json.zst"));
        if !path.is_file() {
            continue;
        }
        let witness = witness::read(&path).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let spec = ChainSpec::mainnet();
        let recorded = record_witness(dir.path(), &witness, &spec, Options::default()).unwrap();
        let code = &recorded.outcome.changes.code;
        let list = from_trace(&recorded.trace, |hash| code.get(&hash).cloned()).unwrap();
        let figures = BlockFigures::from_rlp(&witness.raw_block).unwrap();
        check(&list, &figures).unwrap();
        let bytes = encode_rlp(&list, ListEncoding::Integers);
        let (again, _) = decode_rlp(&bytes).unwrap();
        assert_eq!(access_list::hash(&again), keccak256(&bytes));
        let listed = to_trace(&again, &figures, &mut KnownState::new()).unwrap();
        let after = |trace: &BlockTrace| {
            let load = BlockLoad::collapse(trace).unwrap();
            let slots = load.slots_written().map(|it| (it.key(), it.after));
            slots.collect::<Vec<_>>()
        };
        let written = after(&recorded.trace);
        let listed = after(&listed.trace);
        assert!(
            written.iter().all(|it| listed.contains(it)),
            "block {number}"
        );
    }
}

#[test]
fn a_run_of_lists_takes_values_from_the_lists_before() {
    let mut known = KnownState::new();
    let mut previous = None;
    for number in BLOCKS {
        let list = decode_json(chain::access_list(number)).unwrap();
        let figures = BlockFigures::from_json(chain::block(number)).unwrap();
        let Ok(listed) = to_trace(&list, &figures, &mut known) else {
            panic!("block {number}")
        };
        let slots = listed.trace.accesses.iter().flat_map(|group| &group.slots);
        let writes: Vec<_> = slots
            .filter_map(|it| match it.kind {
                SlotAccessKind::Write { before, after } => Some((before, after)),
                SlotAccessKind::Read { .. } => None,
            })
            .collect();
        let [(before, first), (left, last)] = writes[..] else {
            panic!("{writes:?}")
        };
        assert_eq!((first, left), (U256::from(number), U256::from(number)));
        assert!(previous.is_none_or(|previous| before == previous));
        previous = Some(last);
        // The contract that every block of this run creates is there from the second one on.
        assert_eq!(listed.no_changes, u64::from(number > BLOCKS[0]));
    }
}

fn vector(name: &str) -> Option<Value> {
    let path = mainnet("tests/bal")?.join(format!("{name}.json"));
    Some(serde_json::from_slice(&fs::read(path).unwrap()).unwrap())
}

#[test]
fn no_good_list_of_the_ethereum_tests_is_refused() {
    for name in [
        "bal_simple",
        "bal_all_transaction_types",
        "bal_empty_block_no_coinbase",
    ] {
        let Some(document) = vector(name) else { return };
        let list = decode_json(document).unwrap();
        let tx_count = access_list::tx_count(&list);
        check(
            &list,
            &BlockFigures::without_header(BlockNumber(1), tx_count),
        )
        .unwrap();
        let (again, _) = decode_rlp(&encode_rlp(&list, ListEncoding::Integers)).unwrap();
        assert_eq!(again, list, "{name}");
    }
}

/// Blocks that their lists make invalid: the header commits to the broken list, or to another one.
#[test]
fn no_bad_block_of_the_ethereum_tests_is_taken() {
    let judge = |name: &str| {
        let document = vector(name)?;
        let test = document
            .as_object()
            .unwrap()
            .values()
            .next()
            .unwrap()
            .clone();
        let block = &test["blocks"][0]["rlp_decoded"];
        let list = decode_json(block["blockAccessList"].clone()).unwrap();
        let committed = block["blockHeader"]["blockAccessListHash"]
            .as_str()
            .unwrap();
        let committed: B256 = committed.parse().unwrap();
        let txs = block["transactions"].as_array().unwrap().len();
        let mut figures = BlockFigures::from_json(chain::block(100)).unwrap();
        figures.tx_count = u32::try_from(txs).unwrap();
        figures.header.as_mut().unwrap().access_list_hash = Some(committed);
        let same = access_list::hash(&list) == committed;
        Some((check(&list, &figures).unwrap_err(), same))
    };
    let Some((order, same)) = judge("bal_invalid_account_order") else {
        return;
    };
    let is_order = matches!(
        order,
        AccessListFault::Rule(Rule::AccountsOutOfOrder { .. })
    );
    assert!(is_order && same, "{order:?}");
    let (twice, same) = judge("bal_invalid_duplicate_account").unwrap();
    let is_twice = matches!(twice, AccessListFault::Rule(Rule::DuplicateAccount { .. }));
    assert!(is_twice && same, "{twice:?}");
    let (hash, same) = judge("bal_invalid_hash_mismatch").unwrap();
    let is_hash = matches!(hash, AccessListFault::Hash { expected, .. } if expected == B256::with_last_byte(1));
    assert!(is_hash && !same, "{hash:?}");
}

fn document(alter: impl Fn(&mut Value)) -> Result<(), AccessListFault> {
    let mut document = chain::access_list(100);
    alter(&mut document);
    let figures = BlockFigures::from_json(chain::block(100)).unwrap();
    check(&decode_json(document)?, &figures)
}

#[test]
fn no_rule_of_the_eip_is_broken_unnoticed() {
    document(|_| ()).unwrap();
    let broken = |alter: fn(&mut Value)| match document(alter).unwrap_err() {
        AccessListFault::Rule(rule) => rule,
        other => panic!("{other:?}"),
    };
    let slots = broken(|it| it[1]["storageReads"].as_array_mut().unwrap().reverse());
    assert!(
        matches!(slots, Rule::StorageKeysOutOfOrder { .. }),
        "{slots}"
    );
    let both = broken(|it| it[1]["storageReads"][0] = it[1]["storageChanges"][0]["key"].clone());
    assert!(matches!(both, Rule::DuplicateStorageKey { .. }), "{both}");
    let none = broken(|it| it[1]["storageChanges"][0]["changes"] = json!([]));
    assert!(matches!(none, Rule::EmptyStorageChanges { .. }), "{none}");
    let twice = broken(|it| it[0]["nonceChanges"][1]["index"] = json!("0x1"));
    assert!(
        matches!(twice, Rule::DuplicateBlockAccessIndex { .. }),
        "{twice}"
    );
    let order = broken(|it| it[0]["nonceChanges"][1]["index"] = json!("0x0"));
    assert!(
        matches!(order, Rule::ChangeIndicesOutOfOrder { .. }),
        "{order}"
    );
    let past = broken(|it| it[0]["nonceChanges"][1]["index"] = json!("0x4"));
    assert!(
        matches!(past, Rule::BlockAccessIndexExceedsBlock { .. }),
        "{past}"
    );
}

#[test]
fn a_block_that_commits_to_another_list_is_noticed() {
    let list = decode_json(chain::access_list(100)).unwrap();
    let mut figures = BlockFigures::from_json(chain::block(100)).unwrap();
    let header = figures.header.as_mut().unwrap();
    header.access_list_hash = Some(access_list::hash(&list));
    check(&list, &figures).unwrap();
    let header = figures.header.as_mut().unwrap();
    header.gas_limit = 2_000 * 5;
    let error = check(&list, &figures).unwrap_err();
    assert!(matches!(error, AccessListFault::Size(_)), "{error:?}");
    let header = figures.header.as_mut().unwrap();
    header.access_list_hash = Some(B256::ZERO);
    let error = check(&list, &figures).unwrap_err();
    assert!(matches!(error, AccessListFault::Hash { .. }), "{error:?}");
    let empty = access_list::hash(&Vec::new());
    let expected = b256!("1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347");
    assert_eq!(empty, expected);
}

#[test]
fn bytes_that_are_no_list_are_refused() {
    let list = decode_json(chain::access_list(100)).unwrap();
    for encoding in [ListEncoding::Integers, ListEncoding::Words] {
        let bytes = encode_rlp(&list, encoding);
        assert_eq!(decode_rlp(&bytes).unwrap(), (list.clone(), encoding));
        for end in 0..bytes.len() {
            assert!(
                decode_rlp(&bytes[..end]).is_err(),
                "{encoding:?} cut at {end}"
            );
        }
        let longer = [&bytes[..], &[0x80]].concat();
        let error = decode_rlp(&longer).unwrap_err();
        assert!(
            matches!(error, AccessListFault::Trailing { left: 1 }),
            "{error:?}"
        );
    }
    let error = decode_json(json!({"result": null})).unwrap_err();
    assert!(matches!(error, AccessListFault::Json(_)), "{error:?}");
}

#[test]
fn code_that_is_not_at_hand_is_named() {
    let list = decode_json(chain::access_list(100)).unwrap();
    let trace = trace_of(&list, &mut KnownState::new()).trace;
    let error = from_trace(&trace, |_| None).unwrap_err();
    let expected = Address::with_last_byte(4);
    let named = matches!(error, AccessListFault::Code { address, .. } if address == expected);
    assert!(named, "{error:?}");
    assert_eq!(back(&list, &trace), list);
}
