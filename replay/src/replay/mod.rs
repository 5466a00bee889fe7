//! A workload carried out on a design of state, measured as a client would run it.
//!
//! ```text
//! source ─► amplify ─► plan ══► read ──► apply ─► rest
//!  planner thread, ahead        reader    this thread
//!                 bounded queue     rendezvous
//! ```
//!
//! [`run()`] is the whole of it: the store is opened or filled ([`Stores`]), warmed up, measured, and the result
//! is left in a folder (see [`measure`](crate::measure)). [`Pipeline`] is its middle part: the stages.
//! [`run_on`] does the same with designs of one's own ([`Candidate`]): `benches/compare` runs other stores so.
//!
//! # What overlaps
//!
//! Planning runs ahead of everything, at most [`RunConfig::plan_ahead`] blocks. The reads of a block begin
//! once the block before has been handed over, and run while that one is hashed and committed: a client that
//! has the access list of the next block (EIP-7928) can do the same. What the block under way will have
//! written comes from its load (the [`Overlay`](crate::design::Overlay)). Blocks are applied one by one.
//! Without overlap ([`RunConfig::no_overlap`]) the stages of a block follow one another on one thread.
//!
//! # What is timed
//!
//! `state_read` is the time of a block's reads, `state_hash` and `commit` are the design's, `background` is
//! work between blocks. `total` runs from the beginning of the reads (open loop: from the scheduled arrival)
//! to durability. With overlap it includes the wait for the block before. Counters of the store, the process
//! and the device are taken from the end of one block to the end of the next, so that they add up to the whole;
//! with overlap some reads of the next block are among them. CPU time is that of the process without planning: with
//! overlap without the planner's own thread, in the block at whose end a plan was ready.
//!
//! In an open loop slots arrive by the clock, whether or not the store keeps up: latency counts from there,
//! so a slow block also shows in those that had to wait for it (no coordinated omission). The warm-up runs in a
//! closed loop, and the clock starts at the first block that counts.
//!
//! # Interruption, checkpoints, an early end
//!
//! With [`RunConfig::end_when_unfit`] a run ends, with status `decided`, once it is certain that the p99 of its
//! blocks does not fit the slot: a study's search asks no more of it. At least two blocks are measured.
//!
//! The first interruption ends the run after the block at hand, with a result of status `interrupted`. With
//! checkpoints a run can be gone on with: rows and store are then durable up to the last one, blocks applied
//! after it are undone, and the source is run up to it without measuring.

mod candidate;
mod checkpoint;
mod clock;
mod config;
mod error;
mod noise;
mod page_cache;
mod pipeline;
mod progress;
mod roots;
mod run;
mod session;
mod stores;
#[cfg(test)]
mod tests;
mod verdict;
mod witness;
mod work;
mod workload;

pub use candidate::Candidate;
pub use checkpoint::{Checkpoint, CheckpointError};
pub use clock::Pace;
pub use config::{ByteSize, ConfigError, RunConfig};
pub use error::ReplayError;
pub use noise::noise_floor;
pub use page_cache::{Dropped, drop_page_cache};
pub use pipeline::{BlockDone, Ended, Pipeline, Sink};
pub use progress::{BlockProgress, Progress, Silent};
pub use roots::{Reference, Roots};
pub use run::{Outcome, run, run_on};
pub(crate) use session::KEYS_LACKING;
pub use stores::Stores;
pub use witness::{WitnessReport, replay_witnesses};
pub use workload::{Workload, population, profile};
