//! One design's run: what is recorded, compared and reported while it goes.

use super::{
    BlockDone, BlockProgress, Checkpoint, Ended, Progress, Reference, Roots, RunConfig, Sink,
    error::ReplayError, verdict::cannot_fit, work::count_classes,
};
use crate::{
    design::StateDesign,
    measure::{
        Decided, DesignInfo, Deviation, DeviceProfile, LastBlock, Machine, Program, RESULT_SCHEMA,
        Recorder, RunResult, RunStatus, StateSize, Totals, WorkloadInfo, probes::memory_bytes_max,
    },
};
use core::{ops::ControlFlow, time::Duration};
use std::{
    path::Path,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

/// The deviation that counts what copies lack.
pub(crate) const KEYS_LACKING: &str = "keys_lacking";

/// A run under way.
pub(super) struct Session<'a> {
    pub(super) config: &'a RunConfig,
    pub(super) info: DesignInfo,
    pub(super) recorder: Recorder,
    /// What its roots are compared with.
    pub(super) roots: &'a Roots,
    /// Whether the roots of the source hold.
    pub(super) whole: bool,
    pub(super) progress: &'a dyn Progress,
    /// Slots in all.
    pub(super) slots: Option<u64>,
    /// How far it has come.
    pub(super) reached: Checkpoint,
    pub(super) own: Option<Reference>,
    pub(super) last: Option<LastBlock>,
    pub(super) begun: Instant,
    /// Wall-clock seconds of earlier parts.
    pub(super) earlier_wall_s: f64,
    /// What the device can do.
    pub(super) device: Option<DeviceProfile>,
}

/// A session with its design, as a pipeline takes it.
pub(super) struct Recording<'a, 'b> {
    pub(super) session: &'a mut Session<'b>,
    pub(super) design: &'a dyn StateDesign,
}

/// Seconds since 1970.
pub(super) fn now_s() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |now| now.as_secs())
}

impl Sink for Recording<'_, '_> {
    fn begin(&mut self) -> Result<(), ReplayError> {
        let name = &self.session.info.name;
        let size = self.design.size().map_err(ReplayError::state(name))?;
        self.session.reached.state_before = Some(size);
        Ok(())
    }

    fn block(&mut self, block: &BlockDone) -> Result<ControlFlow<()>, ReplayError> {
        self.session.add(block)?;
        if let Some(every) = self.session.config.checkpoint
            && self.session.reached.slots.is_multiple_of(every)
        {
            self.checkpoint()?;
        }
        Ok(
            match self.session.config.end_when_unfit && self.session.cannot_fit() {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            },
        )
    }
}

impl Recording<'_, '_> {
    /// Makes everything durable, then says how far that is.
    pub(super) fn checkpoint(&mut self) -> Result<(), ReplayError> {
        let session = &mut *self.session;
        self.design
            .flush()
            .map_err(ReplayError::state(&session.info.name))?;
        session.recorder.flush()?;
        session.reached.wall_s = session.wall_s();
        session.reached.write(session.recorder.dir())
    }
}

