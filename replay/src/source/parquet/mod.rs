//! Parquet files as cryo writes them: what each transaction did to slots, balances and nonces.
//!
//! | data set | columns that are read | from |
//! |---|---|---|
//! | `storage_diffs` | `address`, `slot`, `from_value`, `to_value` | `trace_replayBlockTransactions`, or the prestate tracer (`geth_storage_diffs`) |
//! | `storage_reads` (`slot_reads`) | `contract_address` (or `address`), `slot`, `value` | the prestate tracer: what each transaction touches, as it found it |
//! | `balance_diffs`, `nonce_diffs` | `address`, `from_value_*`, `to_value_*` | as the first |
//!
//! All of them have `block_number` and `transaction_index`, counted from 0, and may have `chain_id`. Bytes are
//! binary columns, or text with hex digits (`cryo --hex`); numbers of 256 bits stand in a column with
//! `_string` (decimal) or `_binary` (big-endian) behind its name. Which data set a file is of its name says:
//! `ethereum__storage_diffs__12000000_to_12000999.parquet`. Paradigm's published data sets have the same
//! columns.
//!
//! # The trace
//!
//! A slot that is read and changed is one access; both have to agree on what was there. Of an account the
//! data sets tell balance and nonce where they change. The rest (its code, and what does not change) is
//! known from earlier blocks or assumed, by the rule of [`known`](super::known), so the trace says that
//! values are partly assumed. An account whose slots are touched is read. System calls, withdrawals and
//! rewards are in none of the data sets; a row without a `transaction_index` stands at index 0. Figures of
//! the block are taken from its file, where there is one; without it the trace has no hash, no gas and no
//! root, and as many transactions as the highest index named.
//!
//! # Cost
//!
//! All rows are held in memory while they are put in order: about 200 bytes each. cryo's files hold 1,000
//! blocks.

mod columns;
mod error;
mod extract;
mod rows;
mod to_trace;

pub use error::{Disagreement, ExtractError};
pub use extract::{Extract, find};
pub use rows::Dataset;
