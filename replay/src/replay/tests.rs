//! Pipelines over a design in memory.

#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

use super::{BlockDone, Pace, Pipeline, ReplayError, Sink};
use crate::{
    amplify::{LoadSource, SourceError},
    design::{
        Applied, DesignError, FillContext, Overlay, Plan, Preload, ReadCost, Rested, StateDesign,
    },
    load::{AccountLoad, BlockLoad, SlotLoad},
    measure::{DesignInfo, StateSize, probes::Probes},
    population::Population,
};
use alloy_primitives::{Address, B256, U256};
use core::{
    ops::ControlFlow,
    sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
    time::Duration,
};
use std::{
    path::Path,
    sync::{Arc, Condvar, Mutex},
};
use thinstate_engine::{
    BlockId, Options, PermanentTier,
    leaf_store::{IoCounters, MemoryStore},
};
use thinstate_formats::{Account, BlockNumber, StateReader as _, object::ObjectClass};

const HUB: Address = Address::repeat_byte(0x11);

/// Loads that write the same keys over and over: each block finds what the one before left.
struct Blocks {
    next: u64,
    end: u64,
    asked: Arc<AtomicU64>,
}

fn user(number: u64) -> Address {
    Address::left_padding_from(&(1_000 + number).to_be_bytes())
}

fn hub(nonce: u64) -> Account {
    Account {
        nonce,
        ..Account::default()
    }
}

fn load(number: u64) -> BlockLoad {
    let slot = |key: u64, before: u64, after: u64| SlotLoad {
        address: HUB,
        slot: U256::from(key),
        before: U256::from(before),
        after: U256::from(after),
        class: ObjectClass::PlainSlot,
        object: None,
    };
    let mut load = BlockLoad {
        number: BlockNumber(number),
        blocks: 1,
        gas_used: 1_000_000,
        tx_count: 3,
        accounts: vec![
            AccountLoad {
                address: HUB,
                before: (number > 1).then(|| hub(number - 1)),
                after: Some(hub(number)),
                storage_wiped: false,
            },
            AccountLoad {
                address: user(number),
                before: None,
                after: Some(hub(1)),
                storage_wiped: false,
            },
        ],
        slots: vec![slot(1, number - 1, number), slot(number + 10, 0, number)],
        ..BlockLoad::default()
    };
    load.sort();
    load
}

impl LoadSource for Blocks {
    fn next(&mut self) -> Result<Option<BlockLoad>, SourceError> {
        self.asked.fetch_add(1, SeqCst);
        if self.next > self.end {
            return Ok(None);
        }
        self.next += 1;
        Ok(Some(load(self.next - 1)))
    }

    fn remaining(&self) -> Option<u64> {
        Some(self.end + 1 - self.next)
    }
}

fn blocks(end: u64) -> Blocks {
    Blocks {
        next: 1,
        end,
        asked: Arc::default(),
    }
}

/// The permanent tier in memory, which can be told to fail, or to insist that reads run ahead.
struct MemoryDesign {
    tier: PermanentTier<MemoryStore>,
    fails_at: Option<u64>,
    /// Applying block `n` waits until block `n + 1` is read.
    insists: bool,
    /// The last block whose reads began.
    read: Mutex<u64>,
    told: Condvar,
    /// The last block that was planned.
    planned: AtomicU64,
    applied: AtomicU64,
}

impl MemoryDesign {
    fn new() -> Self {
        let options = Options {
            threads: Some(1),
            ..Options::default()
        };
        let tier = PermanentTier::open(MemoryStore::new(), options).unwrap();
        Self {
            tier,
            fails_at: None,
            insists: false,
            read: Mutex::new(0),
            told: Condvar::new(),
            planned: AtomicU64::new(0),
            applied: AtomicU64::new(0),
        }
    }

    /// Whether the reads of the next block began within reason.
    fn next_is_read(&self, number: u64) -> bool {
        let read = self.read.lock().unwrap();
        let waiting = |read: &mut u64| *read <= number;
        let limit = Duration::from_secs(20);
        let (read, _) = self.told.wait_timeout_while(read, limit, waiting).unwrap();
        *read > number
    }
}

fn refused(what: &str) -> DesignError {
    DesignError::Unsupported {
        design: "memory".to_owned(),
        what: what.to_owned(),
    }
}

