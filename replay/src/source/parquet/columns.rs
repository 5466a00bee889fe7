//! Columns of a batch of rows, with errors that name file, row and column.

use super::ExtractError;
use alloy_primitives::{Address, U256, hex};
use arrow_array::{
    Array, BinaryArray, Int32Array, Int64Array, LargeBinaryArray, LargeStringArray, RecordBatch,
    StringArray, UInt32Array, UInt64Array,
};
use std::{borrow::Cow, path::Path};

/// A batch of rows of a file.
pub(super) struct Batch<'a> {
    pub(super) path: &'a Path,
    /// The batch's first row in the file.
    pub(super) first_row: u64,
    pub(super) rows: &'a RecordBatch,
}

/// A column of whole numbers.
pub(super) enum Numbers<'a> {
    U32(&'a UInt32Array),
    U64(&'a UInt64Array),
    I32(&'a Int32Array),
    I64(&'a Int64Array),
}

/// A column of bytes: as they are, or as hex digits.
pub(super) struct Bytes<'a> {
    batch: &'a Batch<'a>,
    name: String,
    values: Values<'a>,
}

enum Values<'a> {
    Binary(&'a BinaryArray),
    LargeBinary(&'a LargeBinaryArray),
    Text(&'a StringArray),
    LargeText(&'a LargeStringArray),
}

/// A column of numbers of 256 bits.
pub(super) enum Words<'a> {
    Bytes(Bytes<'a>),
    Decimal(Bytes<'a>),
}

impl<'a> Batch<'a> {
    fn find(&'a self, names: &[&str]) -> Result<(String, &'a dyn Array), ExtractError> {
        let found = names
            .iter()
            .find_map(|name| Some((*name, self.rows.column_by_name(name)?)));
        match found {
            Some((name, column)) => Ok((name.to_owned(), column.as_ref())),
            None => Err(ExtractError::NoColumn {
                path: self.path.to_path_buf(),
                column: names.join(" or "),
            }),
        }
    }

    fn wrong_type(&self, name: &str, column: &dyn Array) -> ExtractError {
        ExtractError::ColumnType {
            path: self.path.to_path_buf(),
            column: name.to_owned(),
            got: column.data_type().to_string(),
        }
    }

    pub(super) fn wrong_value(
        &self,
        row: usize,
        column: &str,
        expected: &'static str,
    ) -> ExtractError {
        ExtractError::Value {
            path: self.path.to_path_buf(),
            row: self.first_row + row as u64,
            column: column.to_owned(),
            expected,
        }
    }

    /// Whether there is such a column.
    pub(super) fn has(&self, name: &str) -> bool {
        self.rows.column_by_name(name).is_some()
    }

    /// A column of whole numbers.
    pub(super) fn numbers(&'a self, name: &str) -> Result<Numbers<'a>, ExtractError> {
        let (name, column) = self.find(&[name])?;
        let any = column.as_any();
        None.or_else(|| any.downcast_ref().map(Numbers::U32))
            .or_else(|| any.downcast_ref().map(Numbers::U64))
            .or_else(|| any.downcast_ref().map(Numbers::I32))
            .or_else(|| any.downcast_ref().map(Numbers::I64))
            .ok_or_else(|| self.wrong_type(&name, column))
    }

    /// A column of bytes, under one of these names.
    pub(super) fn bytes(&'a self, names: &[&str]) -> Result<Bytes<'a>, ExtractError> {
        let (name, column) = self.find(names)?;
        let any = column.as_any();
        let values = None
            .or_else(|| any.downcast_ref().map(Values::Binary))
            .or_else(|| any.downcast_ref().map(Values::LargeBinary))
            .or_else(|| any.downcast_ref().map(Values::Text))
            .or_else(|| any.downcast_ref().map(Values::LargeText))
            .ok_or_else(|| self.wrong_type(&name, column))?;
        Ok(Bytes {
            batch: self,
            name,
            values,
        })
    }

    /// A column of numbers of 256 bits: `name`, or with `_string` or `_binary` behind it.
    pub(super) fn words(&'a self, name: &str) -> Result<Words<'a>, ExtractError> {
        let [text, binary] = ["string", "binary"].map(|kind| format!("{name}_{kind}"));
        if self.has(&text) {
            return Ok(Words::Decimal(self.bytes(&[&text])?));
        }
        Ok(Words::Bytes(self.bytes(&[name, &binary])?))
    }
}

impl Numbers<'_> {
    /// The number in a row; `None` where it is null, or negative.
    pub(super) fn get(&self, row: usize) -> Option<u64> {
        let array: &dyn Array = match self {
            Self::U32(array) => *array,
            Self::U64(array) => *array,
            Self::I32(array) => *array,
            Self::I64(array) => *array,
        };
        if array.is_null(row) {
            return None;
        }
        match self {
            Self::U32(array) => Some(array.value(row).into()),
            Self::U64(array) => Some(array.value(row)),
            Self::I32(array) => array.value(row).try_into().ok(),
            Self::I64(array) => array.value(row).try_into().ok(),
        }
    }
}

impl Bytes<'_> {
    fn fault(&self, row: usize, expected: &'static str) -> ExtractError {
        self.batch.wrong_value(row, &self.name, expected)
    }

    fn get(&self, row: usize) -> Result<Cow<'_, [u8]>, ExtractError> {
        let text = match &self.values {
            Values::Binary(it) if it.is_valid(row) => return Ok(it.value(row).into()),
            Values::LargeBinary(it) if it.is_valid(row) => return Ok(it.value(row).into()),
            Values::Text(it) if it.is_valid(row) => it.value(row),
            Values::LargeText(it) if it.is_valid(row) => it.value(row),
            _ => return Err(self.fault(row, "bytes")),
        };
        let bytes = hex::decode(text).map_err(|_| self.fault(row, "hex digits"))?;
        Ok(bytes.into())
    }

    /// The row's address.
    pub(super) fn address(&self, row: usize) -> Result<Address, ExtractError> {
        let bytes = self.get(row)?;
        Address::try_from(&bytes[..]).map_err(|_| self.fault(row, "20 bytes"))
    }

    /// The row's number, big-endian.
    fn number(&self, row: usize) -> Result<U256, ExtractError> {
        let bytes = self.get(row)?;
        U256::try_from_be_slice(&bytes).ok_or_else(|| self.fault(row, "at most 32 bytes"))
    }

    fn decimal(&self, row: usize) -> Result<U256, ExtractError> {
        let text = match &self.values {
            Values::Text(it) if it.is_valid(row) => it.value(row),
            Values::LargeText(it) if it.is_valid(row) => it.value(row),
            _ => return Err(self.fault(row, "text")),
        };
        U256::from_str_radix(text, 10).map_err(|_| self.fault(row, "decimal digits"))
    }
}

impl Words<'_> {
    /// The row's number.
    pub(super) fn get(&self, row: usize) -> Result<U256, ExtractError> {
        match self {
            Self::Bytes(column) => column.number(row),
            Self::Decimal(column) => column.decimal(row),
        }
    }
}
