//! What is cold leaves the store, what can still be undone does not; and what has left is found
//! again, or its absence is said.

mod support;

use alloy_primitives::{Address, U256};
use std::path::Path;
use support::{Model, random};
use thinstate_engine::{
    ExpiredReads, ExpiryError, ExpiryReport, ExpiryRule, OpenError, Options, PermanentTier,
    StateError, StubLocation, Witness, archive::expired::ExpiredError, leaf_store::MemoryStore,
};
use thinstate_formats::{
    Account, AccountChange, AccountUpdate, BlockNumber, StateChanges, StateReader,
};

type Tier = PermanentTier<MemoryStore>;

const UNDO: u64 = 4;

fn options(dir: &Path, expired_reads: ExpiredReads) -> Options {
    Options {
        undo_blocks: UNDO,
        threads: Some(1),
        archive: Some(dir.to_owned()),
        expired_reads,
        archive_segment_bytes: 16 << 10,
        ..Options::default()
    }
}

fn open(store: MemoryStore, dir: &Path, reads: ExpiredReads) -> Tier {
    PermanentTier::open(store, options(dir, reads)).expect("open")
}

fn rule(written_before: u64) -> ExpiryRule<'static> {
    ExpiryRule {
        entries_min: 2,
        ..ExpiryRule::written_before(BlockNumber(written_before))
    }
}

/// Sweeps until a whole pass cuts nothing.
fn sweep(tier: &Tier, rule: &ExpiryRule<'_>) -> ExpiryReport {
    let mut total = ExpiryReport::default();
    let mut quiet = false;
    loop {
        let report = tier.expire(rule, 1000).expect("expire");
        assert!(report.entries_scanned <= 1000);
        quiet &= report.stubs == 0;
        total.accounts += report.accounts;
        total.slots += report.slots;
        total.stubs += report.stubs;
        total.records += report.records;
        total.archive_bytes += report.archive_bytes;
        if report.pass_finished {
            if quiet {
                return total;
            }
            quiet = true;
        }
    }
}

fn contract(slots: u64) -> AccountChange {
    let fields = Account {
        nonce: slots,
        ..Account::default()
    };
    AccountChange {
        account: AccountUpdate::Set(fields),
        storage: (1..=slots)
            .map(|n| (U256::from(n), U256::from(n * n)))
            .collect(),
        ..AccountChange::default()
    }
}

/// 900 accounts, a third of them with storage, one of them with much.
fn first_block() -> StateChanges {
    let slots = |n: u64| match n {
        0 => 3000,
        n if n.is_multiple_of(3) => n % 40,
        _ => 0,
    };
    StateChanges {
        accounts: (0..900)
            .map(|n| (random::address(n), contract(slots(n))))
            .collect(),
        ..StateChanges::default()
    }
}

fn apply(tier: &Tier, model: &mut Model, number: u64, changes: &StateChanges) {
    support::apply(tier, model, number, changes);
}

/// The state after the first block and some empty ones.
fn cold(dir: &Path, reads: ExpiredReads) -> (Tier, Model) {
    let tier = open(MemoryStore::new(), dir, reads);
    let mut model = Model::default();
    apply(&tier, &mut model, 1, &first_block());
    for number in 2..=UNDO + 1 {
        apply(&tier, &mut model, number, &StateChanges::default());
    }
    (tier, model)
}

fn assert_shown(tier: &Tier, model: &Model) {
    let view = tier.view();
    for (address, (account, storage)) in &model.accounts {
        assert_eq!(view.account(*address).expect("read"), Some(*account));
        assert_eq!(
            view.last_written(*address).expect("read"),
            Some(BlockNumber(1))
        );
        for (slot, value) in storage.iter().step_by(7) {
            assert_eq!(view.slot(*address, *slot).expect("read"), *value);
            let written = view.last_written_slot(*address, *slot).expect("read");
            assert_eq!(written, Some(BlockNumber(1)));
        }
        assert_eq!(view.slot(*address, U256::MAX).expect("read"), U256::ZERO);
    }
    assert_eq!(
        view.account(Address::repeat_byte(0xee)).expect("read"),
        None
    );
}

#[test]
fn a_state_in_which_nothing_happens_never_ends_as_more_than_a_stub() {
    let dir = tempfile::tempdir().expect("a folder");
    let (tier, model) = cold(dir.path(), ExpiredReads::ArchiveBacked);
    let total = sweep(&tier, &rule(2));
    assert_eq!(total.accounts, model.accounts.len() as u64);
    assert_eq!(total.slots, model.slots() as u64);
    let head = tier.head();
    assert_eq!((head.accounts, head.slots, head.stubs), (0, 0, 1));
    assert_eq!(head.root, model.root());
    assert_eq!(tier.expired().leaves, total.accounts + total.slots);
    assert_shown(&tier, &model);
    tier.verify().expect("verifies");
    let tier = open(
        tier.into_store().reopen(),
        dir.path(),
        ExpiredReads::ArchiveBacked,
    );
    assert_shown(&tier, &model);
    let size = tier.archive().expect("given").size();
    assert_eq!(size.records, total.records);
    assert!(size.segments > 2, "{size:?}");
}

