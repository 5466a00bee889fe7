//! The temporary tier: entries that live for a period or two and are then sealed.
//!
//! The live entries are in memory, and durable through a write log; what is sealed leaves the live
//! store, but for a root, a number of leaves and a bit for each leaf. Which block does what is
//! a rule of its number alone ([`thinstate_formats::temporary`]).
//!
//! ```text
//!            current period        previous period       frozen period           sealed periods
//! memory     entries [, tree]      entries [, tree]      entries, pages done     root, leaf count
//! store      log of each block     log of each block     log, nodes of pages     root, leaf count
//! archive                                                segment, growing        segment
//! ```
//!
//! * [`entries`], [`live`]: the entries, and what a write does.
//! * [`log`], [`change`]: what a block did, for the store, and the way back, in memory alone.
//! * [`commitment`]: what a block commits to, byte by byte.
//! * [`checkpoint`]: the entries in the store, so that logs need not be kept for a whole period.
//! * [`seal`]: how a frozen period becomes a root.
//! * [`past`]: what a tier without a block may begin with.
//! * [`tier`], [`stage`], [`undo`], [`open`]: blocks forth, back, and after a restart.
//!
//! # A block
//!
//! In this order: the period that is due enters the period table; the period that ends its life is
//! frozen; resurrections, which see the period table as it was *before* the block; writes. A leaf
//! can therefore be resurrected from the block after `sealed_at` on.
//!
//! [`TemporaryTier::stage`] changes memory and adds to the batch of the block; the tier then shows the
//! state after it. [`TemporaryTier::publish`] follows once the batch is durable,
//! [`TemporaryTier::rollback`] if it is not to be. Undoing a block goes the same three ways. What can
//! fail comes before the first change, so that an error leaves everything as it was.
//!
//! # Costs
//!
//! | | |
//! |---|---|
//! | read | one or two look-ups in memory |
//! | write | the same; about 13 bytes of log, 45 for an entry that the period does not have |
//! | commitment | see [`commitment`] |
//! | opening | the logs since the last checkpoint, about 4 times the live entries |
//! | memory | 70 to 76 bytes an entry, and under `incremental` about 85 for its tree; about 13 bytes for each write that can be undone |
//! | end of a period | one put; its entries are moved, not visited |
//! | seal | one put, three deletions, up to three more with a checkpoint; its entries are freed in the background |
//!
//! # After a power cut
//!
//! The store has the logs of all committed blocks and nothing of others. Opening replays the logs of
//! the live periods, and of one that is frozen and not sealed, on top of a checkpoint if there is one; ids, trees and the changes that undo
//! the last blocks come out as they were. Sealing goes on behind the last page that the store knows.

mod bits;
mod block;
mod bytes;
mod change;
mod checkpoint;
mod commitment;
mod entries;
mod error;
mod live;
mod live_proof;
pub(crate) mod live_tree;
mod log;
mod open;
mod options;
mod past;
mod period;
mod period_table;
mod resurrect;
mod seal;
mod stage;
mod tier;
mod undo;

#[cfg(test)]
mod tests;

pub use block::{Resurrection, TemporaryReport, TemporaryStats, TemporaryWrite};
pub use bytes::DecodeError;
pub use commitment::HashWork;
pub use error::{ResurrectionError, SealError, TemporaryError, TemporaryOpenError};
pub use live_proof::{LiveProof, LiveProofError};
pub use options::TemporaryLimits;
pub(crate) use past::{TemporaryPast, last_due};
pub use period_table::Sealed;
pub(crate) use tier::{Setup, TemporaryTier};
