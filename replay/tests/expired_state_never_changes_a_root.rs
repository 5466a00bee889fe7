//! Real blocks on a state that has expired end at mainnet's own state roots.
//!
//! The state before each block is loaded from its witness and expires: what the block does not touch,
//! or all of it. Then the block is executed in strict mode, where every node that is missing has to
//! be brought as a witness, and the archive is the only one that has them; or in archive-backed
//! mode, where nobody brings anything. What the archive knows is what the witness held.

mod support;

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use core::{
    cell::RefCell,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};
use std::{collections::HashSet, path::Path, time::Instant};
use support::{WitnessState, mainnet};
use thinstate_engine::{
    BlockId, CommitError, ExpiredReads, ExpiryReport, ExpiryRule, MissingNode, Options,
    PermanentTier, StateError, StateKey, StubLocation, Witness, archive::expired::ExpiredError,
    leaf_store::MemoryStore,
};
use thinstate_formats::{Account, BlockNumber, StateChanges, StateReader};
use thinstate_replay::{
    exec::{ChainSpec, execute_block},
    source::witness::{self, BlockWitness},
    verify::verify_block,
};

type Tier = PermanentTier<MemoryStore>;

/// Entries that a step of the sweep reads.
const CAP: usize = 1000;

/// The state before the block, as far as its witness holds it.
fn before(witness: &BlockWitness, archive: &Path, expired_reads: ExpiredReads) -> Tier {
    let options = Options {
        undo_blocks: 0,
        threads: Some(1),
        archive: Some(archive.to_owned()),
        expired_reads,
        ..Options::default()
    };
    let tier = PermanentTier::open(MemoryStore::new(), options).expect("open");
    let parent = BlockId {
        number: BlockNumber(witness.number().0 - 1),
        hash: witness.block.header.parent_hash,
    };
    tier.adopt_root(parent, witness.pre_state_root)
        .expect("an empty store");
    let nodes = Witness {
        nodes: witness.state.clone(),
        codes: witness.codes.clone(),
        starts: Vec::new(),
        allow_unused: true,
    };
    tier.insert_witness(&nodes)
        .expect("the witness of the block");
    tier
}

/// Sweeps until a whole pass cuts nothing.
fn expire(tier: &Tier, spare: &(dyn Fn(StateKey) -> bool + Sync)) -> ExpiryReport {
    let root = tier.head().root;
    let rule = ExpiryRule {
        entries_min: 2,
        spare: Some(spare),
        ..ExpiryRule::written_before(BlockNumber(u64::MAX))
    };
    let (mut total, mut quiet) = (ExpiryReport::default(), false);
    loop {
        let report = tier.expire(&rule, CAP).expect("expire");
        assert_eq!(tier.head().root, root);
        total.accounts += report.accounts;
        total.slots += report.slots;
        total.stubs += report.stubs;
        quiet &= report.stubs == 0;
        if report.pass_finished {
            if quiet {
                return total;
            }
            quiet = true;
        }
    }
}

/// What a block reads and writes, by hashed keys.
#[derive(Default)]
struct Touched(HashSet<(B256, Option<B256>)>);

impl Touched {
    fn account(&mut self, address: Address) {
        self.0.insert((keccak256(address), None));
    }

    fn slot(&mut self, address: Address, slot: U256) {
        self.account(address);
        let slot = keccak256(B256::from(slot));
        self.0.insert((keccak256(address), Some(slot)));
    }

    fn of(witness: &BlockWitness) -> Self {
        let recording = Recording {
            state: WitnessState::new(witness),
            touched: RefCell::default(),
        };
        let spec = ChainSpec::mainnet();
        let outcome = execute_block(&recording, &witness.block, &witness.block_hashes, &spec);
        let changes = outcome.expect("the block executes").changes;
        let mut touched = recording.touched.into_inner();
        for (address, change) in &changes.accounts {
            touched.account(*address);
            change
                .storage
                .keys()
                .for_each(|slot| touched.slot(*address, *slot));
        }
        touched
    }
}

/// A state that remembers what was read of it.
struct Recording {
    state: WitnessState,
    touched: RefCell<Touched>,
}

