//! What a replay measures, and the files that it leaves.
//!
//! | file | what |
//! |---|---|
//! | [`BlockCost`] | everything that is measured of one block |
//! | [`METRICS`] | the one list that columns, distributions and rows of reports are made from |
//! | [`RunResult`] | `result.json` |

mod cost;
mod result;

pub use cost::{BlockCost, METRICS, Metric, TierWork, Unit};
pub use result::*;
