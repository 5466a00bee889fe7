//! An export of all accounts and slots, entry by entry.
//!
//! Order, as in the store: all accounts by `addressHash`, then all slots by `addressHash` and
//! `slotHash`; stubs stand where the entries under them would be. Keys are the hashes: a state
//! does not know the addresses. Numbers are hex quantities.
//!
//! | record | fields |
//! |---|---|
//! | head | `version`, `blockNumber`, `blockHash`, `stateRoot`, `accounts`, `slots`, `stubs` (counts) |
//! | account | `addressHash`, `nonce`, `balance`, `storageHash`, `codeHash`, `lastWritten` (block; 0 where not known), `codeBytes` where asked for |
//! | slot | `addressHash`, `slotHash`, `value`, `lastWritten` |
//! | stub | `addressHash` (of the storage trie; none for the account trie), `path` (a hex digit for each nibble), `hash` |
//!
//! [`JsonLines`] writes one stream that begins with the head, [`CsvFolder`] a file for each kind of
//! record and, last of all, the head. An export is whole if it has as many records as its head
//! says. Memory is constant; with `codeBytes`, every account with code costs a read of its code.

mod csv;
mod jsonl;
mod partial_file;
mod record;

pub use csv::CsvFolder;
pub use jsonl::JsonLines;
pub use partial_file::PartialFile;
pub use record::{EXPORT_VERSION, Record};

use alloy_primitives::KECCAK256_EMPTY;
use core::ops::ControlFlow;
use std::io;
use thinstate_engine::{StateEntry, StateError, View, leaf_store::LeafStore};
use thinstate_formats::StateReader as _;

/// Where the records of an export go.
pub trait Exporter {
    /// Takes the next record; the head is the first.
    fn record(&mut self, record: &Record) -> io::Result<()>;
}

/// An export broke off.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The state could not be read.
    #[error("the state could not be read")]
    State(#[from] StateError),
    /// A record could not be written.
    #[error("the export could not be written")]
    Write(#[from] io::Error),
    /// The store does not hold what its head says. Verify it.
    #[error("exported {got} {what}, but the head counts {expected}: the store is damaged")]
    Count {
        /// Of what.
        what: &'static str,
        /// The head's count.
        expected: u64,
        /// Records written.
        got: u64,
    },
}

/// What was exported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    /// Accounts.
    pub accounts: u64,
    /// Slots.
    pub slots: u64,
    /// Stubs.
    pub stubs: u64,
}

impl Exported {
    /// Records, without the head.
    pub const fn entries(&self) -> u64 {
        self.accounts + self.slots + self.stubs
    }

    fn count(&mut self, entry: &StateEntry) {
        match entry {
            StateEntry::Account { .. } => self.accounts += 1,
            StateEntry::Slot { .. } => self.slots += 1,
            StateEntry::Stub { .. } => self.stubs += 1,
        }
    }
}

/// Exports the state of a view, with lengths of code where `code` says so. Calls `progress` after
/// each entry.
pub fn export<S: LeafStore>(
    view: &View<'_, S>,
    code: bool,
    to: &mut dyn Exporter,
    progress: &mut dyn FnMut(&Exported),
) -> Result<Exported, ExportError> {
    let head = view.head();
    to.record(&Record::head(head))?;
    let mut exported = Exported::default();
    let outcome = view.for_each_entry(|entry| {
        let written = write(view, &entry, code, to);
        exported.count(&entry);
        progress(&exported);
        match written {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(error),
        }
    })?;
    if let ControlFlow::Break(error) = outcome {
        return Err(error);
    }
    check_count("accounts", head.accounts, exported.accounts)?;
    check_count("slots", head.slots, exported.slots)?;
    check_count("stubs", head.stubs, exported.stubs)?;
    Ok(exported)
}

fn write<S: LeafStore>(
    view: &View<'_, S>,
    entry: &StateEntry,
    code: bool,
    to: &mut dyn Exporter,
) -> Result<(), ExportError> {
    let code_bytes = match entry {
        StateEntry::Account { account, .. } if code => match account.code_hash {
            KECCAK256_EMPTY => Some(0),
            hash => view.code(hash)?.map(|code| code.len() as u64),
        },
        _ => None,
    };
    Ok(to.record(&Record::entry(entry, code_bytes))?)
}

const fn check_count(what: &'static str, expected: u64, got: u64) -> Result<(), ExportError> {
    if expected == got {
        return Ok(());
    }
    Err(ExportError::Count {
        what,
        expected,
        got,
    })
}
