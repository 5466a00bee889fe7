//! What the engine asks of its leaf store has a bound for each operation, and the bound is kept:
//! look-ups, blocks, wipes, proofs and undos, in the whole state and in part of it.

mod support;

use alloy_primitives::{Address, Bytes, U256, keccak256};
use support::{
    Model, apply, block,
    random::{self, Universe},
};
use thinstate_engine::{
    Options, PermanentTier, StateError, TrieWork, Witness,
    leaf_store::{IoCounters, MemoryStore},
};
use thinstate_formats::{
    Account, AccountChange, AccountUpdate, StateChanges, StateReader, proof::AccountProof,
};

const SEED: u64 = 8;
const BUCKET: u64 = 16;
const BLOCKS: u64 = 60;
/// Bytes of a slot in a batch, at most: key and value, and in the reverse diff table, key with its
/// length, presence, value with its length.
const SLOT_BYTES_MAX: u64 = 64 + 32 + (1 + 1 + 64 + 1 + 4 + 32);
/// The same of an account, whose leaf has flags, balance length, nonce, balance and two hashes.
const ACCOUNT_BYTES_MAX: u64 = 32 + 106 + (1 + 1 + 32 + 1 + 4 + 106);
/// Format and head with their keys, frame and key of the reverse diff, key of the one that goes.
const BLOCK_BYTES: u64 = (6 + 12) + (4 + 109) + (8 + 1 + 109 + 4 + 4) + 8;
const UNIVERSE: Universe = Universe {
    accounts: 2_500,
    hubs: 4,
    slots: 3_000,
};

type Tier = PermanentTier<MemoryStore>;

fn open() -> Tier {
    let options = Options {
        bucket_entries_max: BUCKET as usize,
        threads: Some(2),
        ..Options::default()
    };
    PermanentTier::open(MemoryStore::new(), options).expect("open")
}

fn changes(number: u64) -> StateChanges {
    let rng = &mut random::rng(SEED, number);
    match number {
        0 => random::first_block(UNIVERSE),
        1 => hub_slots(|slot| slot),
        2..4 => random::block(rng, UNIVERSE, 3_000),
        _ => random::block(rng, UNIVERSE, 1 << (number % 10)),
    }
}

/// A block that gives the hubs all of their slots, with these values.
fn hub_slots(value: impl Fn(u64) -> u64) -> StateChanges {
    let slots = (1..UNIVERSE.slots).map(|slot| (U256::from(slot), U256::from(value(slot))));
    let change = AccountChange {
        storage: slots.collect(),
        ..AccountChange::default()
    };
    let hub = |index| (random::address(index), change.clone());
    StateChanges {
        accounts: (0..UNIVERSE.hubs).map(hub).collect(),
        ..StateChanges::default()
    }
}

/// A block that leaves one account in `of`, and of the hubs' slots one in `of`.
fn shrinking(model: &Model, of: u64) -> StateChanges {
    let mut block = hub_slots(|slot| if slot.is_multiple_of(of) { slot } else { 0 });
    let gone = (UNIVERSE.hubs..UNIVERSE.accounts).filter(|index| !index.is_multiple_of(of));
    for address in gone.map(random::address) {
        if model.accounts.contains_key(&address) {
            let change = AccountChange {
                account: AccountUpdate::Delete,
                ..AccountChange::default()
            };
            block.accounts.insert(address, change);
        }
    }
    block
}

/// A state of some thousand accounts, four of them with many slots.
fn grown() -> (Tier, Model) {
    let (tier, mut model) = (open(), Model::default());
    (0..4).for_each(|number| apply(&tier, &mut model, number, &changes(number)));
    let (accounts, storage) = tier.interior_size();
    assert!(accounts.buckets > 100 && storage.buckets > 100);
    (tier, model)
}

fn reads<T>(tier: &Tier, work: impl FnOnce() -> T) -> (IoCounters, T) {
    let before = tier.counters();
    let done = work();
    (tier.counters().since(&before), done)
}

#[track_caller]
fn assert_reads(reads: &IoCounters, gets: u64, scans: u64) {
    assert_eq!((reads.gets, reads.scans), (gets, scans), "gets and scans");
}

fn absent(model: &Model) -> Address {
    let mut addresses = (0..UNIVERSE.accounts).map(random::address);
    addresses
        .find(|address| !model.accounts.contains_key(address))
        .expect("some account was deleted or never made")
}

