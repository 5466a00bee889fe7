//! Execution of blocks: revm and alloy-evm on any [`StateReader`].
//!
//! ```text
//!  block ── senders (all cores) ──┐
//!                                 ▼
//!  StateReader ─► StateDb ─► revm block cache ─► alloy-evm: system calls, transactions,
//!  BlockHashes ─┘                 │              rewards, withdrawals, requests
//!                                 ▼
//!                 BlockOutcome: StateChanges, receipts, gas, requests, counts
//! ```
//!
//! [`execute_block`] reads a state and says what a block changes in it; it writes nothing. The
//! result is compared with the header by [`check_body`] and [`check_outcome`], and the state root
//! by whoever holds the trie.
//!
//! * [`ChainSpec`]: which fork a header belongs to.
//! * [`StateDb`]: reads, counted, with errors that keep their type.
//! * [`BlockObserver`]: every step's state, and preimages of mapping slots.
//!
//! Generated blocks have neither header nor signatures; [`execute_unsigned`] executes their
//! transactions on the same block cache.
//!
//! Costs: each account, slot and code is read from the state once in a block, on one thread, in the
//! order in which the EVM asks. Memory is what the block touches, with the codes it runs.

mod changes;
mod check;
mod db;
mod error;
mod observe;
mod run;
mod senders;
mod spec;
mod unsigned;

pub use check::{Checked, Mismatch, check_body, check_outcome};
pub use db::{ReadCounts, ReadError, ReadFailed, StateDb};
pub use error::ExecError;
pub use observe::{AccessIndex, BlockObserver};
pub use run::{BlockOutcome, WriteCounts, execute_block, execute_block_observed};
pub use senders::{SenderError, recover_senders};
pub use spec::{ChainSpec, ForkError};
pub use unsigned::{UnsignedError, UnsignedOutcome, execute_unsigned};

/// Hashes of ancestors by number, for `BLOCKHASH`.
pub type BlockHashes = std::collections::BTreeMap<u64, alloy_primitives::B256>;

#[cfg(doc)]
use thinstate_formats::StateReader;
