//! What was there before, for sources that do not say it.
//!
//! An EIP-7928 list holds the values that a block leaves, not those that it found; an extract of
//! balances says nothing of an account's nonce. A [`KnownState`] answers for a run of blocks, in this
//! order:
//!
//! 1. what an earlier block of the run has left, or was found to hold;
//! 2. what a state holds that was given ([`KnownState::on`]): the state before the run's first block;
//! 3. an *assumption*: a function of the key, and of what the block does to it, alone. Two runs of it
//!    agree, whatever comes before.
//!
//! # What is assumed
//!
//! Let `h` be the first 8 bytes of `keccak256("thinstate assumes" || address [|| slot])`, big-endian.
//! The shares are mainnet's ("The Anatomy of Ethereum's State Access", ethresear.ch 25317: slot writes
//! 66.4 % update, 25.3 % create, 8.3 % delete; read-only slots 82.5 % zero; balance changes 93.1 %
//! adjust, 4.5 % fund, 2.4 % drain).
//!
//! | what | assumed before |
//! |---|---|
//! | slot that is only read | zero for 82.5 % of `h`; else 12 bytes made of `h`, a slot's mean |
//! | slot first written to zero | 12 bytes made of `h`: it is deleted |
//! | slot first written to a value | zero for 25.3 / (25.3 + 66.4) of `h`: it is created; else another value of the same length: it is updated |
//! | any slot of an account that is not there, or is given its first code in the block or was in an earlier one | zero |
//! | nonce | one less than the first one left; 1 of a contract; else a number below 16 |
//! | balance | another than the first one left; zero for 4.5 / (4.5 + 93.1) of `h` if that is no zero |
//! | code | none if code is first set in the block; a contract's has the hash `keccak256(address)`, which stands for code that is not known |
//!
//! An account is taken for a contract if a slot of it is touched. One that comes out empty (EIP-161) is
//! absent.

mod assume;
mod state;

pub use state::{AccountHint, Base, KnownState, SlotHint};
