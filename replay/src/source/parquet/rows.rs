//! Rows of the data sets.

use super::{ExtractError, columns::Batch};
use alloy_primitives::{Address, U256};
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use std::{fs::File, path::Path};
use thinstate_formats::{BlockNumber, trace::BlockAccessIndex};

/// A data set of cryo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dataset {
    /// Slots that were changed.
    StorageDiffs,
    /// Slots that were touched, as they were found.
    StorageReads,
    /// Balances that were changed.
    BalanceDiffs,
    /// Nonces that were changed.
    NonceDiffs,
}

/// What a row says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fact {
    Slot { slot: U256, from: U256, to: U256 },
    SlotFound { slot: U256, value: U256 },
    Balance { from: U256, to: U256 },
    Nonce { from: u64, to: u64 },
}

/// A row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) number: BlockNumber,
    pub(super) index: BlockAccessIndex,
    pub(super) address: Address,
    pub(super) fact: Fact,
}

impl Dataset {
    /// The data set that a file is named for.
    pub fn of(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?.strip_suffix(".parquet")?;
        [
            ("storage_diffs", Self::StorageDiffs),
            ("storage_reads", Self::StorageReads),
            ("slot_diffs", Self::StorageDiffs),
            ("slot_reads", Self::StorageReads),
            ("balance_diffs", Self::BalanceDiffs),
            ("nonce_diffs", Self::NonceDiffs),
        ]
        .into_iter()
        .find_map(|(text, dataset)| name.contains(text).then_some(dataset))
    }
}

/// Gives each row of a file to `take`.
pub(super) fn read(
    path: &Path,
    dataset: Dataset,
    chain_id: u64,
    mut take: impl FnMut(Row) -> Result<(), ExtractError>,
) -> Result<(), ExtractError> {
    let file = File::open(path).map_err(|source| ExtractError::Io {
        path: path.to_path_buf(),
        source,
    })?;
    let damaged = |source: Box<dyn core::error::Error + Send + Sync>| ExtractError::Parquet {
        path: path.to_path_buf(),
        source,
    };
    // What polars adds of its own types would bring arrays of more kinds.
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let reader = ParquetRecordBatchReaderBuilder::try_new_with_options(file, options)
        .and_then(ParquetRecordBatchReaderBuilder::build)
        .map_err(|error| damaged(error.into()))?;
    let mut first_row = 0;
    for rows in reader {
        let rows = rows.map_err(|error| damaged(error.into()))?;
        let batch = Batch {
            path,
            first_row,
            rows: &rows,
        };
        read_batch(&batch, dataset, chain_id, &mut take)?;
        first_row += rows.num_rows() as u64;
    }
    Ok(())
}

fn read_batch(
    batch: &Batch<'_>,
    dataset: Dataset,
    chain_id: u64,
    take: &mut impl FnMut(Row) -> Result<(), ExtractError>,
) -> Result<(), ExtractError> {
    let numbers = batch.numbers("block_number")?;
    let txs = batch.numbers("transaction_index")?;
    let chains = batch
        .has("chain_id")
        .then(|| batch.numbers("chain_id"))
        .transpose()?;
    let addresses = batch.bytes(match dataset {
        Dataset::StorageReads => &["contract_address", "address"],
        _ => &["address"],
    })?;
    let facts = facts(batch, dataset)?;
    for row in 0..batch.rows.num_rows() {
        if let Some(got) = chains.as_ref().and_then(|chains| chains.get(row))
            && got != chain_id
        {
            return Err(ExtractError::Chain {
                path: batch.path.to_path_buf(),
                row: batch.first_row + row as u64,
                expected: chain_id,
                got,
            });
        }
        let number = numbers.get(row);
        let number = number.ok_or_else(|| batch.wrong_value(row, "block_number", "a number"))?;
        let index = txs.get(row);
        take(Row {
            number: BlockNumber(number),
            index: index.map_or(
                BlockAccessIndex::PRE_EXECUTION,
                BlockAccessIndex::from_tx_index,
            ),
            address: addresses.address(row)?,
            fact: facts(row)?,
        })?;
    }
    Ok(())
}

type Facts<'a> = Box<dyn Fn(usize) -> Result<Fact, ExtractError> + 'a>;

/// What the rows of a batch say, by the columns of their data set.
fn facts<'a>(batch: &'a Batch<'a>, dataset: Dataset) -> Result<Facts<'a>, ExtractError> {
    if dataset == Dataset::StorageReads {
        let slots = batch.words("slot")?;
        let values = batch.words("value")?;
        return Ok(Box::new(move |row| {
            Ok(Fact::SlotFound {
                slot: slots.get(row)?,
                value: values.get(row)?,
            })
        }));
    }
    let from = batch.words("from_value")?;
    let to = batch.words("to_value")?;
    Ok(match dataset {
        Dataset::StorageDiffs => {
            let slots = batch.words("slot")?;
            Box::new(move |row| {
                Ok(Fact::Slot {
                    slot: slots.get(row)?,
                    from: from.get(row)?,
                    to: to.get(row)?,
                })
            })
        }
        Dataset::NonceDiffs => Box::new(move |row| {
            let nonce = |number: U256, column| {
                let nonce = u64::try_from(number);
                nonce.map_err(|_| batch.wrong_value(row, column, "a number of 64 bits"))
            };
            Ok(Fact::Nonce {
                from: nonce(from.get(row)?, "from_value")?,
                to: nonce(to.get(row)?, "to_value")?,
            })
        }),
        Dataset::BalanceDiffs | Dataset::StorageReads => Box::new(move |row| {
            Ok(Fact::Balance {
                from: from.get(row)?,
                to: to.get(row)?,
            })
        }),
    })
}
