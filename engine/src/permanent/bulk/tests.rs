use super::*;
use crate::{
    leaf_store::{
        Batch, Fault, LeafRead, LeafStore, MemoryStore, RocksOptions, RocksStore, StoreError, Table,
    },
    permanent::{BlockId, OpenError, Options, PermanentTier},
};
use alloy_primitives::{B256, Bytes, U256, keccak256};
use alloy_trie::{EMPTY_ROOT_HASH, HashBuilder, Nibbles, TrieAccount};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tempfile::TempDir;
use thinstate_formats::{Account, BlockNumber, StateChanges};

const BLOCK: BlockId = BlockId {
    number: BlockNumber(1_000),
    hash: B256::repeat_byte(0xb1),
};

const SOURCE: B256 = B256::repeat_byte(0x50);

fn word(rng: &mut impl Rng) -> B256 {
    rng.random::<[u8; 32]>().into()
}

fn slots(rng: &mut impl Rng, count: usize) -> Vec<BulkSlot> {
    let mut slots: Vec<_> = (0..count)
        .map(|_| BulkSlot {
            key: word(rng),
            value: U256::from_be_bytes(word(rng).0) >> rng.random_range(0..248_usize) | U256::ONE,
            last_written: BlockNumber(rng.random_range(0..1_000)),
        })
        .collect();
    slots.sort_by_key(|slot| slot.key);
    slots
}

/// Accounts in parts of different sizes; some have no slots, one has many.
fn parts(seed: u64, accounts: usize) -> Vec<BulkPart> {
    let rng = &mut ChaCha8Rng::seed_from_u64(seed);
    let mut keys: Vec<_> = (0..accounts).map(|_| word(rng)).collect();
    keys.sort();
    let mut parts = Vec::new();
    let mut part = BulkPart::default();
    for (at, key) in keys.into_iter().enumerate() {
        let count = match at {
            at if at == accounts / 2 => 9_000,
            at if at % 3 == 0 => rng.random_range(0..150),
            _ => 0,
        };
        part.slots.extend(slots(rng, count));
        part.accounts.push(BulkAccount {
            key,
            account: Account {
                nonce: rng.random(),
                balance: U256::from(rng.random::<u64>()),
                ..Account::default()
            },
            last_written: BlockNumber(rng.random_range(0..=1_000)),
            slots: count,
        });
        if rng.random_ratio(1, 40) {
            parts.push(core::mem::take(&mut part));
        }
    }
    parts.push(part);
    parts
}

fn codes() -> Vec<(B256, Bytes)> {
    let code = |n: u8| Bytes::from(vec![n; 100 + usize::from(n)]);
    let codes = (0..20).chain([3]);
    let mut codes: Vec<_> = codes.map(|n| (keccak256(code(n)), code(n))).collect();
    codes.sort();
    codes
}

fn source(
    parts: &[BulkPart],
) -> BulkSource<Vec<(B256, Bytes)>, impl Iterator<Item = BulkPart> + Send + '_> {
    BulkSource {
        id: SOURCE,
        codes: codes(),
        parts: parts.iter().cloned(),
    }
}

fn trie_root(leaves: impl Iterator<Item = (B256, Vec<u8>)>) -> B256 {
    let mut builder = HashBuilder::default();
    for (key, leaf) in leaves {
        builder.add_leaf(Nibbles::unpack(key), &leaf);
    }
    builder.root()
}

/// alloy-trie's root of the same state.
fn expected_root(parts: &[BulkPart]) -> B256 {
    let mut accounts = Vec::new();
    for part in parts {
        let mut slots = part.slots.iter();
        for it in &part.accounts {
            let own = slots.by_ref().take(it.slots);
            let leaves = own.map(|slot| (slot.key, alloy_rlp::encode(slot.value)));
            let root = match it.slots {
                0 => EMPTY_ROOT_HASH,
                _ => trie_root(leaves),
            };
            let account = &it.account;
            let account = TrieAccount::new(account.nonce, account.balance, root, account.code_hash);
            accounts.push((it.key, alloy_rlp::encode(account)));
        }
    }
    trie_root(accounts.into_iter())
}

fn open<S: LeafStore>(store: S) -> PermanentTier<S> {
    PermanentTier::open(store, Options::default()).expect("opens")
}

