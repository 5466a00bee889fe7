//! Two runs beside each other: ratios with confidence intervals.
//!
//! | file | what |
//! |---|---|
//! | `workload` | whether two runs may be compared: the first field in which their workloads differ |
//! | `series` | the values of each metric, sorted once |
//! | `bootstrap` | resamples, and the interval that they span |
//! | `comparison` | all metrics and statistics of two runs |
//! | `limit` | `p99=5%`: how much worse is too much |
//!
//! # Method
//!
//! The ratio of a statistic is B's over A's, each over the whole run. Its interval is a *cluster bootstrap*: the run is resampled
//! [`RESAMPLES`] times, the statistic is computed anew over each resampled run as a whole, and the interval spans the middle 95 %
//! of these ratios. What is drawn are not single blocks but stretches of consecutive ones, because a compaction, an expiry step or
//! a period's end makes neighbours alike; a stretch has as many blocks as the cube root of their number (Künsch's order for this
//! *moving-block* bootstrap, Annals of Statistics 17, 1989), and stretches wrap around the end, so that all blocks are drawn alike.
//! Where both runs have the same blocks, the same stretches are drawn from both: what differs between blocks is then in neither
//! interval. All draws follow from one seed.
//!
//! A p99 of few blocks is one of its largest values, whatever the resamples say: below [`P99_BLOCKS_MIN`] there is none.
//!
//! A difference that two runs of the same design show is none of the design's: a [noise floor](Comparison::noise_floor), measured
//! so and stored in a result, is added to what is allowed.

mod bootstrap;
mod comparison;
mod limit;
mod series;
mod workload;

pub use comparison::{CompareError, Compared, Comparison, Interval, RunName, Settings};
pub use limit::{Limit, LimitError, Verdict, judge};
pub use series::{STATISTICS, Statistic};
pub use workload::WorkloadDifference;

/// Resamples that an interval is made from.
pub const RESAMPLES: u32 = 10_000;

/// Blocks below which there is no verdict on a p99.
pub const P99_BLOCKS_MIN: usize = 125;

/// Name and version of a comparison's JSON.
pub const COMPARISON_SCHEMA: &str = "thinstate-compare/1";
