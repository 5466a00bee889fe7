//! What amplification must not change: the root of merged blocks, and whose keys a clone copies.

#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

use super::{
    Amplify, Census, Cloner, Gaps, LoadSource, Merged, Method, Origins, TraceSource,
    address_of_copy, census::Counting, preload_of,
};
use crate::{
    design::Preload,
    load::{AccountLoad, BlockLoad, LoadFault, SlotLoad},
    trace::{TraceReader, TraceWriter},
};
use alloy_primitives::{Address, B256, KECCAK256_EMPTY, U256};
use proptest::prelude::*;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use thinstate_engine::{BlockId, Options, PermanentTier, leaf_store::MemoryStore};
use thinstate_formats::{
    Account, AccountUpdate, BlockNumber, StateChanges, StateReader as _,
    object::{ObjectClass, ObjectKey},
    trace::{
        AccountAccess, BlockAccessIndex, BlockTrace, PreimageOrder, SlotAccess, SlotPreimage,
        TraceHeader, TxAccesses,
    },
};

type Tier = PermanentTier<MemoryStore>;

/// What a transaction does, by small numbers.
#[derive(Clone, Debug)]
enum Step {
    /// An account gets a nonce; a contract, if it has code.
    Account(u8, u8),
    /// A slot of a contract gets a value.
    Slot(u8, u8, u8),
    /// A contract goes, with its storage.
    Destroy(u8),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..16u8, 0..4u8).prop_map(|(who, nonce)| Step::Account(who, nonce)),
        8 => (0..8u8, 0..24u8, 0..3u8).prop_map(|(who, key, value)| Step::Slot(who, key, value)),
        1 => (0..8u8).prop_map(Step::Destroy),
    ]
}

/// Blocks of transactions.
fn chain() -> impl Strategy<Value = Vec<Vec<Step>>> {
    prop::collection::vec(prop::collection::vec(step(), 0..12), 1..9)
}

/// Accounts below 8 are contracts; the first four are there at the start, those from 8 to 11 too.
fn address(who: u8) -> Address {
    Address::repeat_byte(0x10 + who)
}

fn account(who: u8, nonce: u8) -> Account {
    Account {
        nonce: 1 + u64::from(nonce),
        balance: U256::from(5),
        code_hash: match who < 8 {
            true => B256::repeat_byte(who + 1),
            false => KECCAK256_EMPTY,
        },
    }
}

/// A slot of a contract: a third of them are balances, of an owner each; a third allowances of a contract; the
/// others plain.
fn slot_access(who: u8, key: u8) -> (U256, ObjectClass, Vec<SlotPreimage>) {
    let entry = |key: Address, base| SlotPreimage {
        order: PreimageOrder::KeyThenBase,
        key: key.into_word(),
        base,
    };
    let owner = address(8 + key % 8);
    match key / 8 {
        0 => {
            let balance = entry(owner, U256::from(3));
            (balance.hash(), ObjectClass::Erc20Balance, vec![balance])
        }
        1 => {
            let outer = entry(owner, U256::from(4));
            let inner = entry(address(who), outer.hash());
            (inner.hash(), ObjectClass::Allowance, vec![outer, inner])
        }
        _ => (U256::from(key), ObjectClass::PlainSlot, Vec::new()),
    }
}

/// A model of the state that makes traces of steps.
#[derive(Clone, Debug, Default)]
struct Model {
    accounts: BTreeMap<u8, Account>,
    slots: BTreeMap<(u8, u8), U256>,
}

impl Model {
    fn at_start() -> Self {
        let mut model = Self::default();
        for who in (0..4).chain(8..12) {
            model.accounts.insert(who, account(who, 0));
        }
        for key in 0..24 {
            model.slots.insert((1, key), U256::from(7));
        }
        model
    }

    fn genesis(&self) -> StateChanges {
        let mut changes = StateChanges::default();
        for (who, account) in &self.accounts {
            let change = changes.accounts.entry(address(*who)).or_default();
            change.account = AccountUpdate::Set(*account);
        }
        for ((who, key), value) in &self.slots {
            let change = changes.accounts.entry(address(*who)).or_default();
            change.storage.insert(slot_access(*who, *key).0, *value);
        }
        changes
    }

    fn block(&mut self, number: u64, steps: &[Step]) -> BlockTrace {
        let mut trace = BlockTrace {
            number: BlockNumber(number),
            timestamp: number,
            gas_used: 100,
            gas_limit: 200,
            tx_count: steps.len() as u32,
            hash: B256::ZERO,
            parent_hash: B256::ZERO,
            state_root: None,
            accesses: Vec::new(),
        };
        for (at, step) in steps.iter().enumerate() {
            let mut group = TxAccesses::new(BlockAccessIndex::new(at as u64 + 1));
            self.carry_out(step, &mut group);
            trace.accesses.push(group);
        }
        trace.sort();
        trace
    }

