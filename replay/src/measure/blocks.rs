//! `blocks.csv`: a row for each block.
//!
//! ```text
//! block_number,warm_up,METRIC,...,METRIC,state_root,commitment
//! ```
//!
//! `warm_up` is 0 or 1; metrics are those of [`METRICS`], whole numbers in their unit; roots are 0x and 64 hexadecimal digits,
//! `state_root` is empty where the design has no trie. Readers go by the names in the header: a file of another version may
//! have more columns, or fewer.

use super::{BlockCost, METRICS, error::ReadError};
use alloy_primitives::B256;
use core::fmt::Write as _;
use std::{collections::BTreeMap, path::Path};
use thinstate_formats::BlockNumber;

/// Columns that are no metric.
pub(super) const NUMBER: &str = "block_number";
pub(super) const WARM_UP: &str = "warm_up";
pub(super) const STATE_ROOT: &str = "state_root";
pub(super) const COMMITMENT: &str = "commitment";

/// The first line, with its end.
pub(super) fn header() -> String {
    let names: Vec<_> = METRICS.iter().map(|metric| metric.name).collect();
    let names = names.join(",");
    format!("{NUMBER},{WARM_UP},{names},{STATE_ROOT},{COMMITMENT}\n")
}

/// Appends the row of a block, with its end.
pub(super) fn push_row(text: &mut String, cost: &BlockCost) {
    // Writing to a string cannot fail.
    let _ = write!(text, "{},{}", cost.number.0, u8::from(cost.warm_up));
    for metric in METRICS {
        let _ = write!(text, ",{}", (metric.of)(cost));
    }
    text.push(',');
    if let Some(root) = cost.state_root {
        let _ = write!(text, "{root}");
    }
    let _ = writeln!(text, ",{}", cost.commitment);
}

/// The rows of a run, by column.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Blocks {
    /// Number of each block.
    pub numbers: Vec<BlockNumber>,
    /// Whether it belongs to the burn-in.
    pub warm_up: Vec<bool>,
    /// State root after it, where there is one.
    pub state_roots: Vec<Option<B256>>,
    /// Commitment after it.
    pub commitments: Vec<B256>,
    /// Values of each metric, by its name.
    pub metrics: BTreeMap<String, Vec<u64>>,
}

impl Blocks {
    /// Reads rows; `path` is for errors. Every line must be whole, the last one too.
    pub fn parse(path: &Path, text: &str) -> Result<Self, ReadError> {
        let fault = |line: usize, reason: String| ReadError::Row {
            path: path.to_owned(),
            line,
            reason,
        };
        if !text.ends_with('\n') {
            let lines = text.lines().count();
            return Err(fault(lines, "cut off".to_owned()));
        }
        let mut lines = text.lines();
        let names: Vec<&str> = lines.next().unwrap_or_default().split(',').collect();
        let mut blocks = Self::with_columns(&names).map_err(|reason| fault(1, reason))?;
        for (index, line) in lines.enumerate() {
            blocks
                .push(&names, line)
                .map_err(|reason| fault(index + 2, reason))?;
        }
        Ok(blocks)
    }

    /// How many there are, with the burn-in.
    pub const fn len(&self) -> usize {
        self.numbers.len()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    /// Values of a metric over the blocks that count.
    pub fn counted(&self, metric: &str) -> Option<Vec<u64>> {
        let values = self.metrics.get(metric)?.iter().zip(&self.warm_up);
        Some(
            values
                .filter(|(_, warm)| !**warm)
                .map(|(v, _)| *v)
                .collect(),
        )
    }

    /// Numbers of the blocks that count.
    pub fn counted_numbers(&self) -> Vec<BlockNumber> {
        let numbers = self.numbers.iter().zip(&self.warm_up);
        numbers
            .filter(|(_, warm)| !**warm)
            .map(|(n, _)| *n)
            .collect()
    }

    fn with_columns(names: &[&str]) -> Result<Self, String> {
        for needed in [NUMBER, WARM_UP, STATE_ROOT, COMMITMENT] {
            let count = names.iter().filter(|name| **name == needed).count();
            if count != 1 {
                return Err(format!("expected one column {needed}, got {count}"));
            }
        }
        let fixed = |name: &str| [NUMBER, WARM_UP, STATE_ROOT, COMMITMENT].contains(&name);
        let mut blocks = Self::default();
        for name in names.iter().filter(|name| !fixed(name)) {
            if blocks.metrics.insert((*name).to_owned(), vec![]).is_some() {
                return Err(format!("column {name} is there twice"));
            }
        }
        Ok(blocks)
    }

    fn push(&mut self, names: &[&str], line: &str) -> Result<(), String> {
        let fields = line.split(',').count();
        if fields != names.len() {
            return Err(format!("expected {} fields, got {fields}", names.len()));
        }
        for (name, field) in names.iter().zip(line.split(',')) {
            match *name {
                NUMBER => self.numbers.push(BlockNumber(number(name, field)?)),
                WARM_UP => self.warm_up.push(flag(field)?),
                STATE_ROOT if field.is_empty() => self.state_roots.push(None),
                STATE_ROOT => self.state_roots.push(Some(hash(name, field)?)),
                COMMITMENT => self.commitments.push(hash(name, field)?),
                _ => {
                    let value = number(name, field)?;
                    let column = self.metrics.get_mut(*name);
                    column.ok_or("a column without a name")?.push(value);
                }
            }
        }
        Ok(())
    }
}

fn number(name: &str, field: &str) -> Result<u64, String> {
    field
        .parse()
        .map_err(|_| format!("{name}: expected a number below 2^64, got {field:?}"))
}

fn flag(field: &str) -> Result<bool, String> {
    match field {
        "0" => Ok(false),
        "1" => Ok(true),
        _ => Err(format!("{WARM_UP}: expected 0 or 1, got {field:?}")),
    }
}

fn hash(name: &str, field: &str) -> Result<B256, String> {
    field
        .parse()
        .map_err(|_| format!("{name}: expected 32 bytes in hexadecimal, got {field:?}"))
}