impl StateReader for Recording {
    type Error = support::Unknown;

    fn account(&self, address: Address) -> Result<Option<Account>, Self::Error> {
        self.touched.borrow_mut().account(address);
        self.state.account(address)
    }

    fn slot(&self, address: Address, slot: U256) -> Result<U256, Self::Error> {
        self.touched.borrow_mut().slot(address, slot);
        self.state.slot(address, slot)
    }

    fn code(&self, code_hash: B256) -> Result<Option<Bytes>, Self::Error> {
        self.state.code(code_hash)
    }
}

/// A store in strict mode beside somebody who brings what is missing, from the archive.
struct Served<'a> {
    tier: &'a Tier,
    /// Witnesses brought, and their bytes.
    brought: RefCell<(u64, u64)>,
    /// Siblings taken for branches: neither archive nor witness has them.
    assumed: RefCell<u64>,
}

impl Served<'_> {
    fn bring(&self, missing: &MissingNode) {
        let stub = StubLocation {
            account: missing.trie.0,
            path: missing.path,
        };
        let archive = self.tier.archive().expect("given");
        let nodes = match archive.witness(&stub, missing.hash) {
            Ok(nodes) => nodes,
            Err(ExpiredError::NotArchived { .. }) => {
                self.tier.assume_branch(&stub).expect("there is a stub");
                *self.assumed.borrow_mut() += 1;
                return;
            }
            Err(other) => panic!("{other}"),
        };
        let mut brought = self.brought.borrow_mut();
        brought.0 += 1;
        brought.1 += nodes.iter().map(|node| node.len() as u64).sum::<u64>();
        let witness = Witness {
            nodes,
            starts: vec![stub],
            ..Witness::default()
        };
        self.tier.insert_witness(&witness).expect("the right nodes");
    }

    fn ask<T>(&self, ask: impl Fn(&Tier) -> Result<T, StateError>) -> Result<T, StateError> {
        loop {
            match ask(self.tier) {
                Err(StateError::Missing(missing)) => self.bring(&missing),
                answer => return answer,
            }
        }
    }

    /// The root after the changes; commits them.
    fn commit(&self, id: BlockId, changes: &StateChanges) -> B256 {
        let prepared = loop {
            match self.tier.prepare(changes) {
                Ok(prepared) => break prepared,
                Err(CommitError::State(StateError::Missing(missing))) => self.bring(&missing),
                Err(other) => panic!("{other}"),
            }
        };
        self.tier.commit(id, prepared).expect("commit").root
    }
}

impl StateReader for Served<'_> {
    type Error = StateError;

    fn account(&self, address: Address) -> Result<Option<Account>, StateError> {
        self.ask(|tier| tier.view().account(address))
    }

    fn slot(&self, address: Address, slot: U256) -> Result<U256, StateError> {
        self.ask(|tier| tier.view().slot(address, slot))
    }

    fn code(&self, code_hash: B256) -> Result<Option<Bytes>, StateError> {
        self.ask(|tier| tier.view().code(code_hash))
    }
}

fn id(witness: &BlockWitness) -> BlockId {
    BlockId {
        number: witness.number(),
        hash: witness.hash,
    }
}

/// Executes the block in strict mode; gives witnesses brought, their bytes, and siblings assumed.
fn replay_strict(tier: &Tier, witness: &BlockWitness) -> (u64, u64, u64) {
    let served = Served {
        tier,
        brought: RefCell::default(),
        assumed: RefCell::default(),
    };
    let spec = ChainSpec::mainnet();
    let outcome = execute_block(&served, &witness.block, &witness.block_hashes, &spec);
    let changes = outcome.expect("the block executes").changes;
    let root = served.commit(id(witness), &changes);
    assert_eq!(
        root,
        witness.block.header.state_root,
        "block {}",
        witness.number()
    );
    let ((count, bytes), assumed) = (served.brought.into_inner(), served.assumed.into_inner());
    (count, bytes, assumed)
}

