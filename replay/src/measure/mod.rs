//! What a replay measures, and the files that it leaves.
//!
//! | part | what |
//! |---|---|
//! | [`BlockCost`] | everything that is measured of one block |
//! | [`METRICS`] | the one list that columns, distributions and rows of reports are made from |
//! | [`RunResult`] | `result.json` |
//! | [`Recorder`] | writes a folder of results, block by block |
//! | [`RecordedRun`], [`Blocks`] | reads it back |
//! | [`Machine`] | what the figures were measured on |
//! | [`probes`] | counters of the operating system, before and after each block |
//! | [`RecordedTime`], [`Overhead`] | what measuring costs itself |
//! | [`device`] | what the block device can do at best |
//! | [`prometheus`] | a run while it runs |
//!
//! `docs/results.md` describes every file, field and unit.

mod blocks;
mod clock;
mod cost;
mod definition;
pub mod device;
mod distributions;
mod error;
mod machine;
mod metrics;
mod overhead;
#[cfg(feature = "parquet")]
mod parquet;
pub mod probes;
mod program;
pub mod prometheus;
mod recorded;
mod recorder;
mod result;
mod sums;

pub use blocks::Blocks;
pub use clock::RecordedTime;
pub use cost::{BlockCost, TierWork};
pub use definition::{Metric, Unit};
pub(crate) use definition::{metric, ns};
pub use error::{ReadError, RecordError};
pub use machine::{BlockDevice, CgroupLimits, Machine};
pub use metrics::METRICS;
pub use overhead::Overhead;
pub use recorded::RecordedRun;
pub use recorder::Recorder;
pub use result::*;
