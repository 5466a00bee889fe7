//! The capacity model: costs measured here, against a device, predict the multiple elsewhere.
//!
//! A study measures what one machine can do. Other state sizes, devices and core counts are predicted from costs
//! per operation that are fitted to its runs, one model for each design. The model is kept small, so that each of its
//! numbers can be read and doubted:
//!
//! ```text
//! keys(m, S)      = exp(a + b ln m + c ln^2 m + d ln S)     different keys that a slot touches
//! steps(m, S)     = exp(..., likewise)                      permutations or compressions, for each hash function
//! key_s(m, S)     = exp(..., likewise)                      seconds for each key that nothing else here explains
//! misses(m, S)    = keys * (q0 + q1 ln S) * (1 - hit)       4 KiB reads that reach the device
//! written(m, S)   = exp(..., likewise)                      bytes that reach it
//! mean block work = keys * key_s * speed-up of the cores
//!                   + steps * seconds of one * share of one core's time on the threads
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
//! What a step of a hash function takes is measured, not fitted: in batches, on one core, when a study begins
//! ([`HashCosts::measure`]). That is the least that it costs; encoding, and what is hashed one at a time, stay in `key_s`. Where
//! a run's time has no room for it, it is taken for less ([`Hashing::cost_ns`]), and where it was not measured, `key_s` has all of it.
//! A scenario may name a CPU with other costs. What its device's profile does not say is taken from the measured device
//! ([`Assumption`]), and the report says so.
//!
//! Cores follow Amdahl's law with the serial share that the CPU time of the measured runs shows. That and every
//! step beyond the measured sizes is extrapolation; the report says for each point how far off the model was
//! where it could be compared ([`Accuracy`]): fitted, left out one by one, and held out altogether.

mod accuracy;
mod capacity;
mod error;
mod fit;
mod hashing;
mod least_squares;
mod machine;
mod point;
mod prediction;
mod scenario;

pub use accuracy::{Accuracy, HeldOut, PointError};
pub use capacity::DesignModel;
pub use error::ModelError;
pub use fit::{Curve, LogLine, Tail};
pub use hashing::{HashCosts, HashFunction, Hashing};
pub use machine::{Assumption, Measured};
pub use point::Point;
pub use prediction::{Prediction, Term};
pub use scenario::Scenario;
