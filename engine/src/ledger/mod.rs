//! Ledgers: what the author of a contract sees of the tiers.
//!
//! [`TokenLedger`] (ERC-20), [`NftLedger`] (ERC-721) and [`CdpLedger`] have the calls that such
//! contracts have, and `resurrect`. A [`Policy`](thinstate_formats::policy::Policy) says in which tier
//! the objects live; the calls are the same, and so are the balances.
//!
//! A ledger is made for one block, runs on a [`LedgerHost`], and ends with `settle`. One ledger for a
//! contract and block: two would not see each other's changes of records.
//!
//! | tier | read | change | `settle` | `resurrect` |
//! |---|---|---|---|---|
//! | permanent | 1 slot | 1 slot | | refused |
//! | temporary | 1 entry | 1 entry | | 1 proof, 1 bit, 1 entry |
//! | UTXO | the owner's records, from the wallet | kept until `settle` | spends and appends | refused |
//!
//! The hub of a contract (total supply, next id) is in slots of the permanent tier, always.
//!
//! # Temporary tier
//!
//! What a read returns is the live version alone, the current period's or else the previous one's,
//! never a sum of both. A write reads it first, and puts a new version of the whole value into the
//! current period: the previous one's is then neither read nor sealed. So each unit of a balance is in
//! one version, and resurrecting a sealed one adds what no live version counts. Where storing zero
//! would not hide the previous period's version, a removal is written as
//! [`NOTHING`](thinstate_formats::object::NOTHING), which reads as zero and cannot be resurrected.
//!
//! Allowances lapse: nothing resurrects them.
//!
//! # UTXO tier
//!
//! A ledger settles the *net* change of a block: what goes in and out within a block leaves no record,
//! and records of a block are not spent in it. Which records
//! pay is a rule of the balance alone: the largest first, equal ones by ascending index. An owner keeps
//! at most 8 ([`MAX_RECORDS_PER_OWNER`]). A token or a position is one record, spent and appended anew when it changes hands or value. Owners are settled
//! by ascending address, tokens by ascending id, so that all nodes give the same indexes.

mod balances;
mod cdp;
mod coins;
mod error;
mod host;
mod hub;
mod nft;
mod token;
mod unique;
mod wallet;
mod words;

pub use cdp::{Adjustment, CdpId, CdpLedger};
pub use coins::{Coin, MAX_RECORDS_PER_OWNER, Settlement, settle};
pub use error::LedgerError;
pub use host::{HeldRecord, LedgerHost, RecordSource};
pub use nft::NftLedger;
pub use token::TokenLedger;
pub use wallet::{WalletError, WalletIndex};

use thinstate_formats::BlockNumber;

/// Refuses to go on in another block than the changes were made in.
fn check_block<E>(made_in: Option<BlockNumber>, now: BlockNumber) -> Result<(), LedgerError<E>> {
    match made_in.filter(|made_in| *made_in != now) {
        None => Ok(()),
        Some(expected) => Err(LedgerError::OtherBlock { expected, got: now }),
    }
}
