//! What must hold for any design, whoever wrote it. Each function is one property; [`all`] is all of them.
//!
//! A test file includes this one with `#[path = "support/design_conformance.rs"]`.

#[path = "design_world.rs"]
pub(crate) mod world;

use alloy_primitives::{B256, U256};
use core::time::Duration;
use std::{path::Path, sync::Arc};
use thinstate_formats::BlockNumber;
use thinstate_replay::{
    design::{Applied, DesignError, Overlay, Plan, ReadCost, StateDesign},
    load::BlockLoad,
    measure::TierWork,
};
use world::WorldOptions;

/// The first block of every run.
const FIRST: u64 = 1_000;

/// A design, and what it is tried with.
pub(crate) struct Case<'a> {
    /// Opens its store in the folder, with so many threads.
    pub(crate) open: &'a dyn Fn(&Path, usize) -> Box<dyn StateDesign>,
    /// The blocks that it is given.
    pub(crate) world: WorldOptions,
    /// Whether a block can be planned again after it was undone, or another one in its place.
    pub(crate) plans_again: bool,
}

/// Everything that must hold.
pub(crate) fn all(case: &Case<'_>) {
    no_read_differs_from_the_model(case);
    no_run_differs_from_another(case);
    no_read_ahead_differs(case);
    no_block_is_lost_when_reopened(case);
    no_wrong_expectation_passes(case);
    if case.plans_again {
        no_refused_block_leaves_a_trace(case);
        no_undone_block_leaves_a_trace(case);
    }
}

/// What a block came to, without its times.
pub(crate) type Outcome = (ReadCost, Applied);

fn timeless(applied: Applied) -> Applied {
    Applied {
        state_hash: Duration::ZERO,
        commit: Duration::ZERO,
        ..applied
    }
}

/// Carries a block out from beginning to end.
pub(crate) fn carry_out(
    design: &dyn StateDesign,
    load: &Arc<BlockLoad>,
) -> Result<Outcome, DesignError> {
    let plan = design.plan(Arc::clone(load))?;
    let read = design.read(&plan, &Overlay::default())?;
    let applied = design.apply(plan)?;
    design.rest()?;
    Ok((read, timeless(applied)))
}

fn run(design: &dyn StateDesign, loads: &[Arc<BlockLoad>]) -> Vec<Outcome> {
    let outcome = |load| {
        let outcome = carry_out(design, load);
        outcome.unwrap_or_else(|error| panic!("block {}: {}", load.number, chain(&error)))
    };
    loads.iter().map(outcome).collect()
}

/// An error with its causes.
pub(crate) fn chain(error: &dyn core::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

impl Case<'_> {
    fn blocks(&self, count: u64) -> Vec<Arc<BlockLoad>> {
        world::blocks(self.world, FIRST, count)
    }

    fn opened(&self, dir: &Path) -> Box<dyn StateDesign> {
        (self.open)(dir, 2)
    }

    /// What the blocks come to, one after another.
    fn outcomes(&self, loads: &[Arc<BlockLoad>], threads: usize) -> Vec<Outcome> {
        let dir = tempfile::tempdir().expect("a folder");
        let design = (self.open)(dir.path(), threads);
        run(design.as_ref(), loads)
    }
}

/// Reads of all tiers that hold slots.
fn slots_read(read: &ReadCost) -> u64 {
    let tiers = [&read.slots, &read.temporary, &read.utxo];
    let reads = |work: &TierWork| work.reads_hit + work.reads_absent;
    tiers.into_iter().map(reads).sum()
}