fn assert_built<S: LeafStore>(tier: &PermanentTier<S>, parts: &[BulkPart]) {
    assert_eq!(tier.head().root, expected_root(parts));
    assert_eq!(tier.head().block, Some(BLOCK));
    let report = tier.verify().expect("verifies");
    let slots: usize = parts.iter().map(|part| part.slots.len()).sum();
    assert_eq!(report.slots, slots as u64);
    let view = tier.view();
    for it in parts.iter().flat_map(|part| &part.accounts) {
        let account = view.trie_account_hashed(it.key).expect("reads");
        assert_eq!(account.map(|account| account.nonce), Some(it.account.nonce));
    }
}

#[test]
fn no_root_differs_from_alloy_tries() {
    for (seed, accounts) in [(1, 1), (2, 40), (3, 1_500)] {
        let parts = parts(seed, accounts);
        let tier = open(MemoryStore::new());
        tier.bulk_build(BLOCK, source(&parts), &|_| {})
            .expect("builds");
        assert_built(&tier, &parts);
        assert_built(&open(tier.into_store().reopen()), &parts);
        let folder = TempDir::new().expect("a folder");
        let rocks = || RocksStore::open(folder.path(), RocksOptions::default()).expect("opens");
        let tier = open(rocks());
        tier.bulk_build(BLOCK, source(&parts), &|_| {})
            .expect("builds");
        assert_built(&tier, &parts);
        drop(tier);
        assert_built(&open(rocks()), &parts);
    }
}

#[test]
fn nothing_is_a_state_too() {
    let tier = open(MemoryStore::new());
    let nothing = BulkSource {
        id: SOURCE,
        codes: Vec::new(),
        parts: core::iter::empty(),
    };
    tier.bulk_build(BLOCK, nothing, &|_| {}).expect("builds");
    assert_built(&tier, &[]);
    assert_built(&open(tier.into_store().reopen()), &[]);
}

#[test]
fn no_interior_differs_from_the_one_computed_on_opening() {
    let parts = parts(4, 1_500);
    let tier = open(MemoryStore::new());
    tier.bulk_build(BLOCK, source(&parts), &|_| {})
        .expect("builds");
    let built = tier.interior_size();
    let reopened = open(tier.leaf_store().reopen());
    assert_eq!(built, reopened.interior_size());
    let next = BlockId {
        number: BlockNumber(1_001),
        hash: B256::ZERO,
    };
    let applied = tier.apply(next, &StateChanges::default());
    applied.expect("the next block");
    assert!(tier.undo().is_ok());
    assert!(tier.undo().is_err(), "there is nothing before the build");
}

#[test]
fn no_store_with_a_state_is_built_on() {
    let parts = parts(5, 10);
    let tier = open(MemoryStore::new());
    tier.bulk_build(BLOCK, source(&parts), &|_| {})
        .expect("builds");
    let refused = tier.bulk_build(BLOCK, source(&parts), &|_| {});
    assert!(matches!(refused, Err(BulkError::NotEmpty { .. })));
    assert_built(&tier, &parts);
}

#[test]
fn no_part_is_taken_that_contradicts_itself() {
    type Spoil = fn(&mut Vec<BulkPart>);
    let spoils: [Spoil; 6] = [
        |parts| parts.swap(0, 1),
        |parts| parts[1].accounts[0].key = parts[0].accounts[0].key,
        |parts| parts[0].slots.swap(0, 1),
        |parts| parts[0].slots[1].value = U256::ZERO,
        |parts| parts[0].accounts[0].slots += 1,
        |parts| {
            parts[0].slots.pop();
        },
    ];
    let whole: Vec<_> = [(1_u8, 3), (2, 2)]
        .map(|(first, count)| BulkPart {
            accounts: vec![BulkAccount {
                key: B256::repeat_byte(first),
                account: Account::default(),
                last_written: BlockNumber(1),
                slots: count,
            }],
            slots: slots(&mut ChaCha8Rng::seed_from_u64(first.into()), count),
        })
        .into();
    for (number, spoil) in spoils.into_iter().enumerate() {
        let mut parts = whole.clone();
        spoil(&mut parts);
        let tier = open(MemoryStore::new());
        let refused = tier.bulk_build(BLOCK, source(&parts), &|_| {});
        assert!(refused.is_err(), "{number}");
        // The store is empty again.
        tier.bulk_build(BLOCK, source(&whole), &|_| {})
            .expect("builds");
        assert_built(&tier, &whole);
    }
}

