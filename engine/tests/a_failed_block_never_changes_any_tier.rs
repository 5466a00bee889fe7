//! Whatever goes wrong with a block, all tiers stay as they were; and whatever reached the disk, all
//! tiers reopen at the same block.

mod support;

use alloy_primitives::{Address, B256, U256};
use std::path::Path;
use support::tiers::{self, UNDO_BLOCKS};
use tempfile::TempDir;
use thinstate_engine::{
    Options, PermanentTier, Store, StoreRules,
    leaf_store::{Fault, MemoryStore},
    store::{ApplyError, BlockChanges, StoreOpenError},
};
use thinstate_formats::{
    BlockNumber, Commitment, LeafIndex, StateChanges,
    temporary::{LiveCommitment, Retention, ZeroRule},
};

const BLOCKS: u64 = 130;

fn all_rules() -> [StoreRules; 2] {
    [
        tiers::rules(LiveCommitment::Deferred, Retention::CurrentAndPrevious),
        tiers::rules(LiveCommitment::Incremental, Retention::OnePeriod),
    ]
}

struct Node {
    folder: TempDir,
    rules: StoreRules,
    store: Option<Store<MemoryStore>>,
    expected: Vec<Commitment>,
}

impl Node {
    fn new(rules: StoreRules) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = open(MemoryStore::new(), rules, folder.path());
        let expected = tiers::commitments(rules, BLOCKS);
        Self {
            folder,
            rules,
            store: Some(store),
            expected,
        }
    }

    fn store(&self) -> &Store<MemoryStore> {
        self.store.as_ref().expect("the store is open")
    }

    fn reopen(&mut self) {
        let left = self
            .store
            .take()
            .expect("the store is open")
            .into_leaf_store();
        self.store = Some(open(left.reopen(), self.rules, self.folder.path()));
    }

    /// The tiers are those after block `number`, and nothing else.
    fn check_at(&self, number: Option<BlockNumber>, why: &str) {
        assert_eq!(
            self.store().head().block.map(|head| head.number),
            number,
            "{why}"
        );
        let expected = number.map(|number| self.expected[number.0 as usize]);
        assert_eq!(self.store().commitment(), expected, "{why}");
    }
}

fn open(store: MemoryStore, rules: StoreRules, folder: &Path) -> Store<MemoryStore> {
    Store::open(store, tiers::options(rules, folder)).expect("the store opens")
}

/// Applies a block while the leaf store is about to fail; what the store then says.
fn fail(node: &Node, fault: Fault, number: BlockNumber) -> Result<(), ApplyError> {
    let changes = tiers::changes(node.store(), number);
    node.store().permanent().leaf_store().inject(fault, 0);
    node.store().apply(tiers::id(number), &changes).map(drop)
}

#[test]
fn no_failed_commit_leaves_a_tier_ahead_or_behind() {
    for rules in all_rules() {
        let mut node = Node::new(rules);
        for n in 0..BLOCKS {
            let number = BlockNumber(n);
            let fault = [Fault::Refused, Fault::NoSpace, Fault::Unacknowledged][n as usize % 3];
            let before = number.prev();
            fail(&node, fault, number).expect_err("the commit fails");
            node.check_at(before, "after a failed commit");
            node.reopen();
            if fault == Fault::Unacknowledged {
                node.check_at(Some(number), "the block had reached the disk");
            } else {
                node.check_at(before, "the block had not reached the disk");
                tiers::advance(node.store());
                node.check_at(Some(number), "applied again");
            }
        }
    }
}

#[test]
fn no_failed_read_leaves_a_tier_ahead_or_behind() {
    for rules in all_rules() {
        let node = Node::new(rules);
        let mut failed = 0;
        for n in 0..BLOCKS {
            let number = BlockNumber(n);
            let changes = tiers::changes(node.store(), number);
            for after in 0.. {
                node.store()
                    .permanent()
                    .leaf_store()
                    .inject(Fault::Read, after);
                if node.store().apply(tiers::id(number), &changes).is_ok() {
                    break;
                }
                failed += 1;
                node.check_at(number.prev(), "after a failed read");
            }
            node.store()
                .permanent()
                .leaf_store()
                .inject(Fault::Read, u64::MAX - 1);
            node.check_at(Some(number), "applied in the end");
        }
        assert!(failed > BLOCKS, "{failed}");
    }
}

