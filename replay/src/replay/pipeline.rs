//! The stages of a block, one behind the other or overlapped.

use super::{
    clock::{Clock, Pace, backlog},
    error::ReplayError,
};
use crate::{
    amplify::{LoadSource, SourceError},
    design::{DesignError, Overlay, Plan, ReadCost, StateDesign},
    load::BlockLoad,
    measure::{
        BlockCost,
        probes::{Probes, Use, cpu_time},
    },
};
use core::{
    ops::ControlFlow,
    sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    time::Duration,
};
use crossbeam::channel::{Receiver, Sender, bounded};
use rustix::time::ClockId;
use std::{sync::Arc, thread, time::Instant};
use thinstate_engine::leaf_store::IoCounters;

/// A workload's way through a design.
#[derive(Clone, Copy)]
pub struct Pipeline<'a> {
    /// The design.
    pub design: &'a dyn StateDesign,
    /// How slots arrive.
    pub pace: Pace,
    /// Whether the reads of a block run while the block before is applied, and planning ahead of both.
    pub overlap: bool,
    /// Blocks that are planned ahead, at most.
    pub plan_ahead: usize,
    /// Blocks that do not count, from the first.
    pub warm_up: u64,
    /// Blocks that were done by an earlier part of the run; the source is behind them.
    pub done: u64,
    /// Blocks in all, those of the warm-up included; `None` for all that the source has.
    pub blocks: Option<u64>,
    /// Blocks after which everything that is planned must also be done, so that the design can keep what it
    /// knows. With it, what is planned is still done after being told to stop.
    pub checkpoint: Option<u64>,
    /// Told to stop: the block at hand is then the last.
    pub stop: &'a AtomicBool,
}

/// A block that was done.
#[derive(Clone, Debug)]
pub struct BlockDone {
    /// What it cost.
    pub cost: BlockCost,
    /// What it asked of the state.
    pub load: Arc<BlockLoad>,
    /// Slots that have arrived since and wait, in an open loop.
    pub backlog: u64,
}

/// Takes what a pipeline yields.
pub trait Sink {
    /// The next block is the first that counts.
    fn begin(&mut self) -> Result<(), ReplayError>;

    /// A block was done. An error ends the run, and so does a break: it has seen enough.
    fn block(&mut self, block: &BlockDone) -> Result<ControlFlow<()>, ReplayError>;
}

/// How a pipeline ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    /// Whether all blocks were done.
    pub completed: bool,
    /// Whether they were not because the sink had seen enough.
    pub enough: bool,
    /// From the first counted block's arrival to the last one's durability.
    pub elapsed: Duration,
    /// Time that reading waited for planning: at most so much of the rest is the harness's.
    pub starved: Duration,
}

/// A block whose reads are done.
struct Read {
    plan: Plan,
    arrival: Instant,
    begun: Instant,
    cost: ReadCost,
    took: Duration,
    starved: Duration,
}

/// Counters at the end of a block.
struct Counted {
    io: IoCounters,
    system: Use,
}