impl StateDesign for MemoryDesign {
    fn info(&self) -> DesignInfo {
        DesignInfo {
            name: "memory".to_owned(),
            summary: "in memory".to_owned(),
            tiers: Default::default(),
            trie: Some("all".to_owned()),
            parameters: serde_json::Value::Null,
        }
    }

    fn fill(&self, _: &Population, _: &FillContext<'_>) -> Result<(), DesignError> {
        Err(refused("fill"))
    }

    fn preload(&self, _: &Preload, _: &FillContext<'_>) -> Result<(), DesignError> {
        Err(refused("preload"))
    }

    fn plan(&self, load: Arc<BlockLoad>) -> Result<Plan, DesignError> {
        self.planned.store(load.number.0, SeqCst);
        Ok(Plan {
            load,
            private: Box::new(()),
        })
    }

    fn read(&self, plan: &Plan, overlay: &Overlay) -> Result<ReadCost, DesignError> {
        *self.read.lock().unwrap() = plan.load.number.0;
        self.told.notify_all();
        let view = self.tier.view();
        let mut cost = ReadCost::default();
        for account in &plan.load.accounts {
            let stored = || view.account(account.address).unwrap();
            let found = overlay.account(account.address).unwrap_or_else(stored);
            assert_eq!(found, account.before);
            cost.accounts.reads_hit += 1;
        }
        for slot in &plan.load.slots {
            let stored = || view.slot(slot.address, slot.slot).unwrap();
            let found = overlay.slot(slot.address, slot.slot).unwrap_or_else(stored);
            assert_eq!(found, slot.before);
            cost.slots.reads_hit += 1;
        }
        Ok(cost)
    }

    fn apply(&self, plan: Plan) -> Result<Applied, DesignError> {
        let number = plan.load.number;
        if self.fails_at == Some(number.0) {
            return Err(refused("to go on"));
        }
        if self.insists && !self.next_is_read(number.0) {
            return Err(refused("to apply a block before the next is read"));
        }
        let id = BlockId {
            number,
            hash: B256::ZERO,
        };
        let report = self.tier.apply(id, &plan.load.changes(|_| true)).unwrap();
        self.applied.fetch_add(1, SeqCst);
        let mut applied = Applied {
            state_root: Some(report.root),
            commitment: report.root,
            ..Applied::default()
        };
        applied.slots.updated = report.slots_written;
        Ok(applied)
    }

    fn rest(&self) -> Result<Rested, DesignError> {
        Ok(Rested {
            archive_bytes: 5,
            ..Rested::default()
        })
    }

    fn head(&self) -> Option<BlockNumber> {
        self.tier.head().block.map(|block| block.number)
    }

    fn undo(&self) -> Result<(), DesignError> {
        Err(refused("undo"))
    }

    fn settle(&self) -> Result<(), DesignError> {
        Ok(())
    }

    fn flush(&self) -> Result<(), DesignError> {
        Ok(())
    }

    fn counters(&self) -> IoCounters {
        self.tier.counters()
    }

    fn size(&self) -> Result<StateSize, DesignError> {
        Ok(StateSize::default())
    }
}

/// Keeps everything; can interrupt after a block.
struct Kept<'a> {
    design: &'a MemoryDesign,
    stop: &'a AtomicBool,
    stop_after: Option<u64>,
    enough_after: Option<u64>,
    done: Vec<BlockDone>,
    /// Blocks applied when those that count began.
    begun_at: Vec<u64>,
    /// Blocks planned by the end of each.
    planned: Vec<u64>,
}

impl Sink for Kept<'_> {
    fn begin(&mut self) -> Result<(), ReplayError> {
        self.begun_at.push(self.design.applied.load(SeqCst));
        Ok(())
    }

    fn block(&mut self, block: &BlockDone) -> Result<ControlFlow<()>, ReplayError> {
        self.done.push(block.clone());
        self.planned.push(self.design.planned.load(SeqCst));
        if self.stop_after == Some(block.cost.number.0) {
            self.stop.store(true, SeqCst);
        }
        Ok(match self.enough_after == Some(block.cost.number.0) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        })
    }
}

/// How to run, and what comes of it.
struct Case<'a> {
    design: &'a MemoryDesign,
    overlap: bool,
    warm_up: u64,
    pace: Pace,
    blocks: Option<u64>,
    stop_after: Option<u64>,
    enough_after: Option<u64>,
    checkpoint: Option<u64>,
}