#[test]
fn no_failed_undo_leaves_a_tier_ahead_or_behind() {
    for rules in all_rules() {
        let mut node = Node::new(rules);
        for n in 0..BLOCKS {
            tiers::advance(node.store());
            let head = BlockNumber(n);
            if n == 0 || !n.is_multiple_of(3) {
                continue;
            }
            let fault = [Fault::Refused, Fault::Unacknowledged][n as usize % 2];
            node.store().permanent().leaf_store().inject(fault, 0);
            node.store().undo().expect_err("the commit fails");
            node.check_at(Some(head), "after a failed undo");
            node.reopen();
            if fault == Fault::Unacknowledged {
                node.check_at(head.prev(), "the undoing had reached the disk");
                tiers::advance(node.store());
            }
            node.check_at(Some(head), "at the block again");
        }
    }
}

/// Every block is undone and done again, the depth growing and shrinking, across ends of periods,
/// seals of periods and seals of rings.
#[test]
fn no_undone_block_leaves_a_trace() {
    for rules in all_rules() {
        let node = Node::new(rules);
        for n in 0..BLOCKS {
            tiers::advance(node.store());
            let depth = (n * 7 % (UNDO_BLOCKS + 1)).min(n);
            for undone in 1..=depth {
                node.store().undo().expect("the block is undone");
                node.check_at(Some(BlockNumber(n - undone)), "undone");
            }
            for redone in (0..depth).rev() {
                tiers::advance(node.store());
                node.check_at(Some(BlockNumber(n - redone)), "done again");
            }
            // What was undone and done again can not be undone any further back than before.
            assert_eq!(next_number(&node), n + 1);
        }
    }
}

/// The file of a batch whose only record was undone is not taken for that of a batch.
#[test]
fn no_undone_batch_leaves_a_file_behind() {
    let folder = tempfile::tempdir().expect("a folder");
    let [rules, _] = all_rules();
    let store = open(MemoryStore::new(), rules, folder.path());
    let apply = |number: u64, records: u64| {
        let changes = BlockChanges {
            records: (0..records).map(|_| tiers::record(1, 1)).collect(),
            ..BlockChanges::default()
        };
        let number = BlockNumber(number);
        store
            .apply(tiers::id(number), &changes)
            .expect("the block is applied");
    };
    (0..tiers::RING).for_each(|number| apply(number, 0));
    apply(tiers::RING, 1);
    store.undo().expect("into the batch before");
    store.undo().expect("out of the batch");
    (tiers::RING - 1..2 * tiers::RING).for_each(|number| apply(number, 0));
    let left = store.into_leaf_store().reopen();
    let store = open(left, rules, folder.path());
    let batches = store.with_records(|archive| archive.batches());
    assert_eq!(batches, Some(Vec::new()));
}

/// A store that had a permanent tier alone gets the others, and loses them again.
#[test]
fn no_undone_beginning_locks_the_store() {
    let folder = tempfile::tempdir().expect("a folder");
    let [rules, _] = all_rules();
    let tier = PermanentTier::open(MemoryStore::new(), Options::default()).expect("a tier");
    for number in 0..3 {
        let changes = StateChanges::default();
        tier.apply(tiers::id(BlockNumber(number)), &changes)
            .expect("a block");
    }
    let store = open(tier.into_store(), rules, folder.path());
    let apply = |store: &Store<MemoryStore>| {
        let number = tiers::next(store);
        store
            .apply(tiers::id(number), &BlockChanges::default())
            .expect("a block of all tiers");
    };
    apply(&store);
    store.undo().expect("the only block of all tiers");
    let store = open(store.into_leaf_store().reopen(), rules, folder.path());
    assert_eq!(tiers::next(&store), BlockNumber(3));
    apply(&store);
    apply(&store);
    store.permanent().undo().expect("behind the tiers' back");
    let left = store.into_leaf_store().reopen();
    let refused = Store::open(left, tiers::options(rules, folder.path()));
    assert!(
        matches!(refused, Err(StoreOpenError::OtherHead { .. })),
        "{refused:?}"
    );
}

