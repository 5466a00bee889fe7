//! A design at a state size: its runs, and the largest multiple that fits.

use super::Saturation;
use crate::{
    measure::{DesignInfo, RunResult, StateSize},
    model::Point,
};
use serde::{Deserialize, Serialize};

/// A cell of the matrix.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell {
    /// The design, as the study names it.
    pub design: String,
    /// Accounts at the start.
    pub accounts: u64,
}

/// What a cell showed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CellResult {
    /// Which.
    pub cell: Cell,
    /// The design.
    pub design: DesignInfo,
    /// The state before the first run.
    pub state: StateSize,
    /// The runs, by ascending multiple.
    pub runs: Vec<RunPoint>,
    /// The largest multiple that fits.
    pub largest: Largest,
    /// What was nearest to its limit at that multiple, or at the least one measured if none fits.
    pub saturation: Option<Saturation>,
}

/// The largest multiple whose p99 block work fits a slot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Largest {
    /// The largest that was measured and fits; `None` if none does.
    pub multiple: Option<u32>,
    /// The least that was measured and does not; `None` if all did: then the answer is a lower bound.
    pub first_unfit: Option<u32>,
}

impl Largest {
    /// What was nearest to its limit at this multiple, or at the least of `runs` where none fits.
    pub(super) fn saturation(&self, runs: &[RunPoint]) -> Option<Saturation> {
        let at = runs.iter().find(|run| Some(run.multiple) == self.multiple);
        at.or(runs.first()).map(|run| run.saturation.clone())
    }
}

/// One run of a cell, in the figures that the study goes by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunPoint {
    /// The gas multiple.
    pub multiple: u32,
    /// The folder of the result, from the study's.
    pub dir: String,
    /// Whether p99 block work fits the slot.
    pub fits: bool,
    /// Blocks that count.
    pub blocks: u64,
    /// Blocks that were to, where fewer were enough to say that it does not fit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocks_planned: Option<u64>,
    /// The run as the model sees it.
    pub point: Point,
    /// What the run used, as shares of what there is.
    pub saturation: Saturation,
}

impl RunPoint {
    /// The figures of a run.
    pub(super) fn new(run: &RunResult, cell: &Cell, dir: String, slot_s: f64) -> Option<Self> {
        let saturation = Saturation::of(run);
        let point = Point::of(run, cell.accounts, saturation.threads)?;
        Some(Self {
            multiple: run.workload.gas_multiple,
            dir,
            fits: point.p99_s <= slot_s,
            blocks: point.blocks,
            blocks_planned: run.decided.map(|it| it.blocks_planned),
            point,
            saturation,
        })
    }
}
