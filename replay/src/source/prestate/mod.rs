//! Blocks with what they found: pre-states, and the results of a node's prestate tracer.
//!
//! | file | what it is | what the trace holds |
//! |---|---|---|
//! | `N/pre_state.json` with `N/block.json` | accounts and slots that the block touches, with their values before it | reads, at index 0 |
//! | `N.prestate.json` | `debug_traceBlockByNumber` with `prestateTracer` | reads of each transaction |
//! | `N.diff.json` | the same with `diffMode` | writes of each transaction, values before and after |
//!
//! All of them also with `.zst`. Beside `N.prestate.json` or `N.diff.json` stands the block as
//! `N.block.json` (`eth_getBlockByNumber`, with whole transactions or their hashes) or `N.block.rlp`. Both
//! tracer results together make the whole trace; either of them alone makes one of reads, or of writes.
//!
//! **An account** is an object with `balance`, `nonce` (number or quantity), `code` or `codeHash` (also
//! `code_hash`), and `storage`; a field that is not there is zero, or no code. One that is empty by
//! EIP-161 is taken as absent. Zero in `storage` is absence.
//!
//! **A difference** has two halves. What is in `pre` alone was destroyed, with its storage; what is in
//! `post` alone is new; a field that `post` does not name stays; a slot that one of them does not name was
//! zero there.
//!
//! # What is not there
//!
//! The tracer runs transactions. System calls, withdrawals and rewards (indexes 0 and n + 1) are missing,
//! hence so is a part of what leads to the block's state root: the root in the trace is the header's, and
//! the writes of the trace alone do not lead to it. A change that falls between two transactions shows as a
//! gap: the next transaction finds another value than the last one left, and its access says what it found.
//! Loads of code are those of accounts whose `code` was given, whether it ran or not. A balance that is
//! asked of an account that does not exist is not in the result.

mod account;
mod error;
mod files;
mod parse;
mod to_trace;

pub use account::{PreAccount, PreState};
pub use error::PrestateError;
pub use files::{find_parts, read};
pub use parse::{TxDiff, TxResult, decode_diffs, decode_prestates, decode_whole};
pub use to_trace::{Prestate, to_trace};