/// Within a block a deleted value reads as the next block will read it, under either zero rule.
#[test]
fn no_read_within_a_block_differs_from_the_next_blocks() {
    let contract = Address::repeat_byte(0xab);
    let key = |n: u64| B256::from(U256::from(n));
    for zero_rule in [ZeroRule::DeleteBoth, ZeroRule::NoTombstone] {
        for retention in [Retention::OnePeriod, Retention::CurrentAndPrevious] {
            let folder = tempfile::tempdir().expect("a folder");
            let mut rules = tiers::rules(LiveCommitment::Deferred, retention);
            rules.temporary.zero_rule = zero_rule;
            let store = open(MemoryStore::new(), rules, folder.path());
            for n in 0..3 * tiers::PERIOD {
                let mut builder = store.next_block(BlockNumber(0));
                for at in 0..4 {
                    builder.set_temporary(contract, key(at), key(n + 1));
                    if (n + at) % 3 == 0 {
                        builder.set_temporary(contract, key(at), B256::ZERO);
                    }
                }
                builder.set_temporary(contract, key(4 + n % 7), key(n * (n % 2)));
                let read: Vec<_> = (0..12)
                    .map(|at| builder.temporary(contract, key(at)))
                    .collect();
                let changes = builder.finish();
                store
                    .apply(tiers::id(BlockNumber(n)), &changes)
                    .expect("the block is applied");
                let now: Vec<_> = (0..12)
                    .map(|at| store.temporary(contract, key(at)))
                    .collect();
                assert_eq!(read, now, "block {n}, {zero_rule:?}, {retention:?}");
            }
        }
    }
}

fn next_number(node: &Node) -> u64 {
    tiers::next(node.store()).0
}

/// A block that one tier refuses changes none.
#[test]
fn no_refused_block_leaves_a_trace() {
    for rules in all_rules() {
        let node = Node::new(rules);
        let mut refused = [0; 6];
        for n in 0..BLOCKS {
            let number = BlockNumber(n);
            let good = tiers::changes(node.store(), number);
            for (kind, bad) in bad_blocks(&node, &good) {
                let outcome = node.store().apply(tiers::id(number), &bad);
                let error = outcome.expect_err("the block is refused");
                let expected = match kind {
                    0..3 => matches!(error, ApplyError::Temporary(_)),
                    _ => matches!(error, ApplyError::Utxo(_)),
                };
                assert!(expected, "{kind}: {error}");
                refused[kind] += 1;
                node.check_at(number.prev(), "refused");
            }
            let other = tiers::id(BlockNumber(n + 1));
            if n > 0 {
                let outcome = node.store().apply(other, &good);
                assert!(matches!(outcome, Err(ApplyError::NotNext { .. })));
            }
            tiers::advance(node.store());
            node.check_at(Some(number), "applied");
        }
        assert!(refused.iter().all(|count| *count > 5), "{refused:?}");
    }
}

/// The block, spoilt in each way that it can be spoilt.
fn bad_blocks(node: &Node, good: &BlockChanges) -> Vec<(usize, BlockChanges)> {
    let mut bad = Vec::new();
    let mut add = |kind, spoil: &dyn Fn(&mut BlockChanges)| {
        let mut changes = good.clone();
        spoil(&mut changes);
        bad.push((kind, changes));
    };
    if let Some(used) = good.resurrections.first() {
        add(0, &|it| it.resurrections.push(used.clone()));
        add(1, &|it| {
            it.resurrections[0].leaf.value = B256::repeat_byte(1)
        });
    }
    if let Some((period, index)) = resurrected(node) {
        let again = tiers::resurrection(node.store(), period, index);
        add(2, &|it| it.resurrections.push(again.clone()));
    }
    if let Some(spent) = good.spends.first() {
        add(3, &|it| it.spends.push(spent.clone()));
        add(4, &|it| it.spends[0].record.payload = vec![9; 9].into());
        add(5, &|it| it.spends[0].record.index.0 += 1_000);
    }
    bad
}

fn resurrected(node: &Node) -> Option<(thinstate_formats::PeriodId, LeafIndex)> {
    node.store()
        .periods()
        .into_iter()
        .find_map(|(period, root)| {
            let mut leaves = (0..root.count).map(LeafIndex);
            let used =
                leaves.find(|index| node.store().is_resurrected(period, *index) == Some(true));
            Some((period, used?))
        })
}
