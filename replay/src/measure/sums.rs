//! `SHA256SUMS`: what the files of a result must be, in the format of `sha256sum -c`.

use super::{
    error::{ReadError, RecordError, os, unreadable},
    recorder::{BLOCKS_CSV, BLOCKS_PARQUET, HISTOGRAMS, write_whole},
};
use alloy_primitives::hex;
use sha2::{Digest as _, Sha256};
use std::{collections::BTreeMap, fs, io, path::Path};

/// Its name.
pub(super) const SUMS: &str = "SHA256SUMS";

/// Writes the sums of the files of a run, and of those that are still to be written.
pub(super) fn write(dir: &Path, to_come: &[(&str, &[u8])]) -> Result<(), RecordError> {
    let mut sums = BTreeMap::new();
    for (name, bytes) in to_come {
        sums.insert((*name).to_owned(), sum(bytes));
    }
    let mut names = vec![BLOCKS_CSV.to_owned()];
    if dir.join(BLOCKS_PARQUET).is_file() {
        names.push(BLOCKS_PARQUET.to_owned());
    }
    let histograms = dir.join(HISTOGRAMS);
    for entry in fs::read_dir(&histograms).map_err(os("list the folder", &histograms))? {
        let entry = entry.map_err(os("list the folder", &histograms))?;
        names.push(format!("{HISTOGRAMS}/{}", entry.file_name().display()));
    }
    for name in names {
        let path = dir.join(&name);
        let bytes = fs::read(&path).map_err(os("read the file", &path))?;
        sums.insert(name, sum(&bytes));
    }
    let lines = sums.iter().map(|(name, sum)| format!("{sum}  {name}\n"));
    let text: String = lines.collect();
    write_whole(&dir.join(SUMS), text.as_bytes())
}

/// Holds a file against the sums beside it. A file without sums beside it is taken as it is.
pub(super) fn check(dir: &Path, name: &str, bytes: &[u8]) -> Result<(), ReadError> {
    let path = dir.join(SUMS);
    let text = match fs::read_to_string(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other.map_err(unreadable(&path))?,
    };
    let mut is_named = false;
    for (index, line) in text.lines().enumerate() {
        let (expected, named) = line.split_once("  ").ok_or_else(|| ReadError::Sums {
            path: path.clone(),
            line: index + 1,
        })?;
        if named != name {
            continue;
        }
        is_named = true;
        let got = sum(bytes);
        if got != expected {
            return Err(ReadError::Checksum {
                path: dir.join(name),
                expected: expected.to_owned(),
                got,
            });
        }
    }
    if is_named {
        return Ok(());
    }
    Err(ReadError::NotInSums {
        path,
        name: name.to_owned(),
    })
}

fn sum(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}