/// Blocks that were done, and two counts of each: see [`Case::kept`].
type Seen = (Vec<BlockDone>, Vec<u64>, Vec<u64>);

impl<'a> Case<'a> {
    fn new(design: &'a MemoryDesign, overlap: bool) -> Self {
        Self {
            design,
            overlap,
            warm_up: 0,
            pace: Pace::Closed,
            blocks: None,
            stop_after: None,
            enough_after: None,
            checkpoint: None,
        }
    }

    fn run(
        self,
        source: &mut Blocks,
    ) -> (Result<super::Ended, ReplayError>, Vec<BlockDone>, Vec<u64>) {
        let (ended, kept) = self.kept(source);
        (ended, kept.0, kept.1)
    }

    /// Also the blocks that were planned by the end of each.
    fn kept(self, source: &mut Blocks) -> (Result<super::Ended, ReplayError>, Seen) {
        let stop = AtomicBool::new(false);
        let mut kept = Kept {
            design: self.design,
            stop: &stop,
            stop_after: self.stop_after,
            enough_after: self.enough_after,
            done: Vec::new(),
            begun_at: Vec::new(),
            planned: Vec::new(),
        };
        let pipeline = Pipeline {
            design: self.design,
            pace: self.pace,
            overlap: self.overlap,
            plan_ahead: 2,
            warm_up: self.warm_up,
            done: 0,
            blocks: self.blocks,
            checkpoint: self.checkpoint,
            stop: &stop,
        };
        let mut probes = Probes::open(Path::new("."));
        let ended = pipeline.run(source, &mut probes, &mut kept);
        (ended, (kept.done, kept.begun_at, kept.planned))
    }
}

#[test]
fn no_root_or_count_depends_on_overlap() {
    let runs = [true, false].map(|overlap| {
        let design = MemoryDesign::new();
        let (ended, done, _) = Case::new(&design, overlap).run(&mut blocks(40));
        assert!(ended.unwrap().completed);
        let of = |it: &BlockDone| {
            let cost = &it.cost;
            let reads = (cost.accounts.reads_hit, cost.slots.reads_hit);
            (cost.number, cost.state_root, reads, cost.slots.updated)
        };
        assert!(done.iter().all(|it| it.cost.accounts.archive_bytes == 5));
        done.iter().map(of).collect::<Vec<_>>()
    });
    assert_eq!(runs[0].len(), 40);
    assert_eq!(runs[0], runs[1]);
}

#[test]
fn reads_of_a_block_do_not_wait_for_the_block_before() {
    let design = MemoryDesign {
        insists: true,
        ..MemoryDesign::new()
    };
    // The last block has none behind it to be read: the design would wait for it in vain.
    let case = Case {
        blocks: Some(20),
        stop_after: Some(19),
        ..Case::new(&design, true)
    };
    let (ended, done, _) = case.run(&mut blocks(21));
    assert!(!ended.unwrap().completed, "stopped before the last block");
    assert_eq!(done.len(), 19);
}

#[test]
fn an_interrupted_run_ends_after_the_block_at_hand() {
    for overlap in [true, false] {
        let design = MemoryDesign::new();
        let case = Case {
            stop_after: Some(7),
            ..Case::new(&design, overlap)
        };
        let (ended, done, _) = case.run(&mut blocks(40));
        assert!(!ended.unwrap().completed);
        assert_eq!(done.len(), 7);
        assert_eq!(design.head(), Some(BlockNumber(7)));
    }
}

#[test]
fn a_run_that_has_seen_enough_ends_after_the_block_at_hand() {
    for (overlap, checkpoint) in [(true, None), (true, Some(5)), (false, None)] {
        let design = MemoryDesign::new();
        let case = Case {
            blocks: Some(40),
            enough_after: Some(7),
            checkpoint,
            ..Case::new(&design, overlap)
        };
        let (ended, done, _) = case.run(&mut blocks(40));
        let ended = ended.unwrap();
        assert_eq!((ended.completed, ended.enough), (false, true));
        assert_eq!(done.len(), 7);
        assert_eq!(design.head(), Some(BlockNumber(7)));
    }
}

#[test]
fn a_run_that_has_seen_enough_at_its_last_block_is_complete() {
    let design = MemoryDesign::new();
    let case = Case {
        blocks: Some(7),
        enough_after: Some(7),
        ..Case::new(&design, true)
    };
    let (ended, done, _) = case.run(&mut blocks(40));
    let ended = ended.unwrap();
    assert_eq!((ended.completed, ended.enough), (true, false));
    assert_eq!(done.len(), 7);
}

