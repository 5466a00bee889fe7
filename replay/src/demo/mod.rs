//! The demonstration: mainnet's genesis state, then generated blocks on top of it.
//!
//! ```text
//!  genesis file ──► store on disk ◄──────── commit ◄── prepare: root R1
//!                      │                                  ▲
//!                      └─ view ─► revm ─► StateChanges ───┘         R1 = R2, for every block
//!  generator ─► block ─┤
//!                      └─ Oracle: model in memory ─► revm ─► alloy-trie: root R2
//! ```
//!
//! [`run()`] is the whole of it; [`Chain`] is one block at a time. The [`Oracle`] shares
//! nothing with the store: it executes each block itself, on its own model of the state, and hashes
//! that from scratch. So a wrong read, a wrong change and a wrong hash all show.
//!
//! | module | what |
//! |---|---|
//! | [`generate`] | the blocks |
//! | `oracle`, `chain` | the two nodes that have to agree, and the store's one, measured |
//! | `costs`, `summary` | what a block costs, and the distribution over all blocks |
//! | `out_dir`, `result` | what is left behind: `blocks.csv`, `result.json`, the store |
//! | `report` | the summary for a terminal |
//!
//! # What the figures are
//! The state is small: all of it lies in the store's memory. Figures of counts (reads, buckets,
//! hashes, bytes handed over) hold for any disk; times tell of CPU and of the commit's fsync, not of
//! a cold disk. Reads are timed one by one, which adds some 50 ns to each.

mod chain;
mod costs;
mod error;
pub mod generate;
mod oracle;
mod out_dir;
mod report;
mod result;
mod run;
mod summary;

pub use chain::{Chain, FinalChecks};
pub use costs::{BlockCosts, METRICS};
pub use error::{DemoError, Difference, OutDirError};
pub use oracle::{Oracle, OracleError};
pub use out_dir::OutDir;
pub use report::render;
pub use result::{DemoResult, SCHEMA, Status};
pub use run::{Config, Progress, run};
pub use summary::{Quantiles, Summary};
