//! Building a whole state at once, on an empty store.
//!
//! Blocks scatter their changes over all keys: each entry costs a scan of its bucket, a place in a log and
//! memtable, and its share of later compactions. A state that is known in advance, sorted by hashed key, needs
//! none of that:
//!
//! ```text
//! source (a thread)      parts: some accounts, all their slots       hashed keys, ascending
//!     |
//! roots (all threads)    storage tries of a part, hashed together    from memory, no read
//!     |         |
//!     |         +--- slots     table files, written beside the store (a thread)
//!     +------------- accounts  with their storage roots, the same (a thread)
//!
//! step   the store takes the files over, and the mark says so: of every 4 M entries, behind all before
//!
//! then   the account trie: one scan of all accounts
//!        ONE batch: the head, what else is to be there, and the mark goes -------- the state exists
//! ```
//!
//! | what | cost |
//! |---|---|
//! | entries | written once; no log, nothing to compact |
//! | hashes | each node once |
//! | reads | one scan of the accounts; one of the slots, and one more of the accounts, of a build that was gone on with |
//! | memory | up to five parts, 72 bytes for each slot and 136 for each account in them; the interior, about 2 bytes for each entry; RocksDB's filters, 1.3 |
//!
//! A part holds all slots of its accounts, so the largest contract sets the memory: one of 10.9 M slots, the
//! largest among 50 M accounts of mainnet's shape, takes 0.8 GB.
//!
//! # Recovery
//!
//! Before anything else a *mark* is made durable; it goes with the batch that writes the head. A store with the
//! mark and no head is refused on opening ([`OpenError::Unfinished`](super::OpenError::Unfinished)), whatever
//! tables have been taken over by then. [`discard_unfinished`](super::PermanentTier::discard_unfinished) empties it.
//! A build that fails while the process lives does so by itself.
//!
//! The mark is renewed after each *step*: some parts, about [`Options::bulk_step_entries`](super::Options) entries.
//! Who opens the store with [`Options::resume_bulk`](super::Options) can go on with the build, from a source of
//! the same name, behind the accounts that the mark counts; what tables have behind these is taken out first. So an
//! interruption loses at most one step. Before the head is written accounts and slots are counted, and the
//! interiors of earlier steps computed from them.
//!
//! ```text
//! table "meta"
//! "bulk"    version u8 = 2 | block u64 LE | source 32 | accounts u64 LE | slots u64 LE | last account 32
//! ```
//!
//! # Example
//!
//! ```
//! use alloy_primitives::{B256, U256};
//! use thinstate_engine::{
//!     BlockId, BulkAccount, BulkPart, BulkSlot, BulkSource, Options, PermanentTier, leaf_store::MemoryStore,
//! };
//! use thinstate_formats::{Account, BlockNumber};
//!
//! let tier = PermanentTier::open(MemoryStore::new(), Options::default())?;
//! let last_written = BlockNumber(7);
//! let part = BulkPart {
//!     accounts: vec![BulkAccount {
//!         key: B256::repeat_byte(1), // keccak256 of the address
//!         account: Account { nonce: 1, ..Account::default() },
//!         last_written,
//!         slots: 1,
//!     }],
//!     slots: vec![BulkSlot { key: B256::repeat_byte(2), value: U256::from(3), last_written }],
//! };
//! let source = BulkSource { id: B256::repeat_byte(1), codes: Vec::new(), parts: [part].into_iter() };
//! let block = BlockId { number: BlockNumber(9), hash: B256::ZERO };
//! let report = tier.bulk_build(block, source, &|_| {})?;
//!
//! assert_eq!(tier.head().root, report.root);
//! assert_eq!(tier.verify()?.slots, 1);
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```

mod build;
mod error;
mod mark;
mod part;
mod pipeline;
#[cfg(test)]
mod tests;

pub use build::{BulkReport, bulk_load_codes};
pub use error::BulkError;
pub use mark::bulk_cut_back;
pub use part::{BulkAccount, BulkPart, BulkSlot, BulkSource};
pub use pipeline::BulkProgress;

pub(super) use mark::Mark;
