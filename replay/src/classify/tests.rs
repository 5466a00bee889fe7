//! Whole blocks, made by hand: what is recognised, by what, and what must not be.

use super::{
    Basis, BlockFindings, BlockLogs, LayoutBook, Method, Place, Registry, Scheme, SlotKind,
    apply_book, classify_block, forget, forget_classes, learn_block,
    place::{solady_allowance, solady_balance},
};
use crate::load::BlockLoad;
use alloy_primitives::{Address, B256, Log, U256, keccak256};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha12Rng;
use thinstate_formats::{
    BlockNumber,
    object::{ObjectClass, ObjectKey},
    trace::{
        AccountAccess, BlockAccessIndex, BlockTrace, PreimageOrder, SlotAccess, SlotPreimage,
        TxAccesses,
    },
};

const TOKEN: Address = Address::repeat_byte(0x70);
const A: Address = Address::repeat_byte(0xa1);
const B: Address = Address::repeat_byte(0xb2);
const SPENDER: Address = Address::repeat_byte(0xc3);

fn n(number: u64) -> U256 {
    U256::from(number)
}

fn index() -> BlockAccessIndex {
    BlockAccessIndex::from_tx_index(0)
}

/// A mapping's entry of some keys, with its preimages.
fn entry(order: PreimageOrder, base: u64, keys: &[B256]) -> (U256, Vec<SlotPreimage>) {
    let mut slot = n(base);
    let mut preimages = Vec::new();
    for &key in keys {
        let base = slot;
        let level = SlotPreimage { order, key, base };
        slot = level.hash();
        preimages.push(level);
    }
    (slot, preimages)
}

fn write((slot, preimages): (U256, Vec<SlotPreimage>), before: u64, after: u64) -> SlotAccess {
    SlotAccess {
        preimages,
        ..SlotAccess::write(TOKEN, slot, n(before), n(after))
    }
}

fn block(slots: Vec<SlotAccess>) -> BlockTrace {
    let accounts = [A, B, SPENDER, TOKEN].map(|address| AccountAccess::read(address, None));
    let mut trace = BlockTrace {
        number: BlockNumber(1),
        timestamp: 0,
        gas_used: 0,
        gas_limit: 0,
        tx_count: 1,
        hash: B256::ZERO,
        parent_hash: B256::ZERO,
        state_root: None,
        accesses: vec![TxAccesses {
            accounts: accounts.into(),
            slots,
            ..TxAccesses::new(index())
        }],
    };
    trace.sort();
    trace
}

fn log(signature: &str, topics: &[B256], data: &[u64]) -> Log {
    let topics = [keccak256(signature)]
        .into_iter()
        .chain(topics.iter().copied());
    let data: Vec<u8> = data
        .iter()
        .flat_map(|it| n(*it).to_be_bytes::<32>())
        .collect();
    Log::new_unchecked(TOKEN, topics.collect(), data.into())
}

fn logs(list: impl IntoIterator<Item = Log>) -> BlockLogs {
    let mut logs = BlockLogs::default();
    list.into_iter().for_each(|log| logs.push(index(), log));
    logs
}

fn transfer(amount: u64) -> Log {
    let holders = [A.into_word(), B.into_word()];
    log("Transfer(address,address,uint256)", &holders, &[amount])
}

fn of(findings: &BlockFindings, slot: U256) -> (SlotKind, Method) {
    let finding = findings.slots[&(TOKEN, slot)];
    (finding.kind, finding.method)
}

fn classified(trace: &mut BlockTrace, logs: &BlockLogs) -> BlockFindings {
    classify_block(trace, logs, &mut LayoutBook::default())
}

/// Balances and an allowance of a token whose compiler hashes in this order.
fn token(order: PreimageOrder) -> (BlockTrace, BlockLogs, [U256; 3]) {
    let of_a = entry(order, 9, &[A.into_word()]);
    let of_b = entry(order, 9, &[B.into_word()]);
    let allowed = entry(order, 10, &[A.into_word(), SPENDER.into_word()]);
    let slots = [of_a.0, of_b.0, allowed.0];
    let trace = block(vec![
        write(of_a, 100, 70),
        write(of_b, 0, 30),
        write(allowed, 50, 20),
    ]);
    (trace, logs([transfer(30)]), slots)
}

