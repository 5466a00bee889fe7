//! Replay of blocks on thinstate, and what it costs.
//!
//! | module | what |
//! |---|---|
//! | [`source`] | where blocks come from: witness files, era1 files, access lists, pre-states, a node |
//! | [`exec`] | blocks executed with revm on any state |
//! | [`verify`] | blocks executed *through the store*, and checked against their headers |
//! | [`trace`] | the state accesses of blocks, in a file |
//! | [`classify`] | which objects live in the slots of a trace |
//! | [`population`], [`profile`], [`generate`] | a state of mainnet's shape, and blocks drawn over it |
//! | [`load`], [`amplify`] | what a slot asks of the state, and how that is multiplied |
//! | [`design`], [`fill`] | designs of state, and how their stores are filled |
//! | [`replay`] | a workload carried out on a design |
//! | [`measure`], [`compare`] | what is measured, and two measurements beside each other |
//! | [`study`], [`model`], [`report`] | the largest gas multiple of each design, predicted and shown |
//! | [`demo`] | mainnet's genesis state and generated blocks on top of it |
//! | [`inspect`] | sizes, proofs and exports of a store |
//! | [`cli`] | the `thinstate` program |

pub mod amplify;
pub mod classify;
pub mod cli;
pub mod compare;
pub mod demo;
pub mod design;
pub mod exec;
pub mod fill;
pub mod generate;
pub mod inspect;
pub mod load;
pub mod measure;
pub mod model;
mod numbers;
pub mod population;
pub mod profile;
pub mod replay;
pub mod report;
pub mod source;
pub mod study;
pub mod trace;
pub mod verify;
