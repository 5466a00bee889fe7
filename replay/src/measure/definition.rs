//! What a metric is.

use super::BlockCost;
use core::time::Duration;
use serde::{Deserialize, Serialize};

/// What a metric counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Things.
    Count,
    /// Gas.
    Gas,
    /// Bytes.
    Bytes,
    /// Nanoseconds.
    Nanoseconds,
}

/// Something that is measured for each block, of which `B` is what it cost.
#[derive(Clone, Copy, Debug)]
pub struct Metric<B = BlockCost> {
    /// Its name in files.
    pub name: &'static str,
    /// What it is, for people.
    pub label: &'static str,
    /// What it counts.
    pub unit: Unit,
    /// Its value for a block.
    pub of: fn(&B) -> u64,
}

/// A metric.
pub(crate) const fn metric<B>(
    name: &'static str,
    label: &'static str,
    unit: Unit,
    of: fn(&B) -> u64,
) -> Metric<B> {
    Metric {
        name,
        label,
        unit,
        of,
    }
}

/// Nanoseconds of a duration; 584 years fit.
pub(crate) fn ns(duration: Duration) -> u64 {
    duration.as_nanos().try_into().unwrap_or(u64::MAX)
}
