//! Other stores, replayed with the project's own workloads.
//!
//! ```text
//! thinstate_replay   workload ─► pipeline ─► StateDesign ─► result folder
//!                                                 │
//! this crate                              KeyValueDesign<S>        one for all stores
//!                                                 │
//!                                          KeyValueStore           one file for each, in `stores`
//! ```
//!
//! [`KeyValueDesign`] makes of any [`KeyValueStore`] what the harness replays on: it derives keys ([`layout`]),
//! fills the store, reads what a block names and compares it with what must be there, and commits what the
//! block leaves. What a store does not have it does not pretend: there is no `undo`, and blocks that wipe
//! a contract's storage are refused.
//!
//! A crate of its own, outside of the workspace: the stores bring a few hundred crates.

mod design;
mod head;
pub mod layout;
mod progress;
mod store;
pub mod stores;
pub mod table;

pub use design::KeyValueDesign;
pub use progress::LogLines;
pub use store::{BoxError, Change, Committed, Facts, Key, KeyValueStore, StoreOptions, each_on};
