//! What the benchmarks have in common: workloads, the stores under test, what is recorded of them.

mod contenders;
mod record;
mod workload;

pub use contenders::{Contender, Floor, Ours};
pub use record::{Record, device_written_bytes, print_table};
pub use workload::{Block, Workload};
