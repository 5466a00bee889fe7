//! Block access lists: EIP-7928.
//!
//! A list names every account and slot that a block touches, with the values that it leaves after each
//! index: 0 before the first transaction, `1..=n` the transactions, `n + 1` after the last. It is read
//! from its RLP (as blocks commit to it, and `debug_getRawBlockAccessList` returns it) and from the JSON
//! of `eth_getBlockAccessList`, and written as either; [`thinstate_formats::access_list`] has the format.
//!
//! [`decode_rlp`] and [`decode_json`] take it apart, [`check`] holds it to the order and uniqueness that
//! the EIP demands, [`hash`] is what a header commits to. Slots and values are RLP integers without
//! leading zeros, as in EIP-7928 and its tests; the 32 bytes of EIP-8159 are read and written too
//! ([`ListEncoding`]). Lists that people have made of nodes' traces break the order here and there:
//! [`repair()`] brings them into it, if asked.
//!
//! # To a trace
//!
//! [`to_trace()`] needs what a list lacks:
//! - *Values before*: from a [`KnownState`](super::known::KnownState), which knows earlier blocks of the
//!   run, asks a state, or assumes. A trace of which values may be assumed says so in its header.
//! - *Where a slot was read*: a list does not say which transaction reads. Reads stand at index 0, and so
//!   do accounts without changes: that is when a node that prefetches by the list reads them.
//! - *The header*: figures of the block, where its file is at hand. Without it the trace has no hash, no
//!   gas and no root, and as many transactions as the highest index at which a nonce changes: every
//!   transaction changes that of its sender, and nothing outside transactions changes one.
//! - *Loads of code*: none are recorded. Deployments are, and their bytes are in the list.
//!
//! Order and keys are the list's own, and so is everything that [`from_trace()`] needs to make the list
//! again: a list, its trace, and the list of that are the same bytes, if no change of the list stores
//! what was there before. (The EIP forbids that; a list whose values contradict those of the block
//! before it, in a run, comes out without such a change.)
//!
//! # From a trace
//!
//! [`from_trace()`] makes the list of any block whose deployed code is at hand: a trace knows its hash and
//! length alone. A block before Cancun that wipes an account's storage has no list: the wipe drops slots
//! that nobody named.

mod codec;
mod error;
mod files;
mod from_trace;
mod repair;
mod to_trace;

pub use alloy_eip7928::{AccountChanges, BlockAccessList};
pub use codec::{ListEncoding, check, decode_json, decode_rlp, encode_json, encode_rlp, hash};
pub use error::{AccessListError, AccessListFault};
pub use files::{ListFile, ListOptions, companion_block, read, write};
pub use from_trace::from_trace;
pub use repair::repair;
pub use to_trace::{Listed, codes, to_trace, tx_count};