#[test]
fn a_transfer_is_seen_in_either_order_with_preimages_and_without() {
    for order in [PreimageOrder::KeyThenBase, PreimageOrder::BaseThenKey] {
        let (mut trace, logs, [of_a, of_b, allowed]) = token(order);
        let executed = trace.clone();
        let findings = classified(&mut trace, &logs);
        let by_log = Method::Preimage(Basis::Log);
        assert_eq!(of(&findings, of_a), (SlotKind::Erc20Balance, by_log));
        assert_eq!(of(&findings, of_b), (SlotKind::Erc20Balance, by_log));
        assert_eq!(of(&findings, allowed), (SlotKind::Allowance, by_log));
        assert_eq!(findings.balances.agree, 2);

        let mut searched = executed;
        forget(&mut searched);
        let findings = classified(&mut searched, &logs);
        let by_log = Method::Search(Basis::Log);
        assert_eq!(of(&findings, of_a), (SlotKind::Erc20Balance, by_log));
        assert_eq!(of(&findings, allowed), (SlotKind::Allowance, by_log));
        assert_eq!(
            searched, trace,
            "search finds the preimages of the execution"
        );

        let load = BlockLoad::collapse(&searched).expect("one transaction");
        let objects: Vec<_> = load.slots.iter().filter_map(|slot| slot.object).collect();
        assert!(objects.contains(&ObjectKey::Erc20Balance { owner: B }));
        assert!(objects.contains(&ObjectKey::Allowance {
            owner: A,
            spender: SPENDER
        }));
    }
}

#[test]
fn what_one_block_teaches_is_not_forgotten_in_the_next() {
    let (trace, logs, [of_a, ..]) = token(PreimageOrder::KeyThenBase);
    let mut book = LayoutBook::default();
    learn_block(&trace, &logs, &mut book);
    let mut next = block(vec![SlotAccess::read(TOKEN, of_a, n(70))]);
    let findings = apply_book(&mut next, &BlockLogs::default(), &book);
    let learned = Method::Search(Basis::Learned);
    assert_eq!(of(&findings, of_a), (SlotKind::Erc20Balance, learned));
    let [slot] = &*next.accesses[0].slots else {
        panic!("one slot");
    };
    assert_eq!(slot.class, ObjectClass::Erc20Balance);
    assert_eq!(slot.preimages[0].key, A.into_word());
}

#[test]
fn the_registry_needs_no_logs() {
    let text = format!(
        "[[contract]]\naddress = \"{TOKEN}\"\nsource = \"test\"\nlayouts = [{{kind = \
         'erc20_balance', base = '0x9', scheme = 'vyper'}}, {{kind = 'allowance', base = '0xa', scheme \
         = 'vyper'}}]"
    );
    let mut book = LayoutBook::new(Registry::parse(&text).expect("a registry"));
    let (mut trace, _, [of_a, _, allowed]) = token(PreimageOrder::BaseThenKey);
    forget(&mut trace);
    let findings = classify_block(&mut trace, &BlockLogs::default(), &mut book);
    let known = Method::Search(Basis::Registry);
    assert_eq!(of(&findings, of_a), (SlotKind::Erc20Balance, known));
    assert_eq!(of(&findings, allowed), (SlotKind::Allowance, known));
}

#[test]
fn soladys_balances_are_found_but_have_no_object_key() {
    let hash = |message: &[u8]| U256::from_be_bytes(keccak256(message).0);
    // Memory as `ERC20.sol` lays it out: owner at 0x00, seed at 0x0c, spender at 0x20.
    let owner = "a1".repeat(20);
    let message = format!("{owner}000000000000000087a211a2");
    assert_eq!(alloy_primitives::hex::encode(solady_balance(A)), message);
    let allowed = format!("{owner}00000000000000007f5e9f20{}", "c3".repeat(20));
    assert_eq!(
        alloy_primitives::hex::encode(solady_allowance(A, SPENDER)),
        allowed
    );

    let slots = [hash(&solady_balance(A)), hash(&solady_balance(B))];
    let allowance = hash(&solady_allowance(A, SPENDER));
    let mut trace = block(vec![
        SlotAccess::write(TOKEN, slots[0], n(100), n(70)),
        SlotAccess::write(TOKEN, slots[1], n(0), n(30)),
        SlotAccess::write(TOKEN, allowance, n(50), n(20)),
    ]);
    let findings = classified(&mut trace, &logs([transfer(30)]));
    let by_log = Method::Search(Basis::Log);
    for slot in slots {
        assert_eq!(of(&findings, slot), (SlotKind::Erc20Balance, by_log));
        assert!(!findings.slots[&(TOKEN, slot)].movable);
    }
    assert_eq!(of(&findings, allowance), (SlotKind::Allowance, by_log));
    let load = BlockLoad::collapse(&trace).expect("one transaction");
    assert!(load.slots.iter().all(|slot| slot.object.is_none()));
}

