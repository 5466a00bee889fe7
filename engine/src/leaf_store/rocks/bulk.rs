//! Filling an empty table from sorted entries, past log and memtables.
//!
//! The entries become table files in `bulk/`, which RocksDB then takes over all at once as its
//! last level: one write of the data instead of about ten, and nothing to compact. What a crash
//! leaves in `bulk/` is removed at the next opening, and the table is still empty.

use super::super::counters::Tally;
use super::super::{Entry, LeafRead, LeafStore, StoreError, Table};
use super::RocksStore;
use super::failure::{os, typed};
use core::ops::ControlFlow;
use core::sync::atomic::Ordering::Relaxed;
use rocksdb::{IngestExternalFileOptions, Options, SstFileWriter};
use std::fs;
use std::path::{Path, PathBuf};

/// A new file is begun after this many bytes.
const FILE_BYTES: u64 = 128 << 20;

impl RocksStore {
    /// Puts entries with ascending keys into an empty table, durably, and returns their number.
    ///
    /// All of them or, after an error, none. No other writer may be at work.
    pub fn bulk_load(
        &self,
        table: Table,
        entries: impl IntoIterator<Item = Entry>,
    ) -> Result<u64, StoreError> {
        self.require_empty(table)?;
        let folder = self.path().join("bulk");
        remove_leftovers(self.path())?;
        fs::create_dir_all(&folder).map_err(|error| os("create folder", &folder, &error))?;
        let options = self.options.table(table, &self.cache);
        let loaded = write_files(table, &options, &folder, entries)
            .and_then(|files| self.ingest(table, files));
        remove_leftovers(self.path())?;
        let tally = loaded?;
        self.logical.loaded(tally);
        Ok(tally.entries)
    }

    fn ingest(&self, table: Table, written: Written) -> Result<Tally, StoreError> {
        if !written.files.is_empty() {
            let mut how = IngestExternalFileOptions::default();
            how.set_move_files(true);
            self.db
                .ingest_external_file_cf_opts(self.family(table), &how, written.files)
                .map_err(|error| typed("take over files", self.path(), &error))?;
        }
        self.bulk_bytes.fetch_add(written.file_bytes, Relaxed);
        Ok(written.tally)
    }

    fn require_empty(&self, table: Table) -> Result<(), StoreError> {
        let mut first = None;
        self.snapshot().scan(table, &[], None, &mut |key, _| {
            first = Some(hex(key));
            ControlFlow::Break(())
        })?;
        match first {
            None => Ok(()),
            Some(key) => Err(StoreError::BadEntry {
                table,
                key,
                expected: "an empty table to load into",
                got: "this entry".to_owned(),
            }),
        }
    }
}

/// Files that are not part of the store yet.
#[derive(Default)]
struct Written {
    files: Vec<PathBuf>,
    file_bytes: u64,
    tally: Tally,
}

fn write_files(
    table: Table,
    options: &Options,
    folder: &Path,
    entries: impl IntoIterator<Item = Entry>,
) -> Result<Written, StoreError> {
    let failed = |error| typed("write table file", folder, &error);
    let mut written = Written::default();
    let mut entries = entries.into_iter().peekable();
    let mut last: Option<Vec<u8>> = None;
    while entries.peek().is_some() {
        let file = folder.join(format!("{:06}.sst", written.files.len()));
        let mut writer = SstFileWriter::create(options);
        writer.open(&file).map_err(failed)?;
        while let Some((key, value)) = entries.next_if(|_| writer.file_size() < FILE_BYTES) {
            require_ascending(table, last.as_deref(), &key)?;
            writer.put(&key, &value).map_err(failed)?;
            written.tally.add(&key, &value);
            last = Some(key);
        }
        writer.finish().map_err(failed)?;
        written.file_bytes += writer.file_size();
        written.files.push(file);
    }
    Ok(written)
}

fn require_ascending(table: Table, last: Option<&[u8]>, key: &[u8]) -> Result<(), StoreError> {
    match last {
        Some(last) if last >= key => Err(StoreError::BadEntry {
            table,
            key: hex(key),
            expected: "a key above the one before",
            got: format!("0x{} before it", hex(last)),
        }),
        Some(_) | None => Ok(()),
    }
}

fn hex(bytes: &[u8]) -> String {
    alloy_primitives::hex::encode(bytes)
}

/// Removes what an interrupted load left.
pub(super) fn remove_leftovers(path: &Path) -> Result<(), StoreError> {
    let folder = path.join("bulk");
    match fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(os("remove folder", &folder, &error))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}
