//! A store that expires at random has the same roots and gives the same answers as one that never
//! does, in both modes, on both leaf stores, across undone blocks, reopenings and failed commits.

mod support;

use alloy_primitives::{Address, U256};
use proptest::prelude::*;
use std::path::Path;
use support::{Model, block, strategy};
use thinstate_engine::{
    CommitError, ExpiredReads, ExpiryRule, MissingNode, Options, PermanentTier, StateError,
    StubLocation, Witness,
    leaf_store::{Fault, LeafStore, MemoryStore, RocksOptions, RocksStore},
};
use thinstate_formats::{BlockNumber, StateChanges, StateReader};

/// Blocks that can be undone.
const UNDO: u64 = 3;

/// A leaf store that can be left and found again.
trait Disk: LeafStore + Sized {
    fn make(dir: &Path) -> Self;
    fn again(self, dir: &Path) -> Self;
}

impl Disk for MemoryStore {
    fn make(_: &Path) -> Self {
        Self::new()
    }

    fn again(self, _: &Path) -> Self {
        self.reopen()
    }
}

impl Disk for RocksStore {
    fn make(dir: &Path) -> Self {
        Self::open(dir.join("store"), RocksOptions::default()).expect("open")
    }

    fn again(self, dir: &Path) -> Self {
        drop(self);
        Self::make(dir)
    }
}

fn open<S: LeafStore>(store: S, dir: &Path, expired_reads: ExpiredReads) -> PermanentTier<S> {
    let options = Options {
        bucket_entries_max: 6,
        undo_blocks: UNDO,
        threads: Some(1),
        archive: Some(dir.join("archive")),
        expired_reads,
        archive_segment_bytes: 4096,
        ..Options::default()
    };
    PermanentTier::open(store, options).expect("open")
}

#[derive(Clone, Debug)]
enum Step {
    Block(StateChanges),
    /// Steps of the sweep, and its parameters.
    Expire {
        steps: usize,
        age: u64,
        entries_min: usize,
        more: usize,
        merge_stubs: bool,
        cap: usize,
    },
    Undo,
    Read(u8, u64),
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    let expire = (
        1usize..12,
        0u64..6,
        2usize..4,
        0usize..10,
        any::<bool>(),
        0usize..60,
    );
    prop_oneof![
        5 => strategy::changes().prop_map(Step::Block),
        1 => Just(Step::Block(StateChanges::default())),
        6 => expire.prop_map(|(steps, age, entries_min, more, merge_stubs, cap)| Step::Expire {
            steps, age, entries_min, more, merge_stubs, cap,
        }),
        2 => Just(Step::Undo),
        3 => (0u8..24, 0u64..200).prop_map(|(address, slot)| Step::Read(address, slot)),
        1 => Just(Step::Reopen),
    ]
}

/// The store under test beside one that never expires.
struct Pair<S: Disk> {
    dir: tempfile::TempDir,
    mode: ExpiredReads,
    tier: Option<PermanentTier<S>>,
    plain: PermanentTier<MemoryStore>,
    /// The states after each block that can be undone, the last the present one.
    models: Vec<Model>,
    next: u64,
}