#[test]
fn no_codes_that_descend_are_taken() {
    let parts = parts(5, 40);
    let tier = open(MemoryStore::new());
    let mut descending = source(&parts);
    descending.codes.reverse();
    let refused = tier.bulk_build(BLOCK, descending, &|_| {});
    assert!(
        matches!(refused, Err(BulkError::Order { what: "code", .. })),
        "{refused:?}"
    );
    tier.bulk_build(BLOCK, source(&parts), &|_| {})
        .expect("the store is empty again");
    assert_built(&tier, &parts);
}

/// The operations of a build: the mark, codes, slots, accounts, the mark again, the head.
const COMMITS: u64 = 6;

#[test]
fn no_failed_build_leaves_a_state() {
    let parts = parts(6, 60);
    for fault in [Fault::Refused, Fault::NoSpace, Fault::Unacknowledged] {
        for after in 0..COMMITS {
            let tier = open(MemoryStore::new());
            tier.leaf_store().inject(fault, after);
            let failed = tier.bulk_build(BLOCK, source(&parts), &|_| {});
            let is_store = matches!(
                failed,
                Err(BulkError::Store(
                    StoreError::Io { .. } | StoreError::NoSpace { .. }
                ))
            );
            assert!(is_store, "{fault:?} {after}: {failed:?}");
            assert_eq!(tier.head().block, None);
            let store = tier.into_store().reopen();
            match PermanentTier::open(store.reopen(), Options::default()) {
                // The mark never reached the disk.
                Ok(tier) if after == 0 => assert_eq!(tier.head().block, None),
                // The head did, though nobody was told.
                Ok(tier) if after == COMMITS - 1 => assert_built(&tier, &parts),
                opened => {
                    let block = BLOCK.number;
                    assert!(
                        matches!(opened, Err(OpenError::Unfinished { block: of }) if of == block)
                    );
                    assert!(PermanentTier::discard_unfinished(&store).expect("discards"));
                    let tier = open(store);
                    tier.bulk_build(BLOCK, source(&parts), &|_| {})
                        .expect("builds");
                    assert_built(&tier, &parts);
                }
            }
        }
    }
}

#[test]
fn no_build_goes_on_after_a_read_that_failed() {
    let parts = parts(7, 60);
    let mut failures = 0;
    for after in 0..40 {
        let tier = open(MemoryStore::new());
        tier.leaf_store().inject(Fault::Read, after);
        match tier.bulk_build(BLOCK, source(&parts), &|_| {}) {
            // What was to fail is a later read, which the reopened store does not know of.
            Ok(_) => assert_built(&open(tier.into_store().reopen()), &parts),
            Err(_) => {
                failures += 1;
                assert_eq!(tier.head().block, None);
                let tier = open(tier.into_store().reopen());
                tier.bulk_build(BLOCK, source(&parts), &|_| {})
                    .expect("the store is empty again");
            }
        }
    }
    assert!(failures >= 4, "{failures}");
}

#[test]
fn no_whole_store_is_discarded() {
    let parts = parts(8, 30);
    let tier = open(MemoryStore::new());
    tier.bulk_build(BLOCK, source(&parts), &|_| {})
        .expect("builds");
    let store = tier.into_store();
    assert!(!PermanentTier::discard_unfinished(&store).expect("reads"));
    assert_built(&open(store), &parts);
}

/// Steps of some parts each.
fn in_steps(resume_bulk: bool) -> Options {
    Options {
        resume_bulk,
        bulk_step_entries: 2_000,
        ..Options::default()
    }
}

/// The parts behind so many accounts.
fn behind(parts: &[BulkPart], accounts: u64) -> &[BulkPart] {
    let mut counted = 0;
    let is_done = |part: &&BulkPart| {
        counted += part.accounts.len() as u64;
        counted <= accounts
    };
    &parts[parts.iter().take_while(is_done).count()..]
}

/// Goes on with a build, in a store as a crash has left it; how many accounts it had.
fn resume<S: LeafStore>(
    store: S,
    parts: &[BulkPart],
) -> Result<(u64, PermanentTier<S>), BulkError> {
    let tier = PermanentTier::open(store, in_steps(true)).expect("opens as an empty one");
    assert_eq!(tier.head().block, None);
    let done = tier.bulk_done(BLOCK.number, SOURCE)?.accounts;
    tier.bulk_build(BLOCK, source(behind(parts, done)), &|_| {})?;
    Ok((done, tier))
}

