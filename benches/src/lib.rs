//! What the benchmarks have in common: workloads, the stores under test, what is recorded of them.

mod append_log;
mod contenders;
mod draws;
mod paged_tree;
mod record;
mod settings;
mod synthetic;
pub mod transfers;
mod workload;

pub use append_log::{AppendLog, Appended, Update};
pub use contenders::{AppendLogFloor, Contender, Floor, Ours};
pub use draws::{Drawer, Draws, Zipf};
pub use paged_tree::PagedTree;
pub use record::{Record, device_read_bytes, device_written_bytes, print_rows, print_table};
pub use settings::{chosen, folder, numbers};
pub use synthetic::Synthetic;
pub use workload::{Block, Workload};
