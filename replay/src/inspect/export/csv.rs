//! An export as a folder of CSV files.
//!
//! ```text
//! accounts.csv   addressHash,nonce,balance,storageHash,codeHash,lastWritten[,codeBytes]
//! slots.csv      addressHash,slotHash,value,lastWritten
//! stubs.csv      addressHash,path,hash
//! head.json      the head; written last, so where it is the rest is whole
//! ```
//!
//! The first line of a CSV file names its columns. A field that has no value is empty; none needs
//! quotes.

use super::{Exporter, PartialFile, Record};
use core::fmt::Display;
use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

/// Writes records into the files of a folder.
#[derive(Debug)]
pub struct CsvFolder {
    folder: PathBuf,
    code: bool,
    head: Option<Record>,
    accounts: PartialFile,
    slots: PartialFile,
    stubs: PartialFile,
}

impl CsvFolder {
    /// Makes the folder if it is missing, and removes a former export's head from it. `code` says
    /// whether accounts have a column for the length of their code.
    pub fn create(folder: &Path, code: bool) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        match fs::remove_file(folder.join("head.json")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let code_column = if code { ",codeBytes" } else { "" };
        let create = |name: &str, columns: &str, more: &str| {
            let mut file = PartialFile::create(&folder.join(name))?;
            writeln!(file, "{columns}{more}")?;
            io::Result::Ok(file)
        };
        let account_columns = "addressHash,nonce,balance,storageHash,codeHash,lastWritten";
        Ok(Self {
            code,
            head: None,
            accounts: create("accounts.csv", account_columns, code_column)?,
            slots: create("slots.csv", "addressHash,slotHash,value,lastWritten", "")?,
            stubs: create("stubs.csv", "addressHash,path,hash", "")?,
            folder: folder.to_owned(),
        })
    }

    /// Gives the files their names, the head's the last.
    pub fn finish(self) -> io::Result<()> {
        for file in [self.accounts, self.slots, self.stubs] {
            file.finish()?;
        }
        let mut head = PartialFile::create(&self.folder.join("head.json"))?;
        serde_json::to_writer_pretty(&mut head, &self.head)?;
        head.write_all(b"\n")?;
        head.finish()
    }
}

impl Exporter for CsvFolder {
    fn record(&mut self, record: &Record) -> io::Result<()> {
        match record {
            Record::Head { .. } => self.head = Some(record.clone()),
            Record::Account {
                address_hash,
                nonce,
                balance,
                storage_hash,
                code_hash,
                last_written,
                code_bytes,
            } => {
                let file = &mut self.accounts;
                write!(
                    file,
                    "{address_hash},{nonce:#x},{balance:#x},{storage_hash},{code_hash},{last_written:#x}"
                )?;
                if self.code {
                    write!(file, ",{}", or_empty(code_bytes.as_ref()))?;
                }
                writeln!(file)?;
            }
            Record::Slot {
                address_hash,
                slot_hash,
                value,
                last_written,
            } => writeln!(
                self.slots,
                "{address_hash},{slot_hash},{value:#x},{last_written:#x}"
            )?,
            Record::Stub {
                address_hash,
                path,
                hash,
            } => writeln!(
                self.stubs,
                "{},{path},{hash}",
                or_empty(address_hash.as_ref())
            )?,
        }
        Ok(())
    }
}

fn or_empty(value: Option<&impl Display>) -> String {
    value.map(ToString::to_string).unwrap_or_default()
}
