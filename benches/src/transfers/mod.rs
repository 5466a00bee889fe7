//! Blocks of ERC-20 transfers on all forms of state, in one run.
//!
//! A block's transfers are the same for every store; each does with them what its form of state
//! calls for, computes its root and commits durably. What an EVM, a ledger or a wallet does before
//! that (signatures, addresses, the slot of a mapping's entry, which record to spend and its path)
//! is no part of any store's time: each gets the block's changes ready made.

mod floor;
mod permanent;
mod record;
mod temporary;
mod utxo;
mod wallet;
mod workload;

pub use floor::FloorTransfers;
pub use permanent::PermanentTransfers;
pub use record::{TransferRecord, print_transfers};
pub use temporary::TemporaryTransfers;
pub use utxo::{UtxoKind, UtxoTransfers};
pub use workload::{Holding, Party, TOKEN, Transfer, TransferBlock, TransferWorkload};

/// A form of state that takes blocks of transfers, durably.
pub trait TransferStore {
    /// Its name in tables.
    fn name(&self) -> &'static str;
    /// Gives holders their first balances, before anything is measured.
    fn load(&mut self, holdings: &[Holding]);
    /// Settles the store before a measurement.
    fn settle(&mut self);
    /// Makes the changes of a block, outside the time that is measured: new balances, or the records
    /// that are spent and made, with the paths that senders would bring along.
    fn prepare(&mut self, block: &TransferBlock);
    /// Applies the block that was prepared; returns when root and data are durable.
    fn apply(&mut self) -> Applied;
    /// Writes what is held in memory and would be written later.
    fn flush(&mut self);
}

/// What a block cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// Balances set, or records spent and made.
    pub updates: u64,
    /// Hashes computed.
    pub hashes: u64,
    /// Pages read from files, cached by the system or not.
    pub reads: u64,
    /// Bytes of keys and values that were handed over to be written.
    pub logical_bytes: u64,
    /// Bytes that transactions had to bring along.
    pub witness_bytes: u64,
    /// Bytes written to archives, which a node need not keep.
    pub archive_bytes: u64,
}

impl Applied {
    /// The sum of both.
    pub const fn plus(self, other: Self) -> Self {
        Self {
            updates: self.updates + other.updates,
            hashes: self.hashes + other.hashes,
            reads: self.reads + other.reads,
            logical_bytes: self.logical_bytes + other.logical_bytes,
            witness_bytes: self.witness_bytes + other.witness_bytes,
            archive_bytes: self.archive_bytes + other.archive_bytes,
        }
    }
}