#[test]
fn nothing_that_can_be_undone_ever_expires() {
    let dir = tempfile::tempdir().expect("a folder");
    let tier = open(MemoryStore::new(), dir.path(), ExpiredReads::Strict);
    let mut model = Model::default();
    apply(&tier, &mut model, 1, &first_block());
    for number in 2..=UNDO {
        apply(&tier, &mut model, number, &StateChanges::default());
        let total = sweep(&tier, &rule(u64::MAX));
        assert_eq!(total.stubs, 0, "block {number}");
    }
    apply(&tier, &mut model, UNDO + 1, &StateChanges::default());
    assert!(sweep(&tier, &rule(u64::MAX)).stubs > 0);
    assert!(matches!(
        tier.expire(&rule(1), 10),
        Err(ExpiryError::BadRule { name: "cap", .. })
    ));
}

#[test]
fn what_was_deleted_among_what_expired_never_fails_to_come_back() {
    for reads in [ExpiredReads::Strict, ExpiredReads::ArchiveBacked] {
        let dir = tempfile::tempdir().expect("a folder");
        let (tier, mut model) = cold(dir.path(), reads);
        let before = model.clone();
        let mut changes = StateChanges::default();
        let slots = (1..=3000).step_by(100);
        let mut storage = AccountChange::default();
        storage
            .storage
            .extend(slots.map(|n| (U256::from(n), U256::ZERO)));
        changes.accounts.insert(random::address(0), storage);
        for n in (2..900).step_by(50) {
            let gone = AccountChange {
                account: AccountUpdate::Delete,
                wipe_storage: true,
                ..AccountChange::default()
            };
            changes.accounts.insert(random::address(n), gone);
        }
        apply(&tier, &mut model, UNDO + 2, &changes);
        let total = sweep(&tier, &rule(u64::MAX));
        assert!(total.slots > 2000 && total.accounts > 700, "{total:?}");
        let stubs = tier.head().stubs;
        tier.undo().expect("undo");
        assert_eq!(tier.head().root, before.root());
        assert_ne!(tier.head().stubs, stubs);
        assert!(tier.expired().garbage_records > 0);
        tier.verify().expect("verifies");
        let view = tier.view();
        for n in (1..=3000u64).step_by(100) {
            let slot = view
                .slot(random::address(0), U256::from(n))
                .expect("it is back");
            assert_eq!(slot, U256::from(n * n));
            let written = view.last_written_slot(random::address(0), U256::from(n));
            assert_eq!(written.expect("it is back"), Some(BlockNumber(1)));
        }
    }
}

/// Inserts what the archive serves until the read has an answer.
fn served<T>(tier: &Tier, read: impl Fn(&Tier) -> Result<T, StateError>) -> T {
    loop {
        match read(tier) {
            Ok(value) => return value,
            Err(StateError::Missing(missing)) => {
                let stub = StubLocation {
                    account: missing.trie.0,
                    path: missing.path,
                };
                let nodes = tier.archive().expect("given").witness(&stub, missing.hash);
                let witness = Witness {
                    nodes: nodes.expect("archived"),
                    starts: vec![stub],
                    ..Witness::default()
                };
                tier.insert_witness(&witness).expect("the right nodes");
            }
            Err(other) => panic!("{other}"),
        }
    }
}

#[test]
fn a_second_expiry_of_the_same_leaves_never_writes_them_again() {
    let dir = tempfile::tempdir().expect("a folder");
    let (tier, model) = cold(dir.path(), ExpiredReads::Strict);
    let first = sweep(&tier, &rule(2));
    let totals = tier.expired();
    assert_eq!((totals.records, totals.garbage_records), (first.records, 0));
    for n in (0..900).step_by(90) {
        let account = served(&tier, |tier| tier.view().account(random::address(n)));
        assert_eq!(account, Some(model.accounts[&random::address(n)].0));
        let slot = |tier: &Tier| tier.view().slot(random::address(n), U256::from(1));
        served(&tier, slot);
    }
    let restored = tier.expired();
    assert!(restored.garbage_records > 10);
    assert!(restored.garbage_bytes < restored.record_bytes);
    let second = sweep(&tier, &rule(2));
    assert!(second.accounts > 10);
    // Stubs that came back by themselves may be merged otherwise than before.
    assert!(
        second.archive_bytes < first.archive_bytes / 50,
        "{second:?}"
    );
    assert!(tier.expired().garbage_records < restored.garbage_records / 4);
    assert_eq!(tier.head().stubs, 1);
}

