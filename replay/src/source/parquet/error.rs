//! Why an extract was not taken.

use alloy_primitives::{Address, U256};
use std::{io, path::PathBuf};
use thinstate_engine::StateError;
use thinstate_formats::{BlockNumber, trace::BlockAccessIndex};

/// An extract that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ExtractError {
    /// A file or folder cannot be read.
    #[error("{}", path.display())]
    Io {
        /// The path.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A folder holds no file of a known data set, or a file's name does not say of which it is.
    #[error(
        "{}: expected files named for a data set (storage_diffs, storage_reads, balance_diffs, \
         nonce_diffs), as in ethereum__storage_diffs__12000000_to_12000999.parquet",
        path.display()
    )]
    NoDataset {
        /// The path.
        path: PathBuf,
    },
    /// A file is no Parquet file, or is damaged. Take another copy.
    #[error("{}: it is not read as Parquet", path.display())]
    Parquet {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<dyn core::error::Error + Send + Sync>,
    },
    /// A file lacks a column. Extract it with its default columns.
    #[error("{}: no column {column}", path.display())]
    NoColumn {
        /// The file.
        path: PathBuf,
        /// The column, or columns of which one is needed.
        column: String,
    },
    /// A column has another type than cryo gives it.
    #[error("{}: column {column} has type {got}", path.display())]
    ColumnType {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// Its type.
        got: String,
    },
    /// A value is not what belongs into its column.
    #[error("{}: row {row}, column {column}: expected {expected}", path.display())]
    Value {
        /// The file.
        path: PathBuf,
        /// The row, from 0.
        row: u64,
        /// The column.
        column: String,
        /// What belongs there.
        expected: &'static str,
    },
    /// A row is of another chain. Say `--chain-id`.
    #[error("{}: row {row} is of chain {got}, expected {expected}", path.display())]
    Chain {
        /// The file.
        path: PathBuf,
        /// The row, from 0.
        row: u64,
        /// The chain that was asked for.
        expected: u64,
        /// The row's.
        got: u64,
    },
    /// Two rows say something else of the same thing: files of two extracts are mixed, or one is wrong.
    #[error(transparent)]
    Disagree(Box<Disagreement>),
    /// Two rows change the same field of an account at the same index, differently.
    #[error("block {number}, index {index}: two rows change the {field} of {address}")]
    Twice {
        /// The block.
        number: BlockNumber,
        /// Where in it.
        index: BlockAccessIndex,
        /// The account.
        address: Address,
        /// Balance or nonce.
        field: &'static str,
    },
    /// The file of a block is at fault.
    #[error("block {number} of the extract")]
    Block {
        /// The block.
        number: BlockNumber,
        /// What is wrong with its file.
        source: Box<crate::source::witness::Fault>,
    },
    /// The state that knows what was not extracted has no answer.
    #[error("what was there before is not known")]
    State(#[from] StateError),
}

/// Two rows that say something else of the same slot.
#[derive(Debug, thiserror::Error)]
#[error(
    "block {number}, index {index}: slot {slot:#x} of {address} is {first} by one row, {second} by another"
)]
pub struct Disagreement {
    /// The block.
    pub number: BlockNumber,
    /// Where in it.
    pub index: BlockAccessIndex,
    /// The contract.
    pub address: Address,
    /// The slot.
    pub slot: U256,
    /// What one row says.
    pub first: U256,
    /// What the other says.
    pub second: U256,
}
