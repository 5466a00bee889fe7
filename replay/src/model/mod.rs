//! The capacity model: costs measured here, against a device, predict the multiple elsewhere.
//!
//! A study measures what one machine can do. Other state sizes, devices and core counts are predicted from costs
//! per operation that are fitted to its runs, one model for each design. The model is kept small, so that each of its
//! numbers can be read and doubted:
//!
//! ```text
//! keys(m, S)      = exp(a + b ln m + c ln^2 m + d ln S)     different keys that a slot touches
//! key_s(m, S)     = exp(..., likewise)                      seconds for each that neither device nor sync explains
//! misses(m, S)    = keys * (q0 + q1 ln S) * (1 - hit)       4 KiB reads that reach the device
//! written(m, S)   = exp(..., likewise)                      bytes that reach it
//! mean block work = keys * key_s * speed-up of the cores
//!                   + misses / IOPS at the depth of the reading threads + written / bandwidth + sync
//! p99 block work  = mean block work * (1 + floor + spread / sqrt m)
//! ```
//!
//! `m` is the gas multiple, `S` the number of accounts. `hit` is the share of the state's bytes that fits into
//! memory beside the process: an upper bound of misses, as real accesses are skewed and the model takes them for
//! uniform. `q` counts blocks that the store fetched from its files, wherever they came from. Keys and bytes bend,
//! because merged blocks touch the same keys, and the time for a key falls, because keys share the way to the root;
//! beyond the largest measured multiple neither goes on bending ([`Curve`]).
//!
//! Cores follow Amdahl's law with the serial share that the CPU time of the measured runs shows. That and every
//! step beyond the measured sizes is extrapolation; the report says for each point how far off the model was
//! where it could be compared ([`Accuracy`]): fitted, left out one by one, and held out altogether.

mod accuracy;
mod capacity;
mod error;
mod fit;
mod least_squares;
mod point;
mod scenario;

pub use accuracy::{Accuracy, HeldOut, PointError};
pub use capacity::{DesignModel, Prediction};
pub use error::ModelError;
pub use fit::{Curve, LogLine, Tail};
pub use point::Point;
pub use scenario::Scenario;
