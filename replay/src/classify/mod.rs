//! What lives in a slot: objects recognised by preimages, logs, known layouts and addresses.
//!
//! A contract's storage says nothing about what it holds: 32-byte words at hashes. Four sources tell
//! what a slot is, and each says less than the one before:
//!
//! | source | says | from |
//! |---|---|---|
//! | execution | the 64 bytes that were hashed: mapping and keys | [`trace`](crate::trace), in the trace |
//! | logs | who has how much of which token, and how that moved | receipts ([`BlockLogs`]) |
//! | registry | which mapping of a contract holds what | `data/layouts.toml` ([`Registry`]) |
//! | search | mapping and keys, where a guess of them hashes to the slot | the block's addresses |
//!
//! # How a slot is classified
//!
//! 1. *Where it is.* With preimages, of the execution or found by search, it is an entry of a mapping
//!    ([`Place`]) with keys. Else its number may say that it is the contract's own: below 2^32 a
//!    declared variable, up to 2^32 words behind `keccak256(n)`, n < 1,024, an array's element, up to
//!    16 words behind a known constant (ERC-1967, ERC-7201) unstructured storage. An array in a mapping
//!    is found by its length, if the block touches that too.
//! 2. *What its mapping holds.* One thing, for all of its entries. Registry and logs say it, the logs
//!    of all blocks together ([`LayoutBook`] has the rule). A log's word is exact where the entry's
//!    keys are those that it names and the value moved, at that index, by what it says:
//!
//! | kind | keys | log | exact if |
//! |---|---|---|---|
//! | ERC-20 balance | holder | `Transfer` of 3 topics, or with nothing indexed | moved by received less sent |
//! | ERC-721 owner | id | `Transfer` of 4 topics | from the first holder to the last |
//! | ERC-721 count | holder | the same | low 8 bytes moved by received less sent |
//! | ERC-1155 balance | id, holder in any order | `TransferSingle`, `TransferBatch`; ERC-6909's `Transfer` | moved by received less sent |
//! | allowance | owner, spender | `Approval` of 3 topics, `Transfer` | is what was approved, or lowered by what the owner sent |
//! | operator approval | owner, operator | `ApprovalForAll` | is what the log says |
//! | CDP | by protocol | none | registry only |
//!
//! 3. *How that is known* of this slot ([`Method`]): a log that names this very entry, the registry, or
//!    what was learned of its mapping elsewhere, or earlier.
//!
//! Where a block's logs are not at hand, classes that the trace has already are evidence: an earlier
//! classification may have had the logs. They weigh less than logs and the registry, and more than what
//! moves without a log says. A slot whose keys are not known keeps its class.
//!
//! One slot gets one kind, for one mapping has one. What is not recognised stays unclassified, in the
//! permanent tier.
//!
//! # Decisions
//!
//! - The number of a holder's ERC-721 tokens is a plain slot: it is the user's, but it follows from
//!   the tokens. It is counted apart ([`SlotKind::Erc721Count`]).
//! - So is an operator's approval (`ApprovalForAll`), a flag that no class of object describes
//!   ([`SlotKind::OperatorApproval`]).
//! - Entries of a struct of several words (a Maker urn, a Compound borrow) are one slot each.
//! - A balance that moves by other amounts than logs say (fees, shares, aTokens) is a balance still if
//!   the contract has one such mapping only: method `named`.
//! - Without any log, two entries of one mapping that move by opposite amounts in a transaction make it
//!   a mapping of balances, if it is the contract's only one: method `shape`. Tokens from before ERC-20
//!   look like this, and so do deposits within an exchange; both are balances of users.
//! - A contract has one mapping of balances, one of owners, one of allowances: two slots never are the
//!   same object.
//!
//! # What is not seen
//!
//! A token whose balances lie in another contract than the one that logs (a storage contract behind
//! it); arrays and mappings inside of structs beyond 16 words; layouts that hash strings. Solady's
//! ERC-20 is recognised by search, but the trace's preimages cannot say its keys: such slots have a
//! class and no object key, and stay in the permanent tier. The same goes for CDPs of protocols whose
//! positions are not numbered by their owner (all that the registry has), and Permit2's allowances.
//!
//! # Cost
//!
//! One or two hashes for each slot with preimages. The search hashes about 620 inputs for each holder
//! that a log of an unknown token names, where the token has slots that nothing explains.

mod arrays;
mod balance;
mod block;
mod book;
mod events;
mod guess;
mod kind;
mod logs;
mod method;
mod place;
mod plain;
mod registry;
mod report;
mod rules;
mod search;
mod uses;

#[cfg(test)]
mod tests;

pub use balance::BalanceCheck;
pub use block::{
    BlockFindings, Finding, apply_book, classify_block, forget, forget_classes, learn_block,
};
pub use book::LayoutBook;
pub use kind::SlotKind;
pub use logs::BlockLogs;
pub use method::{Basis, Method};
pub use place::{Place, Scheme};
pub use registry::{Registry, RegistryError};
pub(crate) use report::share;
pub use report::{Agreement, Comparison, Report, Tally};