/// Executes the block in archive-backed mode; gives siblings assumed.
fn replay_archive_backed(tier: &Tier, witness: &BlockWitness) -> u64 {
    let spec = ChainSpec::mainnet();
    let mut assumed = 0;
    loop {
        let (block, hashes) = (&witness.block, &witness.block_hashes);
        let mut report =
            verify_block(tier, block, witness.hash, hashes, &spec).expect("the block holds");
        let Some(missing) = report.missing.take() else {
            assert_eq!(tier.head().root, witness.block.header.state_root);
            return assumed;
        };
        let sibling = StubLocation {
            account: missing.trie.0,
            path: missing.path,
        };
        tier.assume_branch(&sibling).expect("there is a stub");
        assumed += 1;
    }
}

/// What the variants of a block, or of several, came to.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    /// Leaves that expired: those that the block does not touch, and all.
    leaves: [u64; 2],
    /// Witnesses brought to the strict variants, and their bytes.
    witnesses: [u64; 2],
    bytes: [u64; 2],
    /// Blocks with a sibling that had to be taken for a branch, by variant.
    assuming: [u64; 3],
}

impl Tally {
    fn add(mut self, other: Self) -> Self {
        for i in 0..2 {
            self.leaves[i] += other.leaves[i];
            self.witnesses[i] += other.witnesses[i];
            self.bytes[i] += other.bytes[i];
        }
        for i in 0..3 {
            self.assuming[i] += other.assuming[i];
        }
        self
    }
}

/// Replays one block on three states that have expired.
fn replay(path: &Path) -> Tally {
    let witness = witness::read(path).expect("a witness");
    let dir = tempfile::tempdir().expect("a folder");
    let mut tally = Tally::default();
    let Touched(touched) = Touched::of(&witness);
    let untouched = |key: StateKey| touched.contains(&(key.account, key.slot));
    let all = |_: StateKey| false;
    let spares: [&(dyn Fn(StateKey) -> bool + Sync); 2] = [&untouched, &all];
    for (i, spare) in spares.into_iter().enumerate() {
        let tier = before(
            &witness,
            &dir.path().join(i.to_string()),
            ExpiredReads::Strict,
        );
        let cut = expire(&tier, spare);
        tally.leaves[i] = cut.accounts + cut.slots;
        let head = tier.head();
        let whole = (head.accounts, head.slots, head.stubs) == (0, 0, 1);
        assert!(i == 0 || whole, "block {}: {head:?}", witness.number());
        let (witnesses, bytes, assumed) = replay_strict(&tier, &witness);
        (tally.witnesses[i], tally.bytes[i]) = (witnesses, bytes);
        tally.assuming[i] = u64::from(assumed > 0);
    }
    let tier = before(
        &witness,
        &dir.path().join("backed"),
        ExpiredReads::ArchiveBacked,
    );
    expire(&tier, &all);
    tally.assuming[2] = u64::from(replay_archive_backed(&tier, &witness) > 0);
    tally
}

#[test]
fn no_real_block_ends_at_another_root_on_a_state_that_has_expired() {
    let Some(witnesses) = mainnet("witness") else {
        return;
    };
    let paths = witness::find(&witnesses).expect("a folder of witnesses");
    assert!(!paths.is_empty());
    let started = Instant::now();
    let next = AtomicUsize::new(0);
    let some = || {
        let mut tally = Tally::default();
        while let Some(path) = paths.get(next.fetch_add(1, Relaxed)) {
            tally = tally.add(replay(path));
        }
        tally
    };
    let threads = std::thread::available_parallelism()
        .map_or(1, usize::from)
        .min(8);
    let tally = std::thread::scope(|scope| {
        let all: Vec<_> = (0..threads).map(|_| scope.spawn(some)).collect();
        let joined = all
            .into_iter()
            .map(|thread| thread.join().expect("no panic"));
        joined.fold(Tally::default(), Tally::add)
    });
    eprintln!(
        "{} blocks in {:.1} s: {tally:?}",
        paths.len(),
        started.elapsed().as_secs_f64()
    );
    // Witnesses of four blocks lack a sibling that a collapse needs, with or without expiry.
    assert!(
        tally.assuming.iter().all(|blocks| *blocks <= 4),
        "{tally:?}"
    );
    assert!(tally.leaves[0] > 0 && tally.witnesses[1] > tally.witnesses[0]);
}