#[test]
fn a_look_up_never_costs_more_than_a_get() {
    let (tier, model) = grown();
    let view = tier.view();
    for (address, (account, storage)) in &model.accounts {
        let (cost, found) = reads(&tier, || view.account(*address));
        assert_eq!(found.expect("read"), Some(*account));
        assert_reads(&cost, 1, 0);
        let slots = storage.keys().take(3).copied();
        for slot in slots.chain([U256::MAX]) {
            let (cost, found) = reads(&tier, || view.slot(*address, slot));
            let expected = storage.get(&slot).copied().unwrap_or_default();
            assert_eq!(found.expect("read"), expected);
            assert_reads(&cost, 1, 0);
        }
    }
    let nobody = absent(&model);
    let (cost, found) = reads(&tier, || view.account(nobody));
    assert_eq!(found.expect("read"), None);
    assert_reads(&cost, 1, 0);
    let (cost, _) = reads(&tier, || view.slot(nobody, U256::ZERO));
    assert_reads(&cost, 1, 0);
    for hash in [keccak256(b"no code")].iter().chain(changes(3).code.keys()) {
        let (cost, _) = reads(&tier, || view.code(*hash));
        assert_reads(&cost, 1, 0);
    }
}

fn nodes(proofs: &[AccountProof]) -> Vec<Bytes> {
    let of_slots = |proof: &AccountProof| proof.storage_proof.clone();
    let mut nodes: Vec<Bytes> = proofs
        .iter()
        .flat_map(|p| p.account_proof.clone())
        .collect();
    nodes.extend(proofs.iter().flat_map(of_slots).flat_map(|slot| slot.proof));
    nodes.sort();
    nodes.dedup();
    nodes
}

#[test]
fn a_look_up_in_part_of_the_state_never_costs_more_than_three_reads_more() {
    let (whole, model) = grown();
    let (hub, nobody) = (random::address(0), absent(&model));
    let storage = &model.accounts[&hub].1;
    let (slot, value) = storage.first_key_value().expect("hubs have slots");
    let no_slot = U256::MAX;
    let proofs = [(hub, vec![*slot, no_slot]), (nobody, Vec::new())]
        .map(|(address, slots)| whole.view().prove(address, &slots).expect("proof"));
    let tier = open();
    tier.adopt_root(block(4), whole.head().root).expect("empty");
    let witness = Witness {
        nodes: nodes(&proofs),
        ..Witness::default()
    };
    let report = tier.insert_witness(&witness).expect("witness");
    assert!(report.stubs_left > 60, "{report:?}");
    let view = tier.view();

    let (cost, found) = reads(&tier, || view.account(hub));
    assert_eq!(found.expect("read"), Some(model.accounts[&hub].0));
    assert_reads(&cost, 1, 0);
    let (cost, found) = reads(&tier, || view.slot(hub, *slot));
    assert_eq!(found.expect("read"), *value);
    assert_reads(&cost, 1, 0);
    let (cost, found) = reads(&tier, || view.account(nobody));
    assert_eq!(found.expect("read"), None);
    assert_reads(&cost, 1, 1);
    let (cost, found) = reads(&tier, || view.slot(hub, no_slot));
    assert_eq!(found.expect("read"), U256::ZERO);
    assert_reads(&cost, 2, 1);
    let (cost, found) = reads(&tier, || view.slot(nobody, no_slot));
    assert_eq!(found.expect("read"), U256::ZERO);
    assert_reads(&cost, 2, 1);

    let (mut missing_accounts, mut missing_slots) = (0, 0);
    for address in model.accounts.keys() {
        let (cost, found) = reads(&tier, || view.account(*address));
        missing_accounts += usize::from(matches!(found, Err(StateError::Missing(_))));
        assert!(cost.gets == 1 && cost.scans <= 1, "{cost:?}");
    }
    for slot in storage.keys() {
        let (cost, found) = reads(&tier, || view.slot(hub, *slot));
        missing_slots += usize::from(matches!(found, Err(StateError::Missing(_))));
        assert!(cost.gets <= 2 && cost.scans <= 1, "{cost:?}");
    }
    assert!(missing_accounts * 2 > model.accounts.len());
    assert!(missing_slots * 2 > storage.len());
}

fn drops_storage(change: &AccountChange) -> bool {
    change.wipe_storage || change.account == AccountUpdate::Delete
}

/// Accounts whose storage a block drops, and the slots that go.
fn wiped(model: &Model, changes: &StateChanges) -> (u64, u64) {
    let wiped = changes.accounts.iter().filter(|(_, c)| drops_storage(c));
    let (mut accounts, mut slots) = (0, 0);
    for (address, _) in wiped {
        accounts += 1;
        slots += model.accounts.get(address).map_or(0, |a| a.1.len() as u64);
    }
    (accounts, slots)
}