/// Every value is the model's (the read compares them), every key counts once, and the root is alloy-trie's.
pub(crate) fn no_read_differs_from_the_model(case: &Case<'_>) {
    let loads = case.blocks(24);
    let outcomes = case.outcomes(&loads, 2);
    for (load, (read, applied)) in loads.iter().zip(&outcomes) {
        let number = load.number;
        let accounts = read.accounts.reads_hit + read.accounts.reads_absent;
        assert_eq!(accounts, load.accounts.len() as u64, "block {number}");
        assert!(
            slots_read(read) >= load.slots.len() as u64,
            "block {number}"
        );
        assert_eq!(read.codes, load.code_reads.len() as u64);
        assert_eq!(read.code_bytes, 100 * load.code_reads.len() as u64);
        assert_eq!(applied.state_root, load.state_root, "block {number}");
    }
    let commitments: Vec<_> = outcomes.iter().map(|(_, it)| it.commitment).collect();
    let mut distinct = commitments.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), commitments.len(), "each block changes it");
}

/// Commitments, counts and logical bytes are a function of the blocks, whatever the number of threads.
pub(crate) fn no_run_differs_from_another(case: &Case<'_>) {
    let loads = case.blocks(24);
    assert_eq!(case.outcomes(&loads, 1), case.outcomes(&loads, 3));
}

/// Reading a block before the one before it is applied gives what reading it afterwards does.
pub(crate) fn no_read_ahead_differs(case: &Case<'_>) {
    let loads = case.blocks(24);
    let expected = case.outcomes(&loads, 2);
    let dir = tempfile::tempdir().expect("a folder");
    let design = case.opened(dir.path());
    let mut waiting: Option<Plan> = None;
    let mut reads = Vec::new();
    let mut commitments = Vec::new();
    for load in &loads {
        let plan = design.plan(Arc::clone(load)).expect("plan");
        let pending = waiting.as_ref().map(|plan| Arc::clone(&plan.load));
        let overlay = Overlay {
            blocks: pending.into_iter().collect(),
        };
        let read = design.read(&plan, &overlay);
        reads.push(read.unwrap_or_else(|error| panic!("{}", chain(&error))));
        if let Some(before) = waiting.replace(plan) {
            commitments.push(design.apply(before).expect("apply").commitment);
            design.rest().expect("rest");
        }
    }
    let last = waiting.expect("there are blocks");
    commitments.push(design.apply(last).expect("apply").commitment);
    for (at, (read, applied)) in expected.iter().enumerate() {
        assert_eq!(reads[at], *read, "block {}", loads[at].number);
        assert_eq!(commitments[at], applied.commitment);
    }
}

/// A store that is closed and opened again goes on where it was.
pub(crate) fn no_block_is_lost_when_reopened(case: &Case<'_>) {
    let loads = case.blocks(12);
    let expected: Vec<B256> = case
        .outcomes(&loads, 2)
        .iter()
        .map(|it| it.1.commitment)
        .collect();
    let dir = tempfile::tempdir().expect("a folder");
    let mut commitments = Vec::new();
    let mut head = None;
    for part in loads.chunks(4) {
        let design = case.opened(dir.path());
        assert_eq!(design.head(), head);
        let outcomes = run(design.as_ref(), part);
        commitments.extend(outcomes.iter().map(|(_, it)| it.commitment));
        head = design.head();
        assert_eq!(head, part.last().map(|load| load.number));
        design.flush().expect("flush");
    }
    assert_eq!(commitments, expected);
}

