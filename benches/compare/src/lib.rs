//! Other stores beside thinstate's.
//!
//! ```text
//! replays      thinstate_replay   workload ─► pipeline ─► StateDesign ─► result folder
//!                                                              │
//!              this crate                               KeyValueDesign<S>        one for all stores
//!                                                              │
//!                                                       KeyValueStore           one file for each, in `stores`
//!                                                              │
//!              this crate                                    peer::Peer          thinstate's permanent tier is one too
//!                                                              │
//! key-values   keys, transfers ─► rounds ─► phases, a process for each ─► peers: JSON, tables
//! ```
//!
//! [`KeyValueDesign`] makes of any [`KeyValueStore`] what the harness replays on: it derives keys ([`layout`]),
//! fills the store, reads what a block names and compares it with what must be there, and commits what the
//! block leaves. What a store does not have it does not pretend: there is no `undo`, and blocks that wipe
//! a contract's storage are refused.
//!
//! [`peer`] has stores of 32-byte keys and values: the same ones, and thinstate's own. [`keys`] is their workload, [`rounds`] the
//! loop in which it is measured, [`phases`] what one process does, [`limit`] its limit of memory, [`peers`] what comes out.
//!
//! A crate of its own, outside of the workspace: the stores bring a few hundred crates.

mod design;
mod head;
pub mod keys;
pub mod layout;
pub mod limit;
pub mod peer;
pub mod peers;
pub mod phases;
mod progress;
pub mod rounds;
mod store;
pub mod stores;
pub mod table;

pub use design::KeyValueDesign;
pub use progress::LogLines;
pub use store::{BoxError, Change, Committed, Facts, Key, KeyValueStore, StoreOptions, each_on};
