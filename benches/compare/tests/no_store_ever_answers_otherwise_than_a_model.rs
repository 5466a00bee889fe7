//! Generated blocks on every store, beside a model in memory.

use alloy_primitives::{Address, B256, U256};
use std::{collections::BTreeMap, path::Path, sync::Arc};
use thinstate_compare::stores;
use thinstate_engine::leaf_store::StoreKind;
use thinstate_formats::{Account, BlockNumber, object::ObjectClass};
use thinstate_replay::{
    design::{self, DesignError, DesignStore, FillContext, Overlay, StateDesign},
    load::{AccountLoad, BlockLoad, SlotLoad},
    population::Population,
    replay::{RunConfig, Workload},
};

const ACCOUNTS: u64 = 2_000;
const BLOCKS: u64 = 50;
/// Entries that a store is told it will hold.
const ENTRIES: u64 = 20_000;

/// What the state must be.
#[derive(Clone, Debug, Default)]
struct Model {
    accounts: BTreeMap<Address, Account>,
    slots: BTreeMap<(Address, U256), U256>,
}

impl Model {
    fn filled(population: &Population) -> Self {
        let mut model = Self::default();
        for index in 0..population.accounts() {
            let account = population.account(index).expect("it is there");
            model.accounts.insert(population.address(index), account);
        }
        for index in 0..population.slots() {
            let id = population.slot_at(index).expect("it is there");
            let slot = population.slot(id);
            model.slots.insert((slot.address, slot.slot), slot.value);
        }
        model
    }

    fn apply(&mut self, load: &BlockLoad) {
        for account in load.accounts_written() {
            match account.after {
                Some(after) => self.accounts.insert(account.address, after),
                None => self.accounts.remove(&account.address),
            };
        }
        for slot in load.slots_written() {
            match slot.after.is_zero() {
                false => self.slots.insert(slot.key(), slot.after),
                true => self.slots.remove(&slot.key()),
            };
        }
    }

    /// A block that reads all of the model, and some keys that are nowhere.
    fn read_all(&self, number: BlockNumber) -> BlockLoad {
        let mut load = self.read_of(number, self.accounts.keys(), self.slots.keys());
        for n in 0..100u64 {
            let address = Address::from_word(B256::from(U256::from(n)));
            load.accounts.push(unchanged(address, None));
            load.slots.push(same(address, U256::from(n), U256::ZERO));
        }
        load.sort();
        load.check().expect("in order");
        load
    }

    /// A block that reads these keys.
    fn read_of<'a>(
        &self,
        number: BlockNumber,
        accounts: impl Iterator<Item = &'a Address>,
        slots: impl Iterator<Item = &'a (Address, U256)>,
    ) -> BlockLoad {
        let slot = |key: &(Address, U256)| self.slots.get(key).copied().unwrap_or_default();
        BlockLoad {
            number,
            blocks: 1,
            accounts: accounts
                .map(|address| unchanged(*address, self.accounts.get(address).copied()))
                .collect(),
            slots: slots.map(|key| same(key.0, key.1, slot(key))).collect(),
            ..BlockLoad::default()
        }
    }
}

const fn unchanged(address: Address, account: Option<Account>) -> AccountLoad {
    AccountLoad {
        address,
        before: account,
        after: account,
        storage_wiped: false,
    }
}

const fn same(address: Address, slot: U256, value: U256) -> SlotLoad {
    SlotLoad {
        address,
        slot,
        before: value,
        after: value,
        class: ObjectClass::PlainSlot,
        object: None,
    }
}

fn workload() -> Workload {
    let config = RunConfig {
        accounts: Some(ACCOUNTS),
        seed: 7,
        ..RunConfig::default()
    };
    Workload::open(&config).expect("a profile that is built in")
}

fn store_in(dir: &Path) -> DesignStore {
    DesignStore {
        dir: dir.to_owned(),
        kind: StoreKind::default(),
        cache_bytes: 16 << 20,
        threads: Some(2),
        direct_io: false,
    }
}

fn filled(design: &dyn StateDesign, workload: &Workload) {
    let context = FillContext {
        block: workload.filled_at(),
        progress: &|_, _, _| {},
    };
    let population = workload.population().expect("it is generated");
    design.fill(population, &context).expect("filled");
    assert_eq!(design.head(), Some(workload.filled_at()));
}

/// Reads a block, and gives what is wrong.
fn read(design: &dyn StateDesign, load: BlockLoad) -> Result<(), DesignError> {
    let plan = design.plan(Arc::new(load))?;
    design.read(&plan, &Overlay::default()).map(drop)
}