#[test]
fn an_nfts_owner_is_not_taken_for_a_balance() {
    let order = PreimageOrder::KeyThenBase;
    let id = B256::with_last_byte(77);
    let owner = entry(order, 2, &[id]);
    let count = entry(order, 3, &[B.into_word()]);
    let word = |address: Address| U256::from_be_bytes(address.into_word().0);
    let given = SlotAccess {
        preimages: owner.1.clone(),
        ..SlotAccess::write(TOKEN, owner.0, word(A), word(B))
    };
    let slots = [owner.0, count.0];
    let mut trace = block(vec![given, write(count, 4, 5)]);
    let topics = [A.into_word(), B.into_word(), id];
    let moved = logs([log("Transfer(address,address,uint256)", &topics, &[])]);
    let findings = classified(&mut trace, &moved);
    let by_log = Method::Preimage(Basis::Log);
    assert_eq!(of(&findings, slots[0]), (SlotKind::Erc721Owner, by_log));
    assert_eq!(of(&findings, slots[1]), (SlotKind::Erc721Count, by_log));
    let load = BlockLoad::collapse(&trace).expect("one transaction");
    let objects: Vec<_> = load.slots.iter().filter_map(|slot| slot.object).collect();
    assert_eq!(objects, [ObjectKey::Erc721Owner { id: 77 }]);
}

#[test]
fn balances_of_ids_are_the_same_objects_in_either_nesting() {
    let order = PreimageOrder::KeyThenBase;
    let id = B256::with_last_byte(8);
    let signature = "TransferSingle(address,address,address,uint256,uint256)";
    let topics = [SPENDER.into_word(), A.into_word(), B.into_word()];
    let moved = logs([log(signature, &topics, &[8, 30])]);
    for keys in [[id, B.into_word()], [B.into_word(), id]] {
        let balance = entry(order, 1, &keys);
        let slot = balance.0;
        let mut trace = block(vec![write(balance, 1, 31)]);
        let findings = classified(&mut trace, &moved);
        let by_log = Method::Preimage(Basis::Log);
        assert_eq!(of(&findings, slot), (SlotKind::Erc1155Balance, by_log));
        let load = BlockLoad::collapse(&trace).expect("one transaction");
        let expected = ObjectKey::Erc1155Balance { owner: B, id: n(8) };
        assert_eq!(load.slots[0].object, Some(expected));
    }
}

#[test]
fn a_mapping_that_merely_changes_is_no_balance() {
    let order = PreimageOrder::KeyThenBase;
    // Nonces and flags of holders that no log names; a flag of one that a log names.
    let nonce = entry(order, 5, &[SPENDER.into_word()]);
    let flag = entry(order, 6, &[A.into_word()]);
    let slots = [nonce.0, flag.0];
    let read = SlotAccess {
        preimages: flag.1,
        ..SlotAccess::read(TOKEN, flag.0, n(1))
    };
    let mut trace = block(vec![write(nonce, 1, 2), read]);
    let findings = classified(&mut trace, &logs([transfer(30)]));
    for slot in slots {
        assert_eq!(of(&findings, slot), (SlotKind::AddressEntry, Method::None));
    }
}

