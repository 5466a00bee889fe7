//! Real blocks, executed through the store, must end at their own state roots.
//!
//! [`verify_witness`] makes a store of one block's witness, executes the block on it, commits what
//! it changes, and compares everything that the header commits to. [`GenesisRun`] does the same for
//! consecutive blocks in one store that grows from genesis. Nothing is committed that does not end
//! at the header's state root.

mod block;
mod genesis_run;
mod partial;
mod report;
mod single;
mod timed;

pub use block::{BlockError, RecordedBlock, record_verified_block, verify_block};
pub use genesis_run::{GenesisRun, GenesisRunError};
pub use partial::{PartialStateError, partial_state};
pub use report::{BlockReport, Times, Verdict};
pub use single::{SingleError, SingleOptions, verify_witness};
pub use timed::TimedReader;