/// A load that expects another value than the store has is refused, whichever key it is.
pub(crate) fn no_wrong_expectation_passes(case: &Case<'_>) {
    let loads = case.blocks(8);
    let (last, before) = loads.split_last().expect("there are blocks");
    let dir = tempfile::tempdir().expect("a folder");
    let design = case.opened(dir.path());
    run(design.as_ref(), before);
    let refused = |wrong: BlockLoad| {
        let plan = design.plan(Arc::new(wrong))?;
        design.read(&plan, &Overlay::default())
    };
    if !case.plans_again {
        let mut wrong = BlockLoad::clone(last);
        wrong.slots[0].before ^= U256::from(2);
        let error = refused(wrong).expect_err("a wrong value");
        assert!(matches!(error, DesignError::Slot(_)), "{}", chain(&error));
        return;
    }
    for at in 0..last.accounts.len() {
        let mut wrong = BlockLoad::clone(last);
        let account = &mut wrong.accounts[at];
        let mut before = account.before.unwrap_or_default();
        before.nonce += 1;
        account.before = Some(before);
        let error = refused(wrong).expect_err("a wrong account");
        let DesignError::Account(wrong) = &error else {
            panic!("{}", chain(&error));
        };
        assert_eq!(wrong.number, last.number);
        assert_eq!(wrong.address, last.accounts[at].address);
        assert_eq!(wrong.expected, Some(before));
        assert_eq!(wrong.got, last.accounts[at].before);
    }
    for at in 0..last.slots.len() {
        let mut wrong = BlockLoad::clone(last);
        wrong.slots[at].before ^= U256::from(2);
        let error = refused(wrong).expect_err("a wrong value");
        let DesignError::Slot(wrong) = &error else {
            panic!("{}", chain(&error));
        };
        let slot = last.slots[at];
        assert_eq!(wrong.number, last.number);
        assert_eq!((wrong.address, wrong.slot), slot.key());
        assert_eq!(
            (wrong.expected, wrong.got),
            (slot.before ^ U256::from(2), slot.before)
        );
    }
}

/// Blocks that are refused change nothing: those that follow come to what they would have.
pub(crate) fn no_refused_block_leaves_a_trace(case: &Case<'_>) {
    let loads = case.blocks(10);
    let expected = case.outcomes(&loads, 2);
    let dir = tempfile::tempdir().expect("a folder");
    let design = case.opened(dir.path());
    for (load, expected) in loads.iter().zip(&expected) {
        let head = design.head();
        if head.is_some() {
            let mut later = BlockLoad::clone(load);
            later.number.0 += 1;
            let plan = design.plan(Arc::new(later)).expect("plan");
            let refused = design.apply(plan).expect_err("a gap");
            let DesignError::NotNext { expected, got } = refused else {
                panic!("{}", chain(&refused));
            };
            assert_eq!((expected, got.0), (load.number, load.number.0 + 1));
        }
        if case.world.in_trie.is_some() {
            let mut wrong = BlockLoad::clone(load);
            wrong.state_root = Some(B256::repeat_byte(1));
            let plan = design.plan(Arc::new(wrong)).expect("plan");
            let refused = design.apply(plan).expect_err("another root");
            let DesignError::Root { number, got, .. } = refused else {
                panic!("{}", chain(&refused));
            };
            assert_eq!((number, Some(got)), (load.number, load.state_root));
        }
        assert_eq!(design.head(), head);
        let outcome = carry_out(design.as_ref(), load);
        let outcome = outcome.unwrap_or_else(|error| panic!("{}", chain(&error)));
        assert_eq!(outcome, *expected, "block {}", load.number);
    }
}

/// Undoing to every depth gives the state that was there: blocks applied again come to what they had.
pub(crate) fn no_undone_block_leaves_a_trace(case: &Case<'_>) {
    let loads = case.blocks(12);
    let expected: Vec<B256> = case
        .outcomes(&loads, 2)
        .iter()
        .map(|it| it.1.commitment)
        .collect();
    let dir = tempfile::tempdir().expect("a folder");
    let design = case.opened(dir.path());
    run(design.as_ref(), &loads);
    for depth in 1..loads.len() {
        let from = loads.len() - depth;
        for _ in 0..depth {
            design
                .undo()
                .unwrap_or_else(|error| panic!("{}", chain(&error)));
        }
        assert_eq!(design.head(), Some(BlockNumber(FIRST + from as u64 - 1)));
        let outcomes = run(design.as_ref(), &loads[from..]);
        let again: Vec<B256> = outcomes.iter().map(|it| it.1.commitment).collect();
        assert_eq!(again, expected[from..], "after undoing {depth}");
    }
}
