//! From executions to traces.
//!
//! [`BlockRecorder`] watches one block and makes a [`BlockTrace`] of what it saw; [`record_block`]
//! executes a block under it on any state; [`record_witness`] does that through a store that holds a
//! block's witness, and refuses a block whose execution is not mainnet's; [`record_genesis`] makes block 0,
//! in which nothing is executed and everything is created.
//!
//! # What is recorded
//!
//! - **One access for each key and index.** The steps before and after the transactions commit
//!   several times; of such commits the first tells the value before, the last the value after. What
//!   ends as it began is a read, however often it was written in between.
//! - **Accounts**: all that the EVM loaded, as existing or not. An account that is touched and empty
//!   under EIP-161 is gone, and so is a destroyed one. An account that existed and was destroyed, or
//!   is gone, has its storage wiped.
//! - **Slots**: all that the EVM loaded, those of reverted calls included. Slots of an account that
//!   is destroyed at this index are reads of what was found: what becomes of them the wipe says.
//! - **Code**: loads of code that the state holds, by every index that needs it (a call, an
//!   `EXTCODECOPY`, the check of a sender). Code that a transaction itself deploys is a write, and no
//!   read until a later index loads it.
//!
//! # Where slots come from
//!
//! A mapping's entry lives at the hash of 64 bytes: `key || base` as Solidity writes them,
//! `base || key` as Vyper does. The block's execution reveals those bytes. A slot is traced back as
//! follows:
//!
//! 1. It belongs to the greatest hash that is not above it, if that is less than 16 words
//!    ([`STRUCT_WORDS`]) away: the members of a struct follow the hash of its entry.
//! 2. Of the 64 bytes one half is the base. If the base belongs to another hash in the same sense,
//!    the mapping is nested, and its own 64 bytes are read in the same order, since one compiler made
//!    both. This ends at a *root*.
//! 3. The order is chosen by the root that it leads to. A root below 2^32 is a *declared* variable's
//!    slot; one of 2^160 and above is a *constant*, as unstructured storage names it (ERC-7201);
//!    between the two it is most likely an address, hence a key and no base. `key || base` is certain
//!    where its root is of an earlier kind in this list than that of `base || key`; `base || key` is
//!    certain where it leads to a declared slot, and the other to an address.
//! 4. Where neither is certain (two small numbers, say), the contract's other slots in the block
//!    decide by majority; where they do not, it is `key || base`.
//!
//! A hash of 64 bytes that is no mapping's, and yet is used as a slot, comes out as one; nothing in the
//! bytes tells the two apart. Layouts that hash another number of bytes stay without preimages.
//!
//! # Cost
//!
//! An observed execution runs an inspector and keeps a block's accesses and 64-byte hash inputs in
//! memory; tracing a slot back costs one look-up in an ordered map for each level and order.

mod genesis;
mod preimages;
mod recorder;
mod step;
mod witness;

pub use genesis::record_genesis;
pub use preimages::STRUCT_WORDS;
pub use recorder::{BlockRecorder, record_block};
pub use witness::{RecordError, Recorded, RootCheck, record_witness};

#[cfg(doc)]
use thinstate_formats::trace::BlockTrace;