#[test]
fn opposite_changes_are_a_balance_only_without_logs_and_not_by_one() {
    let order = PreimageOrder::KeyThenBase;
    let pair = |change: u64| {
        let [of_a, of_b] = [A, B].map(|holder| entry(order, 4, &[holder.into_word()]));
        let slot = of_a.0;
        let trace = block(vec![write(of_a, 100, 100 - change), write(of_b, 0, change)]);
        (trace, slot)
    };
    let (mut moved, slot) = pair(30);
    let findings = classified(&mut moved, &BlockLogs::default());
    let by_shape = Method::Preimage(Basis::Shape);
    assert_eq!(of(&findings, slot), (SlotKind::Erc20Balance, by_shape));
    let (mut counted, slot) = pair(1);
    let findings = classified(&mut counted, &BlockLogs::default());
    assert_eq!(of(&findings, slot), (SlotKind::AddressEntry, Method::None));
}

fn classes(trace: &BlockTrace) -> Vec<ObjectClass> {
    let slots = trace.accesses.iter().flat_map(|it| &it.slots);
    slots.map(|it| it.class).collect()
}

/// The trace with this class for every slot.
fn all_of(trace: &BlockTrace, class: ObjectClass) -> BlockTrace {
    let mut trace = trace.clone();
    let slots = trace.accesses.iter_mut().flat_map(|it| &mut it.slots);
    slots.for_each(|it| it.class = class);
    trace
}

#[test]
fn no_class_that_came_from_logs_is_lost_without_them() {
    let none = BlockLogs::default();
    let (mut trace, logs, slots) = token(PreimageOrder::KeyThenBase);
    classified(&mut trace, &logs);
    let expected = classes(&trace);
    assert!(!expected.contains(&ObjectClass::Unclassified));
    let mut again = trace.clone();
    let findings = classified(&mut again, &none);
    assert_eq!(classes(&again), expected);
    let earlier = Method::Preimage(Basis::Earlier);
    assert_eq!(of(&findings, slots[0]), (SlotKind::Erc20Balance, earlier));
    assert_eq!(of(&findings, slots[2]), (SlotKind::Allowance, earlier));
    // What an earlier class says of a mapping holds for entries that have none.
    let later = entry(PreimageOrder::KeyThenBase, 9, &[SPENDER.into_word()]);
    let mut book = LayoutBook::default();
    learn_block(&trace, &none, &mut book);
    let findings = apply_book(&mut block(vec![write(later.clone(), 1, 2)]), &none, &book);
    assert_eq!(of(&findings, later.0), (SlotKind::Erc20Balance, earlier));
    // Without their keys slots keep what they have, also where that is no object.
    let slots = again.accesses.iter_mut().flat_map(|it| &mut it.slots);
    slots.for_each(|it| it.preimages.clear());
    for mut trace in [again.clone(), all_of(&again, ObjectClass::PlainSlot)] {
        let expected = classes(&trace);
        let findings = classified(&mut trace, &none);
        assert_eq!(classes(&trace), expected);
        let movable = findings.slots.values().filter(|it| it.movable);
        assert_eq!(movable.count(), 0, "no key, no object");
    }
    // Nor do they if they are told to forget.
    let mut forgotten = trace.clone();
    forget_classes(&mut forgotten);
    classified(&mut forgotten, &none);
    assert_ne!(classes(&forgotten), expected);
}

#[test]
fn no_earlier_class_weighs_more_than_logs_or_the_registry() {
    let (mut trace, logs, _) = token(PreimageOrder::KeyThenBase);
    let mut wrong = all_of(&trace, ObjectClass::Erc721Owner);
    classified(&mut trace, &logs);
    classified(&mut wrong, &logs);
    assert_eq!(classes(&wrong), classes(&trace));
    let mut book = LayoutBook::default();
    learn_block(&trace, &logs, &mut book);
    let registry = Registry::parse(&book.to_toml(1)).expect("what was learned");
    let mut wrong = all_of(&trace, ObjectClass::Erc721Owner);
    let mut book = LayoutBook::new(registry);
    classify_block(&mut wrong, &BlockLogs::default(), &mut book);
    assert_eq!(classes(&wrong), classes(&trace));
}