impl Pipeline<'_> {
    /// Carries out the loads of `source`. `probes` watch the process and the device.
    pub fn run(
        &self,
        source: &mut dyn LoadSource,
        probes: &mut Probes,
        sink: &mut dyn Sink,
    ) -> Result<Ended, ReplayError> {
        let planning = Planning::default();
        let mut applier = Applier {
            pipeline: self,
            planning: &planning,
            planning_counted: Duration::ZERO,
            counted: Counted::now(self.design, probes),
            probes,
            sink,
            next: self.done,
            first_arrival: None,
            enough: false,
            ended: Ended::default(),
        };
        if self.done == self.warm_up {
            applier.begin()?;
        }
        match self.overlap {
            true => self.overlapped(source, &planning, &mut applier)?,
            false => self.one_by_one(source, &planning, &mut applier)?,
        }
        let cut_short = applier.enough || self.stop.load(Relaxed);
        let completed = !cut_short || self.blocks.is_some_and(|blocks| applier.next >= blocks);
        Ok(Ended {
            completed,
            enough: applier.enough && !completed,
            ..applier.ended
        })
    }

    fn one_by_one(
        &self,
        source: &mut dyn LoadSource,
        planning: &Planning,
        applier: &mut Applier<'_, '_>,
    ) -> Result<(), ReplayError> {
        let mut clock = Clock::new(self.pace, self.warm_up);
        while !self.stop.load(Relaxed) && self.wants(applier.next) {
            let asked = Instant::now();
            let planned = planning.during(ClockId::ProcessCPUTime, || self.plan(source))?;
            let Some(plan) = planned else {
                break;
            };
            let starved = asked.elapsed();
            let Some(arrival) = self.arrival(&mut clock, applier.next) else {
                break;
            };
            let read = self.read(plan, &Overlay::default(), arrival, starved)?;
            if applier.apply(read)?.is_break() {
                break;
            }
        }
        Ok(())
    }

    /// Three threads: this one applies. Whoever ends, drops its end of the queues, and so ends the others.
    fn overlapped(
        &self,
        source: &mut dyn LoadSource,
        planning: &Planning,
        applier: &mut Applier<'_, '_>,
    ) -> Result<(), ReplayError> {
        let (plans, planned) = bounded(self.plan_ahead);
        // A rendezvous: what was handed over is being applied, and what came before it is done.
        let (reads, ready) = bounded::<Result<Read, ReplayError>>(0);
        let (begin, may_begin) = bounded(1);
        let (resume, may_plan) = bounded(1);
        if self.done >= self.warm_up {
            // Whoever holds the other end is yet to start.
            let _ = begin.send(());
        }
        thread::scope(|scope| {
            scope.spawn(move || self.planner(source, planning, &plans, &may_plan));
            scope.spawn(move || self.reader(&planned, &reads, &may_begin));
            let applied = self.applier(&ready, applier, &begin, &resume);
            drop((ready, begin, resume));
            applied
        })
    }

    fn planner(
        &self,
        source: &mut dyn LoadSource,
        planning: &Planning,
        plans: &Sender<Result<Plan, ReplayError>>,
        may_plan: &Receiver<()>,
    ) {
        let mut next = self.done;
        while self.wants(next) {
            if self.pauses_before(next) && may_plan.recv().is_err() {
                return;
            }
            if self.stop.load(Relaxed) {
                return;
            }
            let planned = planning.during(ClockId::ThreadCPUTime, || self.plan(source));
            let Some(plan) = planned.transpose() else {
                return;
            };
            let failed = plan.is_err();
            if plans.send(plan).is_err() || failed {
                return;
            }
            next += 1;
        }
    }

    fn reader(
        &self,
        planned: &Receiver<Result<Plan, ReplayError>>,
        reads: &Sender<Result<Read, ReplayError>>,
        may_begin: &Receiver<()>,
    ) {
        let mut clock = Clock::new(self.pace, self.warm_up);
        let mut overlay = Overlay::default();
        let mut next = self.done;
        loop {
            let asked = Instant::now();
            let Ok(plan) = planned.recv() else { return };
            let starved = match self.pauses_before(next) {
                true => Duration::ZERO,
                false => asked.elapsed(),
            };
            // What counts begins when all that does not is behind it.
            if next == self.warm_up.max(self.done) {
                if may_begin.recv().is_err() {
                    return;
                }
                overlay.blocks.clear();
            }
            let Some(arrival) = self.arrival(&mut clock, next) else {
                return;
            };
            let read = plan.and_then(|plan| self.read(plan, &overlay, arrival, starved));
            overlay.blocks = match &read {
                Ok(read) => vec![Arc::clone(&read.plan.load)],
                Err(_) => Vec::new(),
            };
            let failed = read.is_err();
            if reads.send(read).is_err() || failed {
                return;
            }
            next += 1;
        }
    }

    fn applier(
        &self,
        ready: &Receiver<Result<Read, ReplayError>>,
        applier: &mut Applier<'_, '_>,
        begin: &Sender<()>,
        resume: &Sender<()>,
    ) -> Result<(), ReplayError> {
        while let Ok(read) = ready.recv() {
            if applier.apply(read?)?.is_break() {
                break;
            }
            if applier.next == self.warm_up && begin.send(()).is_err() {
                break;
            }
            if self.pauses_before(applier.next) {
                // A planner that has no more to plan does not wait for it.
                let _ = resume.send(());
            }
            if self.stop.load(Relaxed) && self.checkpoint.is_none() {
                break;
            }
        }
        Ok(())
    }

    /// Whether everything before the block is done before it is planned.
    fn pauses_before(&self, next: u64) -> bool {
        next > self.done
            && self
                .checkpoint
                .is_some_and(|every| next.is_multiple_of(every))
    }

    /// When a block arrives; `None` where it is not to be done any more.
    fn arrival(&self, clock: &mut Clock, next: u64) -> Option<Instant> {
        let arrival = clock.arrival(next, self.stop);
        arrival.or_else(|| self.checkpoint.map(|_| Instant::now()))
    }

    fn wants(&self, next: u64) -> bool {
        self.blocks.is_none_or(|blocks| next < blocks)
    }

    fn plan(&self, source: &mut dyn LoadSource) -> Result<Option<Plan>, ReplayError> {
        let Some(load) = source.next()? else {
            return Ok(None);
        };
        load.check().map_err(SourceError::from)?;
        let plan = self.design.plan(Arc::new(load));
        plan.map(Some).map_err(|error| self.failed(error))
    }

    fn read(
        &self,
        plan: Plan,
        overlay: &Overlay,
        arrival: Instant,
        starved: Duration,
    ) -> Result<Read, ReplayError> {
        let begun = Instant::now();
        let cost = self.design.read(&plan, overlay);
        let took = begun.elapsed();
        Ok(Read {
            plan,
            arrival,
            begun,
            cost: cost.map_err(|error| self.failed(error))?,
            took,
            starved,
        })
    }

    fn failed(&self, error: DesignError) -> ReplayError {
        let design = self.design.info().name;
        match error {
            DesignError::Root {
                number,
                expected,
                got,
            } => ReplayError::Root {
                number,
                design,
                got,
                expected,
                reference: "the block's header".to_owned(),
            },
            error => ReplayError::state(&design)(error),
        }
    }
}