/// State roots of the same blocks in thinstate's own trie.
fn roots_of_mpt(workload: &Workload) -> BTreeMap<BlockNumber, B256> {
    let dir = tempfile::tempdir().expect("a folder");
    let spec = design::builtin("mpt").expect("it is built in");
    let mpt = design::open(&spec, &store_in(dir.path())).expect("opened");
    filled(&*mpt, workload);
    let mut source = workload.source().expect("a source");
    let mut roots = BTreeMap::new();
    for _ in 0..BLOCKS {
        let load = source.next().expect("a block").expect("no end");
        let number = load.number;
        let plan = mpt.plan(Arc::new(load)).expect("planned");
        let applied = mpt.apply(plan).expect("applied");
        roots.insert(number, applied.state_root.expect("it is a trie"));
    }
    roots
}

fn conforms(name: &str) {
    let entry = stores::named(name).expect("it is in this build");
    let dir = tempfile::tempdir().expect("a folder");
    let open = || entry.open(&store_in(dir.path()), ENTRIES).expect("opened");
    let workload = workload();
    let mut design = open();
    assert_eq!(design.head(), None);
    filled(&*design, &workload);
    let mut model = Model::filled(workload.population().expect("it is generated"));
    read(&*design, model.read_all(workload.base())).expect("as it was filled");
    let roots = entry.facts.is_ethereum.then(|| roots_of_mpt(&workload));
    let mut source = workload.source().expect("a source");
    let mut commitments = Vec::new();
    for done in 1..=BLOCKS {
        let load = source.next().expect("a block").expect("no end");
        let number = load.number;
        let plan = design.plan(Arc::new(load.clone())).expect("planned");
        if done % 2 == 0 {
            let cost = design.read(&plan, &Overlay::default());
            let cost = cost.unwrap_or_else(|error| panic!("{name}: {error}"));
            let reads = cost.accounts.reads_hit + cost.accounts.reads_absent;
            assert_eq!(reads, load.accounts.len() as u64);
        }
        let applied = design.apply(plan).expect("applied");
        if let Some(roots) = &roots {
            assert_eq!(applied.state_root, roots.get(&number).copied(), "{number}");
        }
        commitments.push(applied.commitment);
        model.apply(&load);
        let accounts = load
            .accounts
            .iter()
            .map(|it| it.address)
            .collect::<Vec<_>>();
        let slots = load.slots.iter().map(SlotLoad::key).collect::<Vec<_>>();
        let touched = model.read_of(number, accounts.iter(), slots.iter());
        read(&*design, touched).unwrap_or_else(|error| panic!("{name}, after {number}: {error}"));
        if done == BLOCKS / 2 {
            design.settle().expect("settled");
        }
        if done % 20 == 0 {
            drop(design);
            design = open();
            assert_eq!(design.head(), Some(number), "{name}, opened again");
            read(&*design, model.read_all(number)).expect("as it was closed");
        }
    }
    let head = design.head().expect("it is filled");
    read(&*design, model.read_all(head)).expect("all of it, at the end");
    let size = design.size().expect("its size");
    assert_eq!(size.accounts, model.accounts.len() as u64);
    assert_eq!(size.slots, model.slots.len() as u64);
    if entry.facts.root == "none" {
        assert!(commitments.iter().all(B256::is_zero), "{name} has no root");
    } else {
        commitments.sort_unstable();
        commitments.dedup();
        assert_eq!(commitments.len() as u64, BLOCKS, "each block has its root");
    }
    refuses(&*design, &model, head);
}

/// What must be an error is one, and changes nothing.
fn refuses(design: &dyn StateDesign, model: &Model, head: BlockNumber) {
    let next = head.next().expect("no last block");
    let (key, value) = model.slots.iter().next().expect("there are slots");
    let mut wrong = model.read_of(next, [].iter(), [*key].iter());
    wrong.slots[0].before = value.wrapping_add(U256::ONE);
    let error = read(design, wrong).expect_err("another value");
    assert!(matches!(error, DesignError::Slot(_)), "{error}");
    let contract = model
        .accounts
        .iter()
        .find(|(_, account)| account.code_hash != Account::default().code_hash)
        .expect("there are contracts");
    let mut wiped = unchanged(*contract.0, Some(*contract.1));
    wiped.after = None;
    let mut load = model.read_of(next, [].iter(), [].iter());
    load.accounts.push(wiped);
    let error = design.plan(Arc::new(load)).expect_err("storage goes");
    assert!(matches!(error, DesignError::Unsupported { .. }), "{error}");
    let skipped = model.read_of(next.next().expect("one more"), [].iter(), [].iter());
    let plan = design.plan(Arc::new(skipped)).expect("planned");
    let error = design.apply(plan).expect_err("a block is left out");
    assert!(matches!(error, DesignError::NotNext { .. }), "{error}");
    let error = design.undo().expect_err("there is no undo");
    assert!(matches!(error, DesignError::Unsupported { .. }), "{error}");
    assert_eq!(design.head(), Some(head));
}

#[test]
fn rocksdb() {
    conforms("rocksdb");
}

#[test]
fn redb() {
    conforms("redb");
}

#[test]
fn nomt() {
    conforms("nomt");
}

#[cfg(feature = "firewood")]
#[test]
fn firewood() {
    conforms("firewood");
}

#[test]
fn commonware() {
    conforms("commonware");
}