#[test]
fn two_mappings_with_one_earlier_class_are_never_both_taken() {
    let [one, other] = [4, 5].map(|base| entry(PreimageOrder::KeyThenBase, base, &[B.into_word()]));
    let trace = block(vec![write(one, 0, 30), write(other, 0, 30)]);
    let mut trace = all_of(&trace, ObjectClass::Erc20Balance);
    classified(&mut trace, &BlockLogs::default());
    let load = BlockLoad::collapse(&trace).expect("one transaction");
    let objects = load.slots.iter().filter(|it| it.object.is_some());
    assert_eq!(objects.count(), 1);
}

#[test]
fn random_slots_are_never_objects() {
    let mut random = ChaCha12Rng::seed_from_u64(7);
    let (_, logs, _) = token(PreimageOrder::KeyThenBase);
    let mut slots: Vec<_> = (0..20_000)
        .map(|_| {
            let [slot, before, after] =
                [(); 3].map(|()| U256::from_be_bytes(random.random::<[u8; 32]>()));
            SlotAccess::write(TOKEN, slot, before, after)
        })
        .collect();
    slots.extend((0..500).map(|slot| SlotAccess::write(TOKEN, n(slot), n(0), n(30))));
    let mut book = LayoutBook::new(Registry::builtin());
    let mut trace = block(slots);
    let findings = classify_block(&mut trace, &logs, &mut book);
    let objects = findings.slots.values().filter(|it| it.kind.is_of_user());
    assert_eq!(objects.count(), 0);
    assert_eq!(book.learned(), 0);
}

#[test]
fn one_slot_never_has_two_classes_and_two_runs_never_differ() {
    // Two mappings that both move as the log says: only one can be the balance.
    let order = PreimageOrder::KeyThenBase;
    let [one, other] = [4, 5].map(|base| entry(order, base, &[B.into_word()]));
    let later = SlotAccess::read(TOKEN, one.0, n(30));
    let slots = [one.0, other.0];
    let mut trace = block(vec![write(one, 0, 30), write(other, 0, 30)]);
    trace.tx_count = 2;
    trace.accesses.push(TxAccesses {
        slots: vec![later],
        ..TxAccesses::new(BlockAccessIndex::from_tx_index(1))
    });
    let (mut first, mut second) = (trace.clone(), trace);
    let findings = classified(&mut first, &logs([transfer(30)]));
    assert_eq!(findings, classified(&mut second, &logs([transfer(30)])));
    assert_eq!(first, second);
    let kinds = slots.map(|slot| of(&findings, slot).0);
    assert_eq!(kinds, [SlotKind::Erc20Balance, SlotKind::AddressEntry]);
    let classes = first.accesses.iter().flat_map(|it| &it.slots);
    let of_one: Vec<_> = classes
        .filter(|it| it.slot == slots[0])
        .map(|it| it.class)
        .collect();
    assert_eq!(of_one, [ObjectClass::Erc20Balance; 2]);
}

#[test]
fn an_array_in_a_mapping_is_known_by_its_length() {
    let length = entry(PreimageOrder::KeyThenBase, 8, &[B256::with_last_byte(3)]);
    let first = U256::from_be_bytes(keccak256(B256::from(length.0)).0);
    let declared = U256::from_be_bytes(keccak256(B256::from(n(2_000))).0);
    let mut trace = block(vec![
        write(length, 1, 2),
        SlotAccess::write(TOKEN, first + n(1), n(0), n(9)),
        SlotAccess::write(TOKEN, n(2_000), n(0), n(1)),
        SlotAccess::write(TOKEN, declared, n(0), n(9)),
    ]);
    let findings = classified(&mut trace, &BlockLogs::default());
    assert_eq!(of(&findings, first + n(1)).0, SlotKind::OtherEntry);
    assert_eq!(
        of(&findings, declared),
        (SlotKind::ArrayElement, Method::Number)
    );
}

#[test]
fn a_place_never_leads_elsewhere_than_its_preimages() {
    let (slot, preimages) = entry(
        PreimageOrder::KeyThenBase,
        4,
        &[A.into_word(), B.into_word()],
    );
    let place = Place::of(slot + n(2), &preimages).expect("an entry");
    assert_eq!(place.offsets, [0, 2]);
    assert_eq!((place.scheme, place.base), (Scheme::Solidity, n(4)));
    assert_eq!(Place::of(slot + n(16), &preimages), None, "beyond a struct");
    assert_eq!(Place::of(slot, &[]), None);
}