/// The last stage, and the counters.
struct Applier<'a, 'b> {
    pipeline: &'a Pipeline<'b>,
    planning: &'a Planning,
    /// CPU time of planning that lies behind the last block.
    planning_counted: Duration,
    probes: &'a mut Probes,
    sink: &'a mut dyn Sink,
    counted: Counted,
    /// Blocks done.
    next: u64,
    first_arrival: Option<Instant>,
    /// Whether the sink has seen enough.
    enough: bool,
    ended: Ended,
}

impl Applier<'_, '_> {
    fn begin(&mut self) -> Result<(), ReplayError> {
        self.sink.begin()?;
        self.planning_counted = self.planning.so_far();
        self.counted = Counted::now(self.pipeline.design, self.probes);
        Ok(())
    }

    fn apply(&mut self, read: Read) -> Result<ControlFlow<()>, ReplayError> {
        let Pipeline { design, pace, .. } = *self.pipeline;
        let load = Arc::clone(&read.plan.load);
        let failed = |error| self.pipeline.failed(error);
        let applied = design.apply(read.plan).map_err(failed)?;
        let durable = Instant::now();
        let rested = design.rest().map_err(failed)?;
        let warm_up = self.next < self.pipeline.warm_up;
        let total_from = match pace {
            Pace::Open { .. } if !warm_up => read.arrival,
            _ => read.begun,
        };
        let mut cost = BlockCost {
            number: load.number,
            blocks: load.blocks,
            gas_used: load.gas_used,
            tx_count: load.tx_count,
            warm_up,
            state_root: applied.state_root,
            commitment: applied.commitment,
            codes_read: read.cost.codes,
            codes_read_cold: read.cost.codes_cold,
            code_bytes_read: read.cost.code_bytes,
            expired_entries: rested.expired_entries,
            wait: read.begun.saturating_duration_since(total_from),
            state_read: read.took,
            state_hash: applied.state_hash,
            commit: applied.commit,
            background: rested.took,
            total: durable.saturating_duration_since(total_from),
            ..BlockCost::default()
        };
        cost.add_work(&read.cost, &applied);
        cost.accounts.archive_bytes += rested.archive_bytes;
        self.count(&mut cost);
        self.next += 1;
        if !warm_up {
            let first = *self.first_arrival.get_or_insert(total_from);
            self.ended.elapsed = durable.saturating_duration_since(first);
            self.ended.starved += read.starved;
        }
        let backlog = match warm_up {
            true => 0,
            false => backlog(pace, read.arrival, Instant::now()),
        };
        let done = BlockDone {
            cost,
            load,
            backlog,
        };
        let flow = self.sink.block(&done)?;
        self.enough = flow.is_break();
        if self.next == self.pipeline.warm_up {
            self.begin()?;
        }
        Ok(flow)
    }

    /// What was counted since the end of the block before.
    fn count(&mut self, cost: &mut BlockCost) {
        let now = Counted::now(self.pipeline.design, self.probes);
        cost.io = now.io.since(&self.counted.io);
        now.system.since(&self.counted.system).enter(cost);
        let planning = self.planning.so_far();
        cost.cpu = cost
            .cpu
            .saturating_sub(planning.saturating_sub(self.planning_counted));
        self.planning_counted = planning;
        self.counted = now;
    }
}

/// CPU time that planning took so far: senders and wallets spend it, not the state.
#[derive(Debug, Default)]
struct Planning {
    cpu_ns: AtomicU64,
}

impl Planning {
    /// Plans, and adds what that took by this clock.
    fn during<T>(&self, clock: ClockId, plan: impl FnOnce() -> T) -> T {
        let before = cpu_time(clock);
        let planned = plan();
        let took = cpu_time(clock).saturating_sub(before).as_nanos();
        self.cpu_ns
            .fetch_add(u64::try_from(took).unwrap_or(u64::MAX), Relaxed);
        planned
    }

    fn so_far(&self) -> Duration {
        Duration::from_nanos(self.cpu_ns.load(Relaxed))
    }
}

impl Counted {
    fn now(design: &dyn StateDesign, probes: &mut Probes) -> Self {
        Self {
            io: design.counters(),
            system: probes.now(),
        }
    }
}
