//! Blocks for the demo: transactions drawn from a profile, to be executed by an EVM on top of mainnet's genesis state.
//!
//! # What it is
//! [`BlockGenerator`] yields [`GeneratedBlock`]s whose transactions do to a state store what mainnet's do: change balances, open
//! accounts, move tokens between known and new holders, deploy code, read slots that are mostly absent, write, clear and
//! wipe storage. The contracts are assembled by hand ([`contracts`]), so no compiler takes part. A [`Profile`] says how much of what.
//!
//! # Invariants
//! * The same profile and the same funded accounts give the same blocks, on any machine: all draws come from one ChaCha stream, and no
//!   function whose last bit depends on the platform is used.
//! * Every transaction succeeds. The generator keeps a model of what its transactions change ([`Token`], [`Vault`], the senders'
//!   funds), in the order in which they run, and never asks for what the model does not hold.
//! * The gas limits of a block's transactions add up to no more than the block's; [`Profile::parse`] refuses a profile that could
//!   exceed it.
//!
//! # What the executor must hold to
//! The rules are Shanghai's, and stay so: from Cancun on (EIP-6780) SELFDESTRUCT no longer wipes storage, and wipes are what a store
//! finds hard. Signatures do not exist, callers are given (the funded accounts are mainnet's, their keys are not ours);
//! the base fee is zero, so that the whole gas price goes to the beneficiary. Some transactions send nothing to an absent account:
//! revm reports it as touched and empty, and by EIP-161 it must not come to be.
//!
//! # Cost
//! About 2 µs a transaction, and about 40 bytes of memory for each account, holder and slot that the
//! blocks made (measured over 3,000 blocks of the demo's profile).
//!
//! # The first blocks
//! Tokens, the factory and the first vaults and holders come into being through transactions too. As many [`BlockKind::Setup`] blocks
//! as these need come first; [`Profile::blocks`] counts only those after.

mod asm;
mod block;
pub mod contracts;
mod error;
mod gas;
mod generator;
mod load;
mod popularity;
mod profile;
mod senders;
mod setup;
mod token;
mod vault;

#[cfg(test)]
mod tests;

pub use block::{BlockKind, GeneratedBlock, GeneratedTx};
pub use error::{GenerateError, ProfileError};
pub use generator::BlockGenerator;
pub(crate) use popularity::Popularity;
pub use profile::{Chain, PopularityExponents, Profile, Setup, Shares, Sizes, Span, Transactions};
pub use token::Token;
pub use vault::Vault;