    fn carry_out(&mut self, step: &Step, group: &mut TxAccesses) {
        match *step {
            Step::Account(who, nonce) => {
                let before = self.accounts.insert(who, account(who, nonce));
                let after = Some(account(who, nonce));
                let access = AccountAccess::write(address(who), before, after, false);
                group.accounts.push(access);
            }
            Step::Slot(who, key, value) => {
                // What is not there is created by whoever writes into it.
                let before = self.accounts.get(&who).copied();
                let after = *self.accounts.entry(who).or_insert_with(|| account(who, 0));
                let access = AccountAccess::write(address(who), before, Some(after), false);
                group.accounts.push(access);
                let value = U256::from(value);
                let before = self.slots.insert((who, key), value).unwrap_or_default();
                let (slot, class, preimages) = slot_access(who, key);
                group.slots.push(SlotAccess {
                    class,
                    preimages,
                    ..SlotAccess::write(address(who), slot, before, value)
                });
            }
            Step::Destroy(who) => {
                let before = self.accounts.remove(&who);
                let wiped = before.is_some();
                let access = AccountAccess::write(address(who), before, None, wiped);
                group.accounts.push(access);
                self.slots.retain(|(of, _), _| *of != who);
            }
        }
    }
}

fn traces(chain: &[Vec<Step>]) -> (Model, Vec<BlockTrace>) {
    let mut model = Model::at_start();
    let start = model.clone();
    let blocks = chain.iter().zip(1..);
    let traces = blocks.map(|(steps, number)| model.block(number, steps));
    (start, traces.collect())
}

fn tier(genesis: &StateChanges) -> Tier {
    let options = Options {
        threads: Some(1),
        bucket_entries_max: 2,
        ..Options::default()
    };
    let tier = PermanentTier::open(MemoryStore::new(), options).unwrap();
    tier.apply(id(0), genesis).unwrap();
    tier
}

fn id(number: u64) -> BlockId {
    BlockId {
        number: BlockNumber(number),
        hash: B256::ZERO,
    }
}

fn apply(tier: &Tier, load: &BlockLoad) -> B256 {
    let number = tier.head().block.unwrap().number.0 + 1;
    let report = tier.apply(id(number), &load.changes(|_| true)).unwrap();
    report.root
}

fn merge(loads: &[BlockLoad]) -> BlockLoad {
    let mut merged = Merged::default();
    loads.iter().for_each(|load| merged.push(load).unwrap());
    merged.finish()
}

fn census(traces: &[BlockTrace]) -> (Census, Origins) {
    let mut counting = Counting::default();
    let mut origins = Origins::default();
    for trace in traces {
        counting.add(trace);
        origins.add(trace);
    }
    (counting.finish(), origins)
}

fn trace_file(dir: &std::path::Path, traces: &[BlockTrace]) -> Arc<TraceReader> {
    let header = TraceHeader::new(1);
    let mut writer = TraceWriter::create(dir.join("trace"), header).unwrap();
    traces.iter().for_each(|it| writer.push(it).unwrap());
    Arc::new(TraceReader::open(writer.finish().unwrap()).unwrap())
}

fn preload_changes(preload: &Preload) -> StateChanges {
    let mut changes = StateChanges::default();
    for (address, account) in &preload.accounts {
        let change = changes.accounts.entry(*address).or_default();
        change.account = AccountUpdate::Set(*account);
    }
    for ((address, slot), load) in &preload.slots {
        let change = changes.accounts.entry(*address).or_default();
        change.storage.insert(*slot, load.before);
    }
    changes
}