impl Session<'_> {
    fn add(&mut self, block: &BlockDone) -> Result<(), ReplayError> {
        let cost = &block.cost;
        let reached = &mut self.reached;
        reached.block = cost.number;
        reached.slots += 1;
        reached.memory_bytes_max = reached.memory_bytes_max.max(cost.memory_bytes);
        if !cost.warm_up {
            reached.gas_used += cost.gas_used;
            reached.tx_count += cost.tx_count;
            reached.keys_lacking += block.load.keys_lacking;
            reached.cpu_s += cost.cpu.as_secs_f64();
            let slot = Duration::from_secs_f64(self.config.slot);
            reached.blocks_over_slot += u64::from(cost.total > slot);
            count_classes(
                &block.load,
                &mut reached.slots_written_by_class,
                &mut reached.slots_touched_by_class,
            );
        }
        self.last = Some(LastBlock {
            number: cost.number,
            state_root: cost.state_root,
            commitment: cost.commitment,
        });
        self.recorder.add(cost)?;
        self.check_root(block)?;
        self.progress.block(&BlockProgress {
            cost,
            done: self.reached.slots,
            of: self.slots,
            backlog: block.backlog,
            elapsed_s: self.begun.elapsed().as_secs_f64(),
        });
        Ok(())
    }

    fn check_root(&mut self, block: &BlockDone) -> Result<(), ReplayError> {
        let number = block.cost.number;
        let Some(got) = block.cost.state_root else {
            return Ok(());
        };
        if let (true, Some(expected)) = (self.whole, block.load.state_root)
            && expected != got
        {
            return Err(ReplayError::Root {
                number,
                design: self.info.name.clone(),
                got,
                expected,
                reference: "the block's header".to_owned(),
            });
        }
        if let Some(own) = &mut self.own {
            own.add(number, got);
        }
        self.roots.check(&self.info, number, got)
    }

    fn wall_s(&self) -> f64 {
        self.earlier_wall_s + self.begun.elapsed().as_secs_f64()
    }

    /// Whether it is certain that p99 of the blocks that count does not fit the slot.
    fn cannot_fit(&self) -> bool {
        let over = self.reached.blocks_over_slot;
        self.planned()
            .is_some_and(|planned| cannot_fit(planned, self.counted(), over))
    }

    /// Adds what a pipeline says of itself.
    pub(super) fn ended(&mut self, ended: &Ended) {
        self.reached.elapsed_s += ended.elapsed.as_secs_f64();
        self.reached.starved_s += ended.starved.as_secs_f64();
    }

    /// The result, as far as it is known.
    pub(super) fn result(
        &self,
        workload: WorkloadInfo,
        store: &Path,
        dropped: Option<super::Dropped>,
        state_after: StateSize,
    ) -> RunResult {
        let mut machine = Machine::detect(store);
        machine.direct_io = Some(self.config.direct_io);
        machine.page_cache_dropped = Some(dropped.is_some());
        let mut machine = serde_json::to_value(machine).unwrap_or_default();
        if let (Some(dropped), Some(table)) = (dropped, machine.as_object_mut()) {
            let value = serde_json::to_value(dropped).unwrap_or_default();
            table.insert("page_cache_drop".to_owned(), value);
        }
        RunResult {
            schema: RESULT_SCHEMA.to_owned(),
            status: RunStatus::Failed,
            error: None,
            decided: None,
            started_at: self.reached.started_at,
            wall_s: self.wall_s(),
            program: Program::this(),
            config: self.config.to_value(),
            labels: self.config.label.clone(),
            machine,
            device: self.device.clone(),
            workload: self.workload(workload),
            design: self.info.clone(),
            state_before: self.reached.state_before.clone().unwrap_or_default(),
            state_after,
            totals: self.totals(),
            metrics: self.recorder.distributions(),
            last: self.last,
            noise_floor: Default::default(),
        }
    }

    /// What a run that ended early had seen.
    pub(super) fn decided(&self) -> Decided {
        Decided {
            blocks: self.counted(),
            blocks_planned: self.planned().unwrap_or_default(),
            blocks_over_slot: self.reached.blocks_over_slot,
        }
    }

    /// Blocks that are to count; `None` where the workload does not say how many it has.
    fn planned(&self) -> Option<u64> {
        let slots = self.slots?;
        Some(slots.saturating_sub(self.config.warm_up))
    }

    /// Blocks that count.
    fn counted(&self) -> u64 {
        self.reached.slots.saturating_sub(self.config.warm_up)
    }

    fn workload(&self, workload: WorkloadInfo) -> WorkloadInfo {
        let mut deviations = workload.deviations;
        if self.reached.keys_lacking > 0 {
            deviations.push(Deviation {
                name: KEYS_LACKING.to_owned(),
                target: 0.0,
                got: self.reached.keys_lacking as f64,
                unit: "count".to_owned(),
                source: "keys that copies of the blocks were to touch and the state does not have"
                    .to_owned(),
            });
        }
        if self.reached.starved_s > 0.0 {
            deviations.push(Deviation {
                name: "planning_waited_for_s".to_owned(),
                target: 0.0,
                got: self.reached.starved_s,
                unit: "s".to_owned(),
                source: "time that reading waited for the harness to make the next block, at most"
                    .to_owned(),
            });
        }
        WorkloadInfo {
            blocks: self.counted(),
            slots_written_by_class: self.reached.slots_written_by_class.clone(),
            slots_touched_by_class: self.reached.slots_touched_by_class.clone(),
            deviations,
            ..workload
        }
    }

    fn totals(&self) -> Totals {
        let reached = &self.reached;
        let mgas = reached.gas_used as f64 / 1e6;
        Totals {
            blocks: self.counted(),
            gas_used: reached.gas_used,
            tx_count: reached.tx_count,
            elapsed_s: reached.elapsed_s,
            mgas_per_second: match reached.elapsed_s > 0.0 {
                true => mgas / reached.elapsed_s,
                false => 0.0,
            },
            cpu_s: reached.cpu_s,
            memory_bytes_max: memory_bytes_max()
                .unwrap_or_default()
                .max(reached.memory_bytes_max),
            measuring_s: self.recorder.measuring().as_secs_f64(),
        }
    }
}
