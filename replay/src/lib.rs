//! Replay of blocks on thinstate, and what it costs.
//!
//! | module | what |
//! |---|---|
//! | [`source`] | where blocks come from: witness files, era1 files |
//! | [`exec`] | blocks executed with revm on any state |
//! | [`verify`] | blocks executed *through the store*, and checked against their headers |
//! | [`trace`] | the state accesses of blocks, in a file |
//! | [`demo`] | mainnet's genesis state and generated blocks on top of it |
//! | [`inspect`] | sizes, proofs and exports of a store |
//! | [`cli`] | the `thinstate` program |

pub mod cli;
pub mod demo;
pub mod exec;
pub mod inspect;
pub mod source;
pub mod trace;
pub mod verify;