/// Every value that a load expects is the one in the state.
fn check_found(tier: &Tier, load: &BlockLoad) {
    let view = tier.view();
    for account in &load.accounts {
        let found = view.account(account.address).unwrap();
        assert_eq!(found, account.before, "{}", account.address);
    }
    for slot in &load.slots {
        let found = view.slot(slot.address, slot.slot).unwrap();
        assert_eq!(found, slot.before, "{:#x} of {}", slot.slot, slot.address);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_merged_slot_never_leads_to_another_root_than_its_blocks(chain in chain()) {
        let (start, traces) = traces(&chain);
        let loads: Vec<_> = traces.iter().map(|it| BlockLoad::collapse(it).unwrap()).collect();
        let one_by_one = tier(&start.genesis());
        let mut root = one_by_one.head().root;
        for load in &loads {
            root = apply(&one_by_one, load);
        }
        let merged = merge(&loads);
        merged.check().unwrap();
        prop_assert_eq!(merged.blocks as usize, loads.len());
        prop_assert_eq!(merged.gas_used, 100 * loads.len() as u64);
        let at_once = tier(&start.genesis());
        prop_assert_eq!(apply(&at_once, &merged), root);
    }

    #[test]
    fn no_copy_shares_a_user_or_has_a_hub_of_its_own(chain in chain(), copies in 2..6u32) {
        let (_, traces) = traces(&chain);
        let (census, origins) = census(&traces);
        let cloner = Cloner { census: &census, origins: &origins };
        for trace in &traces {
            let load = BlockLoad::collapse(trace).unwrap();
            let whole = cloner.copies(load.clone(), copies).unwrap();
            let users = |it: &&AccountLoad| cloner.account(it, 1).is_some();
            let owned = |it: &&SlotLoad| cloner.slot(it, 1).is_some();
            let (accounts, slots) = (load.accounts.iter(), load.slots.iter());
            let (user_accounts, user_slots) =
                (accounts.filter(users).count(), slots.filter(owned).count());
            let m = copies as usize;
            prop_assert_eq!(whole.accounts.len(), load.accounts.len() + (m - 1) * user_accounts);
            prop_assert_eq!(whole.slots.len(), load.slots.len() + (m - 1) * user_slots);
            let all: BTreeSet<_> = whole.slots.iter().map(SlotLoad::key).collect();
            prop_assert!(load.slots.iter().all(|it| all.contains(&it.key())), "copy 0 is the original");
            prop_assert_eq!(whole.gas_used, load.gas_used * u64::from(copies));
        }
    }

    #[test]
    fn no_block_of_an_amplified_trace_finds_another_state_than_it_expects(
        chain in chain(),
        (method, multiple) in prop_oneof![
            Just((Method::None, 1)), Just((Method::Merge, 2)), Just((Method::Clone, 3)), Just((Method::Mixed, 4)),
        ],
    ) {
        let (_, traces) = traces(&chain);
        let dir = tempfile::tempdir().unwrap();
        let reader = trace_file(dir.path(), &traces);
        let amplify = Amplify::new(method, multiple, None).unwrap();
        let mut source = TraceSource::new(reader, amplify, Gaps::Refuse).unwrap();
        let slots = source.remaining().unwrap();
        prop_assert_eq!(slots, traces.len() as u64 / u64::from(amplify.blocks));
        let preload = preload_of(&mut source.again(), slots).unwrap();
        let tier = tier(&preload_changes(&preload));
        while let Some(load) = source.next().unwrap() {
            check_found(&tier, &load);
            apply(&tier, &load);
        }
        prop_assert_eq!(source.remaining(), Some(0));
    }
}

#[test]
fn every_copy_of_a_balance_is_its_owners() {
    let [token, owner] = [address(0), address(8)];
    let (slot, class, preimages) = slot_access(0, 0);
    let mut group = TxAccesses::new(BlockAccessIndex::new(1));
    let found = |who| Some(account(who, 0));
    group.accounts = vec![
        AccountAccess::read(token, found(0)),
        AccountAccess::read(owner, found(8)),
    ];
    group.slots = vec![SlotAccess {
        class,
        preimages,
        ..SlotAccess::write(token, slot, U256::from(5), U256::from(6))
    }];
    let mut trace = Model::default().block(1, &[]);
    trace.tx_count = 1;
    trace.accesses.push(group);
    let (census, origins) = census(std::slice::from_ref(&trace));
    let cloner = Cloner {
        census: &census,
        origins: &origins,
    };
    let load = BlockLoad::collapse(&trace).unwrap();
    let copy = cloner.slot(&load.slots[0], 7).unwrap();
    let object = ObjectKey::Erc20Balance {
        owner: address_of_copy(owner, 7),
    };
    assert_eq!(copy.object, Some(object));
    assert_eq!(copy.address, token);
    assert_eq!(copy.slot, object.slot(U256::from(3)));
    assert!(cloner.account(&load.accounts[0], 7).is_none(), "a hub");
}

#[test]
fn blocks_that_do_not_follow_one_another_are_not_merged() {
    let mut model = Model::at_start();
    let first = model.block(1, &[Step::Slot(0, 1, 2)]);
    model.block(2, &[Step::Slot(0, 1, 1)]);
    let third = model.block(3, &[Step::Slot(0, 1, 2)]);
    let mut merged = Merged::default();
    merged.push(&BlockLoad::collapse(&first).unwrap()).unwrap();
    let error = merged.push(&BlockLoad::collapse(&third).unwrap());
    assert!(matches!(error, Err(LoadFault::SlotBetween { number, .. }) if number.0 == 3));
}
