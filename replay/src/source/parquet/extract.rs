//! An extract: the rows of its files, by block and index.

use super::{
    Dataset, Disagreement, ExtractError,
    rows::{self, Fact, Row},
};
use alloy_primitives::{Address, U256};
use std::{
    collections::{BTreeMap, btree_map::Entry},
    fs, io,
    path::{Path, PathBuf},
};
use thinstate_formats::{BlockNumber, trace::BlockAccessIndex};

/// What the rows say of each block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extract {
    pub(super) blocks: BTreeMap<BlockNumber, ExtractBlock>,
}

/// What the rows say of a block.
pub(super) type ExtractBlock = BTreeMap<BlockAccessIndex, ExtractGroup>;

/// What the rows say of one index.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ExtractGroup {
    pub(super) slots: BTreeMap<(Address, U256), Slot>,
    pub(super) accounts: BTreeMap<Address, Fields>,
}

/// A slot: as it was found, and where it is changed, what is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) found: U256,
    pub(super) left: Option<U256>,
}

/// Fields of an account that change, each with what was there before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Fields {
    pub(super) balance: Option<(U256, U256)>,
    pub(super) nonce: Option<(u64, u64)>,
}

/// Files of known data sets at some paths: files, or folders of them.
pub fn find(paths: &[PathBuf]) -> Result<Vec<(Dataset, PathBuf)>, ExtractError> {
    let mut files = Vec::new();
    for path in paths {
        let failed = |source: io::Error| ExtractError::Io {
            path: path.clone(),
            source,
        };
        let before = files.len();
        if path.metadata().map_err(failed)?.is_dir() {
            for entry in fs::read_dir(path).map_err(failed)? {
                files.extend(of_dataset(entry.map_err(failed)?.path()));
            }
        } else {
            files.extend(of_dataset(path.clone()));
        }
        if files.len() == before {
            return Err(ExtractError::NoDataset { path: path.clone() });
        }
    }
    files.sort();
    files.dedup();
    Ok(files)
}

fn of_dataset(path: PathBuf) -> Option<(Dataset, PathBuf)> {
    Some((Dataset::of(&path)?, path))
}

impl Extract {
    /// Reads files of one chain.
    pub fn read(files: &[(Dataset, PathBuf)], chain_id: u64) -> Result<Self, ExtractError> {
        let mut extract = Self::default();
        for (dataset, path) in files {
            extract.add(path, *dataset, chain_id)?;
        }
        Ok(extract)
    }

    fn add(&mut self, path: &Path, dataset: Dataset, chain_id: u64) -> Result<(), ExtractError> {
        rows::read(path, dataset, chain_id, |row| {
            let block = self.blocks.entry(row.number).or_default();
            block.entry(row.index).or_default().add(&row)
        })
    }

    /// The blocks that rows name.
    pub fn numbers(&self) -> impl Iterator<Item = BlockNumber> + '_ {
        self.blocks.keys().copied()
    }
}

impl ExtractGroup {
    fn add(&mut self, row: &Row) -> Result<(), ExtractError> {
        let twice = |field| ExtractError::Twice {
            number: row.number,
            index: row.index,
            address: row.address,
            field,
        };
        match row.fact {
            Fact::Slot { slot, from, to } => {
                let (found, left) = (from, Some(to));
                self.add_slot(row, slot, Slot { found, left })
            }
            Fact::SlotFound { slot, value } => {
                let (found, left) = (value, None);
                self.add_slot(row, slot, Slot { found, left })
            }
            Fact::Balance { from, to } => {
                let fields = self.accounts.entry(row.address).or_default();
                let change = (from, to);
                if *fields.balance.get_or_insert(change) == change {
                    Ok(())
                } else {
                    Err(twice("balance"))
                }
            }
            Fact::Nonce { from, to } => {
                let fields = self.accounts.entry(row.address).or_default();
                let change = (from, to);
                if *fields.nonce.get_or_insert(change) == change {
                    Ok(())
                } else {
                    Err(twice("nonce"))
                }
            }
        }
    }

    /// Adds what a row says of a slot, which has to agree with what another row said.
    fn add_slot(&mut self, row: &Row, slot: U256, new: Slot) -> Result<(), ExtractError> {
        let known = match self.slots.entry((row.address, slot)) {
            Entry::Vacant(vacant) => {
                vacant.insert(new);
                return Ok(());
            }
            Entry::Occupied(known) => known.into_mut(),
        };
        let disagree = |first, second| {
            ExtractError::Disagree(Box::new(Disagreement {
                number: row.number,
                index: row.index,
                address: row.address,
                slot,
                first,
                second,
            }))
        };
        if known.found != new.found {
            return Err(disagree(known.found, new.found));
        }
        match (known.left, new.left) {
            (Some(first), Some(second)) if first != second => Err(disagree(first, second)),
            (left, other) => {
                known.left = left.or(other);
                Ok(())
            }
        }
    }
}