#[test]
fn a_deleted_archive_never_passes_for_an_empty_state() {
    let dir = tempfile::tempdir().expect("a folder");
    let (tier, model) = cold(dir.path(), ExpiredReads::ArchiveBacked);
    sweep(&tier, &rule(2));
    let archive = tier.archive().expect("given");
    let segments = archive.segments();
    let (last, others) = segments.split_last().expect("some");
    let refused = archive.delete_segment(*last);
    assert_eq!(refused, Err(ExpiredError::InUse { segment: *last }));
    for segment in others {
        archive.delete_segment(*segment).expect("delete");
    }
    let (mut answered, mut missing) = (0, 0);
    for address in model.accounts.keys() {
        match tier.view().account(*address) {
            Ok(account) => {
                assert_eq!(account, Some(model.accounts[address].0));
                answered += 1;
            }
            Err(StateError::Missing(node)) => {
                let stub = StubLocation {
                    account: node.trie.0,
                    path: node.path,
                };
                let served = tier.archive().expect("given").witness(&stub, node.hash);
                assert!(matches!(served, Err(ExpiredError::NotArchived { .. })));
                missing += 1;
            }
            Err(other) => panic!("{other}"),
        }
    }
    assert!(missing > 0, "{answered} answered");
    let store = tier.into_store().reopen();
    std::fs::remove_dir_all(dir.path()).expect("remove");
    let tier = open(store, dir.path(), ExpiredReads::ArchiveBacked);
    let nothing = tier.view().account(random::address(1));
    assert!(matches!(nothing, Err(StateError::Missing(_))));
    tier.verify().expect("verifies");
    tier.expire(&rule(2), 1000)
        .expect("the sweep goes on without it");
}

#[test]
fn a_damaged_archive_never_gives_an_answer() {
    let dir = tempfile::tempdir().expect("a folder");
    let (tier, model) = cold(dir.path(), ExpiredReads::ArchiveBacked);
    sweep(&tier, &rule(2));
    let store = tier.into_store();
    let files = |dir: &Path| {
        let mut files: Vec<_> = std::fs::read_dir(dir)
            .expect("list")
            .map(|entry| entry.expect("entry").path())
            .collect();
        files.sort();
        files
    };
    let whole: Vec<_> = files(dir.path())
        .into_iter()
        .map(|path| (path.clone(), std::fs::read(&path).expect("read")))
        .collect();
    let (mut refused, mut errors) = (0, 0);
    for step in 0..60 {
        let (path, bytes) = &whole[step % whole.len()];
        let mut altered = bytes.clone();
        let at = (step * 7919) % altered.len();
        altered[at] ^= 1 << (step % 8);
        std::fs::write(path, &altered).expect("write");
        match PermanentTier::open(
            store.reopen(),
            options(dir.path(), ExpiredReads::ArchiveBacked),
        ) {
            Err(OpenError::Archive(_)) => refused += 1,
            Err(other) => panic!("{other}"),
            Ok(tier) => {
                let view = tier.view();
                for (address, (account, _)) in model.accounts.iter().step_by(5) {
                    match view.account(*address) {
                        Ok(got) => assert_eq!(got, Some(*account)),
                        Err(StateError::Archive(_)) => errors += 1,
                        Err(other) => panic!("{other}"),
                    }
                }
            }
        }
        std::fs::write(path, bytes).expect("write");
    }
    assert!(
        refused > 3 && errors > 3,
        "{refused} refused, {errors} errors"
    );
    let (path, bytes) = whole.last().expect("some");
    std::fs::write(path, &bytes[..bytes.len() - 1]).expect("write");
    let short = PermanentTier::open(store.reopen(), options(dir.path(), ExpiredReads::Strict));
    let Err(OpenError::Archive(short)) = short else {
        panic!("a short archive is opened");
    };
    assert!(matches!(*short, ExpiredError::Short { .. }), "{short}");
    std::fs::write(path, [bytes.as_slice(), b"more"].concat()).expect("write");
    let tier = open(store.reopen(), dir.path(), ExpiredReads::ArchiveBacked);
    assert_shown(&tier, &model);
    assert_eq!(std::fs::read(path).expect("read"), *bytes);
}

#[test]
fn nothing_expires_without_a_place_to_go() {
    let plain = PermanentTier::open(MemoryStore::new(), Options::default()).expect("open");
    assert!(matches!(
        plain.expire(&rule(1), 1000),
        Err(ExpiryError::NoArchive)
    ));
    let backed = Options {
        expired_reads: ExpiredReads::ArchiveBacked,
        ..Options::default()
    };
    let refused = PermanentTier::open(MemoryStore::new(), backed);
    assert!(matches!(
        refused,
        Err(OpenError::BadOption {
            name: "archive",
            ..
        })
    ));
}

#[test]
fn what_a_rule_spares_never_expires() {
    let dir = tempfile::tempdir().expect("a folder");
    let (tier, _) = cold(dir.path(), ExpiredReads::Strict);
    let hub = alloy_primitives::keccak256(random::address(0));
    let spares = |key: thinstate_engine::StateKey| key.account == hub;
    let rule = ExpiryRule {
        spare: Some(&spares),
        ..rule(2)
    };
    sweep(&tier, &rule);
    let head = tier.head();
    // A few accounts beside it are too few, under their branches, to be worth a stub.
    assert!(head.accounts < 20, "{head:?}");
    assert_eq!(head.slots, 3000);
    assert!(
        tier.view()
            .account(random::address(0))
            .expect("read")
            .is_some()
    );
}