/// Whoever waits for the block that failed must not wait for ever.
#[test]
fn an_error_never_leaves_a_stage_waiting() {
    let failing = |at| MemoryDesign {
        fails_at: Some(at),
        ..MemoryDesign::new()
    };
    // Reading waits for the end of the warm-up.
    let design = failing(4);
    let case = Case {
        warm_up: 4,
        ..Case::new(&design, true)
    };
    let (ended, done, _) = case.run(&mut blocks(40));
    assert!(ended.is_err());
    assert_eq!(done.len(), 3);
    // Planning waits for a checkpoint.
    let design = failing(5);
    let case = Case {
        checkpoint: Some(5),
        ..Case::new(&design, true)
    };
    let (ended, done, _) = case.run(&mut blocks(40));
    assert!(ended.is_err());
    assert_eq!(done.len(), 4);
}

#[test]
fn nothing_is_applied_after_an_error() {
    for overlap in [true, false] {
        let design = MemoryDesign {
            fails_at: Some(9),
            ..MemoryDesign::new()
        };
        let (ended, done, _) = Case::new(&design, overlap).run(&mut blocks(40));
        assert!(matches!(ended, Err(ReplayError::State { .. })));
        assert_eq!(done.len(), 8);
        assert_eq!(design.head(), Some(BlockNumber(8)));
    }
}

#[test]
fn no_block_of_the_warm_up_counts() {
    for overlap in [true, false] {
        let design = MemoryDesign::new();
        let case = Case {
            warm_up: 4,
            blocks: Some(10),
            ..Case::new(&design, overlap)
        };
        let (ended, done, begun_at) = case.run(&mut blocks(40));
        assert!(ended.unwrap().completed);
        assert_eq!(begun_at, [4], "once, with nothing that counts under way");
        let counted: Vec<_> = done.iter().map(|it| !it.cost.warm_up).collect();
        assert_eq!(counted, [[false; 4].as_slice(), &[true; 6]].concat());
    }
}

#[test]
fn planning_never_runs_ahead_without_bound() {
    let design = MemoryDesign::new();
    let case = Case {
        stop_after: Some(3),
        ..Case::new(&design, true)
    };
    let mut source = blocks(1_000);
    let (_, done, _) = case.run(&mut source);
    assert_eq!(done.len(), 3);
    // Applied, at the rendezvous, being read, in the queue, in the planner's hands.
    let asked = source.asked.load(SeqCst);
    assert!(asked <= 3 + 1 + 1 + 2 + 1, "{asked} asked for");
}

#[test]
fn latency_counts_from_the_arrival_where_slots_come_by_the_clock() {
    let design = MemoryDesign::new();
    let case = Case {
        warm_up: 2,
        blocks: Some(12),
        // Far faster than any store: everything is late.
        pace: Pace::Open {
            interval: Duration::from_nanos(1),
        },
        ..Case::new(&design, true)
    };
    let (ended, done, _) = case.run(&mut blocks(40));
    let ended = ended.unwrap();
    let counted = done.iter().filter(|it| !it.cost.warm_up);
    let totals: Vec<_> = counted.map(|it| it.cost.total).collect();
    assert!(
        totals.is_sorted(),
        "each waits for all before it: {totals:?}"
    );
    let last = totals.last().copied().unwrap();
    assert!(ended.elapsed >= last, "counted from the first arrival");
    assert!(done.iter().any(|it| it.backlog > 0));
}

#[test]
fn nothing_is_planned_past_a_checkpoint_before_it_is_reached() {
    let design = MemoryDesign::new();
    let case = Case {
        checkpoint: Some(5),
        stop_after: Some(12),
        ..Case::new(&design, true)
    };
    let (ended, (done, _, planned)) = case.kept(&mut blocks(1_000));
    assert!(!ended.unwrap().completed);
    for at in [4, 9] {
        assert_eq!(planned[at], at as u64 + 1, "block {}", at + 1);
    }
    // Told to stop, it still does what is planned: no design is left with plans of blocks that never come.
    assert!((12..=15).contains(&done.len()), "{} done", done.len());
    assert_eq!(design.planned.load(SeqCst), done.len() as u64);
}