#[test]
fn a_block_never_reads_more_than_its_buckets() {
    let (tier, mut model) = grown();
    let (mut total, mut keys_total) = (TrieWork::default(), 0);
    for number in 4..BLOCKS {
        let changes = match number % 20 {
            9 => shrinking(&model, 3),
            19 => shrinking(&model, 40),
            _ => changes(number),
        };
        let keys = (changes.accounts.len() + changes.slots_written()) as u64;
        let (wiped_accounts, wiped_slots) = wiped(&model, &changes);
        let (accounts, storage) = tier.interior_size();
        let (cost, prepared) = reads(&tier, || tier.prepare(&changes).expect("prepare"));
        let work = prepared.work();

        assert_eq!(cost.gets, changes.code.len() as u64, "one for each code");
        assert!(
            cost.scans <= work.buckets + wiped_accounts,
            "{cost:?} {work:?}"
        );
        let scanned_max = work.buckets * BUCKET + wiped_slots;
        assert!(cost.entries_scanned <= scanned_max, "{cost:?} {work:?}");
        // Buckets that exist, and one for each trie that is but one bucket.
        let touched = work.buckets - work.buckets_merged;
        assert!(touched <= keys, "{touched} buckets for {keys} keys");
        let there = accounts.buckets + storage.buckets + changes.accounts.len() as u64 + 1;
        let scans_max = there + work.buckets_merged + wiped_accounts;
        assert!(cost.scans <= scans_max, "{cost:?} in {there} buckets");

        let commit = || tier.commit(block(number), prepared).expect("commit");
        let (cost, report) = reads(&tier, commit);
        assert_reads(&cost, 0, 0);
        let code: usize = changes.code.values().map(|code| code.len()).sum();
        let code_max = code as u64 + changes.code.len() as u64 * (32 + 1 + 1 + 32 + 1);
        let bytes_max = report.slots_written * SLOT_BYTES_MAX
            + report.accounts_written * ACCOUNT_BYTES_MAX
            + BLOCK_BYTES
            + code_max;
        assert!(
            report.batch_bytes <= bytes_max,
            "{report:?}, at most {bytes_max}"
        );
        assert_eq!(cost.logical_written_bytes, report.batch_bytes);
        assert!(report.slots_written <= changes.slots_written() as u64 + wiped_slots);
        model.apply(&changes);
        total.add(&work);
        keys_total += keys;
    }
    println!("{keys_total} keys: {total:?}");
    assert!(
        total.buckets_merged > 100,
        "few branches collapsed: {total:?}"
    );
}

#[test]
fn a_wipe_never_costs_more_than_a_scan() {
    let (tier, model) = grown();
    let slots_of = |hub: &Address| model.accounts[hub].1.len() as u64;
    let hubs = (0..UNIVERSE.hubs).map(random::address);
    let hub = hubs.max_by_key(slots_of).expect("there are hubs");
    let slots = slots_of(&hub);
    assert!(slots > 20 * BUCKET);
    let account = AccountUpdate::Set(Account::default());
    // Bucket of the account and one scan of its slots; slots given anew are built from nothing.
    for (account, storage) in [
        (AccountUpdate::Delete, 0),
        (account, 0),
        (account, 1),
        (AccountUpdate::Keep, 40),
    ] {
        let slots_given = (0..storage).map(|slot| (U256::from(slot), U256::from(1)));
        let change = AccountChange {
            account,
            wipe_storage: true,
            storage: slots_given.collect(),
        };
        let changes = StateChanges {
            accounts: [(hub, change)].into_iter().collect(),
            ..StateChanges::default()
        };
        let (cost, prepared) = reads(&tier, || tier.prepare(&changes).expect("prepare"));
        let merged = prepared.work().buckets_merged;
        assert_reads(&cost, 0, 2 + merged);
        assert!(cost.entries_scanned <= slots + (1 + merged) * BUCKET);
    }
}

#[test]
fn a_proof_never_costs_more_than_a_scan() {
    let (tier, model) = grown();
    let view = tier.view();
    for (address, (_, storage)) in model
        .accounts
        .iter()
        .chain([(&absent(&model), &Default::default())])
    {
        let slots: Vec<U256> = storage.keys().take(4).copied().chain([U256::MAX]).collect();
        let (cost, proof) = reads(&tier, || view.prove(*address, &slots).expect("proof"));
        assert_eq!(proof.verify(view.head().root), Ok(()));
        let proofs = 1 + slots.len() as u64;
        assert_eq!(cost.gets, proofs);
        assert!(cost.scans <= proofs, "{cost:?}");
        assert!(cost.entries_scanned <= cost.scans * BUCKET, "{cost:?}");
    }
}

#[test]
fn an_undo_never_costs_more_than_its_diff() {
    let (tier, _) = grown();
    let mut forward = Vec::new();
    for number in 4..BLOCKS {
        let changes = changes(number);
        let apply = || tier.apply(block(number), &changes).expect("apply");
        let (cost, report) = reads(&tier, apply);
        forward.push((cost.scans, report.accounts_written + report.slots_written));
    }
    let (mut scans, mut scans_forward) = (0, 0);
    for (of_block, entries) in forward.into_iter().rev() {
        let (cost, _) = reads(&tier, || tier.undo().expect("undo"));
        assert_eq!(cost.gets, 1, "the reverse diff");
        // A bucket for each entry of the diff at most, and few branches that collapse.
        assert!(
            cost.scans <= entries + entries / 8 + 4,
            "{cost:?} for {entries}"
        );
        scans += cost.scans;
        scans_forward += of_block;
    }
    println!("{scans_forward} scans of blocks, {scans} of their undos");
    // What a block wiped in one scan comes back bucket by bucket.
    assert!(scans <= 2 * scans_forward);
}
