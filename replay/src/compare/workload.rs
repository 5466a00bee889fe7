//! Whether two runs did the same.

use crate::measure::WorkloadInfo;
use core::fmt::Debug;

/// The first field in which two workloads differ.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("their workloads differ in `{field}`: {a} and {b}")]
pub struct WorkloadDifference {
    /// Its name in `result.json`.
    pub field: &'static str,
    /// A's value.
    pub a: String,
    /// B's value.
    pub b: String,
}

/// Compares what was replayed. What was *observed* of it (`slots_written_by_class`, `deviations`) follows from that.
pub(super) fn same(a: &WorkloadInfo, b: &WorkloadInfo) -> Result<(), WorkloadDifference> {
    equal("kind", &a.kind, &b.kind)?;
    equal("source", &a.source, &b.source)?;
    equal("seed", &a.seed, &b.seed)?;
    equal("amplify", &a.amplify, &b.amplify)?;
    equal("gas_multiple", &a.gas_multiple, &b.gas_multiple)?;
    equal("slot_s", &a.slot_s, &b.slot_s)?;
    equal("loop_kind", &a.loop_kind, &b.loop_kind)?;
    equal("speed_up", &a.speed_up, &b.speed_up)?;
    equal("warm_up_blocks", &a.warm_up_blocks, &b.warm_up_blocks)?;
    equal("blocks", &a.blocks, &b.blocks)
}

fn equal<T: PartialEq + Debug>(
    field: &'static str,
    a: &T,
    b: &T,
) -> Result<(), WorkloadDifference> {
    if a == b {
        return Ok(());
    }
    Err(WorkloadDifference {
        field,
        a: format!("{a:?}"),
        b: format!("{b:?}"),
    })
}