impl<S: Disk> Pair<S> {
    fn new(mode: ExpiredReads) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let store = S::make(dir.path());
        let plain = Options {
            undo_blocks: UNDO,
            threads: Some(1),
            ..Options::default()
        };
        Self {
            tier: Some(open(store, dir.path(), mode)),
            plain: PermanentTier::open(MemoryStore::new(), plain).expect("open"),
            dir,
            mode,
            models: vec![Model::default()],
            next: 1,
        }
    }

    fn tier(&self) -> &PermanentTier<S> {
        self.tier.as_ref().expect("open")
    }

    fn model(&self) -> &Model {
        self.models.last().expect("never empty")
    }

    /// In strict mode, inserts what the archive serves for a missing node; otherwise nothing is
    /// ever missing.
    fn bring(&self, missing: &MissingNode) {
        assert_eq!(self.mode, ExpiredReads::Strict, "{missing}");
        let stub = StubLocation {
            account: missing.trie.0,
            path: missing.path,
        };
        let archive = self.tier().archive().expect("given");
        let nodes = archive.witness(&stub, missing.hash).expect("archived");
        let witness = Witness {
            nodes,
            starts: vec![stub],
            ..Witness::default()
        };
        self.tier()
            .insert_witness(&witness)
            .expect("the right nodes");
    }

    fn read<T>(&self, read: impl Fn(&PermanentTier<S>) -> Result<T, StateError>) -> T {
        loop {
            match read(self.tier()) {
                Ok(value) => return value,
                Err(StateError::Missing(missing)) => self.bring(&missing),
                Err(other) => panic!("{other}"),
            }
        }
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Block(changes) => self.block(changes),
            Step::Undo => self.undo(),
            Step::Read(address, slot) => {
                self.assert_answers(strategy::address(*address), [U256::from(*slot)]);
            }
            Step::Reopen => self.reopen(),
            Step::Expire {
                steps,
                age,
                entries_min,
                more,
                merge_stubs,
                cap,
            } => {
                let rule = ExpiryRule {
                    entries_min: *entries_min,
                    entries_max: entries_min + more,
                    merge_stubs: *merge_stubs,
                    ..ExpiryRule::written_before(BlockNumber(self.next.saturating_sub(*age)))
                };
                for _ in 0..*steps {
                    let cap = rule.cap_min() + cap;
                    let report = self.tier().expire(&rule, cap).expect("expire");
                    assert!(
                        report.entries_scanned <= cap as u64,
                        "{report:?}, cap {cap}"
                    );
                }
            }
        }
        let (tier, plain) = (self.tier().head(), self.plain.head());
        assert_eq!((tier.root, tier.block), (plain.root, plain.block));
    }

    fn block(&mut self, changes: &StateChanges) {
        let id = block(self.next);
        let report = self.plain.apply(id, changes).expect("apply");
        let prepared = loop {
            match self.tier().prepare(changes) {
                Ok(prepared) => break prepared,
                Err(CommitError::State(StateError::Missing(missing))) => self.bring(&missing),
                Err(other) => panic!("{other}"),
            }
        };
        assert_eq!(prepared.root(), report.root, "block {}", self.next);
        self.tier().commit(id, prepared).expect("commit");
        let mut model = self.model().clone();
        model.apply(changes);
        self.models.push(model);
        self.next += 1;
    }

    fn undo(&mut self) {
        if self.models.len() > UNDO as usize + 1 {
            self.models.drain(..self.models.len() - UNDO as usize - 1);
        }
        if self.models.len() == 1 || self.next == 2 {
            return;
        }
        if self.plain.undo().is_err() {
            // Diffs of blocks that were undone and made again are kept no longer than the rest.
            assert!(self.tier().undo().is_err());
            return;
        }
        self.tier().undo().expect("undo");
        self.models.pop();
        self.next -= 1;
    }

    fn reopen(&mut self) {
        let store = self.tier.take().expect("open").into_store();
        let store = store.again(self.dir.path());
        self.tier = Some(open(store, self.dir.path(), self.mode));
    }

    /// Compares one account, and some of its slots, with the model and the other store.
    fn assert_answers(&self, address: Address, slots: impl IntoIterator<Item = U256>) {
        let (expected, plain) = (self.model().accounts.get(&address), self.plain.view());
        let account = self.read(|tier| tier.view().account(address));
        assert_eq!(account, expected.map(|(account, _)| *account));
        let last = self.read(|tier| tier.view().last_written(address));
        self.assert_dated(last, plain.last_written(address).expect("read"));
        for slot in slots {
            let value = self.read(|tier| tier.view().slot(address, slot));
            let held = expected.and_then(|(_, storage)| storage.get(&slot));
            assert_eq!(value, held.copied().unwrap_or_default());
            let last = self.read(|tier| tier.view().last_written_slot(address, slot));
            self.assert_dated(last, plain.last_written_slot(address, slot).expect("read"));
        }
    }

    /// A leaf that a witness brought does not know when it was written; any other does.
    fn assert_dated(&self, got: Option<BlockNumber>, expected: Option<BlockNumber>) {
        if self.mode == ExpiredReads::Strict && got == Some(BlockNumber(0)) {
            return assert!(expected.is_some());
        }
        assert_eq!(got, expected);
    }

    fn assert_all_answers(&self) {
        for address in strategy::addresses() {
            let storage = self
                .model()
                .accounts
                .get(&address)
                .map(|(_, storage)| storage);
            let slots: Vec<_> = storage
                .into_iter()
                .flat_map(|s| s.keys().copied())
                .collect();
            self.assert_answers(address, slots.into_iter().chain([U256::from(1_000_003)]));
        }
        let head = self.tier().head();
        self.tier().verify().expect("verifies");
        assert_eq!(self.tier().head(), head);
    }
}

fn run<S: Disk>(mode: ExpiredReads, steps: &[Step]) -> Pair<S> {
    let mut pair = Pair::<S>::new(mode);
    for step in steps {
        pair.take(step);
    }
    pair.tier().verify().expect("verifies");
    pair.assert_all_answers();
    pair.reopen();
    pair.assert_all_answers();
    pair
}

const MODES: [ExpiredReads; 2] = [ExpiredReads::Strict, ExpiredReads::ArchiveBacked];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(160))]

    #[test]
    fn no_expiry_in_memory_changes_a_root_or_an_answer(steps in prop::collection::vec(step(), 1..40)) {
        for mode in MODES {
            run::<MemoryStore>(mode, &steps);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10))]

    #[test]
    fn no_expiry_on_disk_changes_a_root_or_an_answer(steps in prop::collection::vec(step(), 20..40)) {
        for mode in MODES {
            run::<RocksStore>(mode, &steps);
        }
    }

    #[test]
    fn no_failed_commit_of_an_expiry_loses_a_leaf(
        blocks in strategy::blocks(),
        fault in prop_oneof![Just(Fault::Refused), Just(Fault::NoSpace), Just(Fault::Unacknowledged)],
        after in 0u64..4,
    ) {
        let mut pair = Pair::<MemoryStore>::new(ExpiredReads::ArchiveBacked);
        for changes in blocks.iter().chain(&vec![StateChanges::default(); UNDO as usize]) {
            pair.block(changes);
        }
        let rule = ExpiryRule {
            entries_min: 2,
            ..ExpiryRule::written_before(BlockNumber(pair.next))
        };
        let store = pair.tier.take().expect("open").into_store();
        store.inject(fault, after);
        pair.tier = Some(open(store, pair.dir.path(), pair.mode));
        let failed = (0..40).find_map(|_| pair.tier().expire(&rule, rule.cap_min()).err());
        prop_assert_eq!(pair.tier().head().root, pair.plain.head().root);
        if failed.is_some() {
            prop_assert!(pair.tier().expire(&rule, rule.cap_min()).is_err());
        }
        pair.assert_all_answers();
        pair.reopen();
        pair.assert_all_answers();
        for _ in 0..40 {
            pair.tier().expire(&rule, rule.cap_min()).expect("expire");
        }
        pair.assert_all_answers();
    }
}
