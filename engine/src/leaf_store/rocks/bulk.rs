//! Filling a table from sorted entries, past log and memtables.
//!
//! The entries become table files in `bulk/TABLE/`, which RocksDB then takes over all at once as its
//! last level: one write of the data instead of about ten, and nothing to compact. What a crash
//! leaves in `bulk/` is removed at the next opening, and the table is as it was.

use super::super::bulk::{BulkWriter, LastKey};
use super::super::counters::Tally;
use super::super::{Entry, LeafStore, StoreError, Table};
use super::RocksStore;
use super::failure::{os, typed};
use core::fmt;
use core::sync::atomic::Ordering::Relaxed;
use rocksdb::{Error, IngestExternalFileOptions, Options, SstFileWriter};
use std::fs;
use std::path::{Path, PathBuf};

/// A new file is begun after this many bytes.
const FILE_BYTES: u64 = 128 << 20;
/// The folder of files that are not the store's yet.
const FOLDER: &str = "bulk";

impl RocksStore {
    /// Puts entries with ascending keys into a table, behind all that it has, durably, and returns their number.
    ///
    /// All of them or, after an error, none. No other writer may be at work.
    pub fn bulk_load(
        &self,
        table: Table,
        entries: impl IntoIterator<Item = Entry>,
    ) -> Result<u64, StoreError> {
        let mut writer = self.bulk_writer(table)?;
        for (key, value) in entries {
            writer.put(&key, &value)?;
        }
        writer.finish()
    }
}

/// Files of one table, on their way into a [`RocksStore`].
pub struct RocksBulk<'a> {
    store: &'a RocksStore,
    table: Table,
    options: &'a Options,
    folder: PathBuf,
    files: Vec<PathBuf>,
    /// The file that is being written.
    writer: Option<SstFileWriter<'a>>,
    file_bytes: u64,
    tally: Tally,
    last: LastKey,
}

impl<'a> RocksBulk<'a> {
    pub(super) fn new(store: &'a RocksStore, table: Table) -> Result<Self, StoreError> {
        let last = LastKey::of(&store.snapshot(), table)?;
        let folder = store.path().join(FOLDER).join(table.name());
        remove_folder(&folder)?;
        fs::create_dir_all(&folder).map_err(|error| os("create folder", &folder, &error))?;
        let options = store.bulk_options[table as usize]
            .get_or_init(|| store.options.table(table, &store.cache));
        Ok(Self {
            store,
            table,
            options,
            folder,
            files: Vec::new(),
            writer: None,
            file_bytes: 0,
            tally: Tally::default(),
            last,
        })
    }

    fn failed(&self, error: &Error) -> StoreError {
        typed("write table file", &self.folder, error)
    }

    /// The file to write to; a new one where there is none.
    fn file(&mut self) -> Result<&mut SstFileWriter<'a>, StoreError> {
        if self.writer.is_none() {
            let file = self.folder.join(format!("{:06}.sst", self.files.len()));
            let writer = SstFileWriter::create(self.options);
            writer.open(&file).map_err(|error| self.failed(&error))?;
            self.files.push(file);
            self.writer = Some(writer);
        }
        Ok(self.writer.as_mut().expect("it was opened just now"))
    }

    fn close_file(&mut self) -> Result<(), StoreError> {
        if let Some(mut writer) = self.writer.take() {
            writer.finish().map_err(|error| self.failed(&error))?;
            self.file_bytes += writer.file_size();
        }
        Ok(())
    }
}

impl BulkWriter for RocksBulk<'_> {
    fn put(&mut self, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        self.last.advance(self.table, key)?;
        let file = self.file()?;
        let put = file.put(key, value);
        let is_full = file.file_size() >= FILE_BYTES;
        put.map_err(|error| self.failed(&error))?;
        self.tally.add(key, value);
        if is_full {
            self.close_file()?;
        }
        Ok(())
    }

    fn finish(mut self) -> Result<u64, StoreError> {
        self.close_file()?;
        if !self.files.is_empty() {
            let mut how = IngestExternalFileOptions::default();
            how.set_move_files(true);
            let family = self.store.family(self.table);
            let files = core::mem::take(&mut self.files);
            self.store
                .db
                .ingest_external_file_cf_opts(family, &how, files)
                .map_err(|error| typed("take over files", self.store.path(), &error))?;
        }
        self.store.bulk_bytes.fetch_add(self.file_bytes, Relaxed);
        self.store.logical.loaded(self.tally);
        Ok(self.tally.entries)
    }
}

impl Drop for RocksBulk<'_> {
    fn drop(&mut self) {
        self.writer = None;
        // What stays is removed at the next opening; nobody takes it for a part of the store.
        drop(remove_folder(&self.folder));
    }
}

impl fmt::Debug for RocksBulk<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RocksBulk")
            .field("table", &self.table)
            .field("tally", &self.tally)
            .finish_non_exhaustive()
    }
}

/// Removes what interrupted loads left.
pub(super) fn remove_leftovers(path: &Path) -> Result<(), StoreError> {
    remove_folder(&path.join(FOLDER))
}

fn remove_folder(folder: &Path) -> Result<(), StoreError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(os("remove folder", folder, &error))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}