/// A build, and the store as it would have been found after each part.
fn crashes(parts: &[BulkPart]) -> Vec<(u64, MemoryStore)> {
    let tier = PermanentTier::open(MemoryStore::new(), in_steps(false)).expect("opens");
    let found = std::sync::Mutex::new(Vec::new());
    let crash = |now: BulkProgress| {
        let store = tier.leaf_store().reopen();
        found.lock().expect("no panic").push((now.accounts, store));
    };
    tier.bulk_build(BLOCK, source(parts), &crash)
        .expect("builds");
    assert_built(&tier, parts);
    found.into_inner().expect("no panic")
}

#[test]
fn no_interruption_loses_more_than_a_step() {
    let parts = parts(9, 1_500);
    let largest = parts
        .iter()
        .map(|it| it.accounts.len() + it.slots.len())
        .max();
    let mut gone_on = 0;
    for (given, store) in crashes(&parts) {
        let refused = PermanentTier::open(store.reopen(), Options::default());
        assert!(matches!(refused, Err(OpenError::Unfinished { .. })));
        let (done, tier) = resume(store, &parts).expect("goes on");
        assert_built(&tier, &parts);
        assert_built(&open(tier.into_store().reopen()), &parts);
        gone_on += u64::from(done > 0);
        let lost = behind(&parts, done).iter().scan(done, |accounts, part| {
            *accounts += part.accounts.len() as u64;
            (*accounts <= given).then_some(part.accounts.len() + part.slots.len())
        });
        let lost: usize = lost.sum();
        assert!(
            lost <= 2_000 + largest.unwrap_or_default(),
            "{lost} of {given}"
        );
    }
    assert!(gone_on > 5, "{gone_on}");
}

#[test]
fn no_entry_stays_that_a_step_had_not_finished() {
    let parts = parts(10, 600);
    let mut cut = 0;
    for (_, store) in crashes(&parts) {
        let tier = PermanentTier::open(store.reopen(), in_steps(true)).expect("opens");
        let done = tier.bulk_done(BLOCK.number, SOURCE).expect("this build");
        // Slots of the next step, which its accounts have not followed, and some that nobody knows.
        let mut batch = Batch::default();
        for part in behind(&parts, done.accounts).iter().take(2) {
            let Some(account) = part.accounts.iter().find(|it| it.slots > 0) else {
                continue;
            };
            for end in [[0; 32], [0xff; 32]] {
                let key = [account.key.as_slice(), &end].concat();
                batch.put(Table::Storage, key, vec![1, 2, 3]);
                cut += 1;
            }
        }
        store.commit(batch).expect("commits");
        let (_, tier) = resume(store, &parts).expect("goes on");
        assert_built(&tier, &parts);
    }
    assert!(cut > 10, "{cut}");
}

#[test]
fn no_other_build_is_gone_on_with() {
    let parts = parts(11, 300);
    let (_, store) = crashes(&parts).pop().expect("parts");
    let tier = PermanentTier::open(store, in_steps(true)).expect("opens");
    let other = B256::repeat_byte(1);
    let refused = tier.bulk_done(BLOCK.number, other);
    assert!(matches!(refused, Err(BulkError::Other { .. })));
    let other = BulkSource {
        id: other,
        ..source(&parts)
    };
    let refused = tier.bulk_build(BLOCK, other, &|_| {});
    assert!(matches!(refused, Err(BulkError::Other { .. })));
    let refused = tier.bulk_done(BlockNumber(BLOCK.number.0 + 1), SOURCE);
    assert!(matches!(refused, Err(BulkError::Other { .. })));
    // It is still there.
    let (done, tier) = resume(tier.into_store().reopen(), &parts).expect("goes on");
    assert!(done > 0);
    assert_built(&tier, &parts);
}

#[test]
fn no_build_is_finished_that_lost_what_it_had() {
    let parts = parts(12, 600);
    for table in [Table::Accounts, Table::Storage] {
        let (_, store) = crashes(&parts).pop().expect("parts");
        let mut first = None;
        let read = store.snapshot().scan(table, &[], None, &mut |key, _| {
            first = Some(key.to_vec());
            core::ops::ControlFlow::Break(())
        });
        read.expect("reads");
        let mut batch = Batch::default();
        batch.delete(table, first.expect("an entry"));
        store.commit(batch).expect("commits");
        let lost = resume(store, &parts).map(|(done, _)| done);
        assert!(matches!(lost, Err(BulkError::Lost { .. })), "{lost:?}");
    }
}
