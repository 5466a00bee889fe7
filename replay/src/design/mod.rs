//! Designs of state: which object lives in which tier, with which parameters, and how a block is carried out.
//!
//! A design is a TOML file ([`DesignSpec`], those that are built in lie in `data/designs/`) and an
//! implementation of [`StateDesign`]. Whoever compares another store implements the trait; see
//! `benches/compare` for examples.
//!
//! # One block
//!
//! ```text
//! plan    what the block's senders and wallets do beforehand: which tier a key lives in, which records are
//!         spent, which proofs are brought along.                       not measured
//! read    every key that the block needs, in parallel, and a check that each value is the expected one.
//!         May run while the block before is applied: what that one writes is in its `overlay`.   state_read
//! apply   changes, roots, one durable commit                           state_hash, commit
//! rest    what the design owes between blocks: steps of expiry, of seals                          background
//! ```

mod error;
pub mod flat_lthash;
pub mod folder;
pub mod keys;
mod layered;
pub mod permanent;
mod registry;
pub mod seed;
mod spec;
pub mod tally;
mod traits;

pub use error::{DesignError, WrongAccount, WrongSlot};
pub use layered::LayeredDesign;
pub use registry::{LoadError, builtin, load, names, open};
pub use spec::{DesignKind, DesignSpec, ExpirySpec, SpecError};
pub use traits::{
    Applied, DesignStore, FillContext, Overlay, Plan, Preload, ReadCost, Rested, StateDesign,
};
