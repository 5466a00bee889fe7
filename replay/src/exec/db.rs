//! A [`StateReader`] as the EVM's database.
//!
//! The EVM's own layers turn some database errors into strings (a failing system call, a failing
//! block reward) and box others. So the adaptor does not hand its errors to the EVM at all: it
//! keeps the first one, returns the mark [`ReadFailed`], and [`StateDb::take_failure`] gives the
//! typed error back once execution has stopped.
//!
//! revm's block cache asks for each account, slot and code at most once in a block, so the counts
//! kept here are counts of distinct items.

use super::BlockHashes;
use alloy_primitives::{Address, B256, KECCAK256_EMPTY, U256};
use core::{error::Error, fmt};
use revm::{
    Database,
    bytecode::{Bytecode, BytecodeDecodeError},
    database_interface::DBErrorMarker,
    state::AccountInfo,
};
use thinstate_formats::StateReader;

/// Why something that execution needs could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError<E: Error> {
    /// The reader does not know the account.
    #[error("account {address} cannot be read")]
    Account {
        /// The account asked for.
        address: Address,
        /// The reader's reason.
        source: E,
    },
    /// The reader does not know the slot.
    #[error("slot {slot:#x} of account {address} cannot be read")]
    Slot {
        /// The account.
        address: Address,
        /// The slot asked for.
        slot: U256,
        /// The reader's reason.
        source: E,
    },
    /// The reader does not know the code.
    #[error("code {code_hash} cannot be read")]
    Code {
        /// The hash of the code asked for.
        code_hash: B256,
        /// The reader's reason.
        source: E,
    },
    /// An account has this code hash, but the state holds no such code.
    #[error("code {code_hash} is missing from the state")]
    CodeMissing {
        /// The hash of the code asked for.
        code_hash: B256,
    },
    /// The code begins as a delegation (EIP-7702), but is none.
    #[error("code {code_hash} is malformed")]
    CodeMalformed {
        /// The hash of the code.
        code_hash: B256,
        /// What is wrong with it.
        source: BytecodeDecodeError,
    },
    /// `BLOCKHASH` asked for a block whose hash was not given.
    #[error("hash of block {number} is asked for by the block, but was not given")]
    BlockHashMissing {
        /// The number of that block.
        number: u64,
    },
}

/// What the EVM is told instead of a [`ReadError`].
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the state could not be read")]
pub struct ReadFailed;

impl DBErrorMarker for ReadFailed {}

/// How much of the state a block has read: distinct accounts, slots and codes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadCounts {
    /// Accounts, absent ones included.
    pub accounts: u64,
    /// Accounts that do not exist.
    pub accounts_absent: u64,
    /// Slots, those that are zero included.
    pub slots: u64,
    /// Slots that are zero (absent from the trie).
    pub slots_zero: u64,
    /// Codes.
    pub codes: u64,
    /// Bytes of these codes.
    pub code_bytes: u64,
    /// Block hashes, by `BLOCKHASH`.
    pub block_hashes: u64,
}

/// The adaptor: see the module's documentation.
pub struct StateDb<'a, R: StateReader> {
    reader: &'a R,
    block_hashes: &'a BlockHashes,
    counts: ReadCounts,
    failure: Option<ReadError<R::Error>>,
}

impl<'a, R: StateReader> StateDb<'a, R> {
    /// A database that reads from `reader`, and hashes of older blocks from `block_hashes`.
    pub fn new(reader: &'a R, block_hashes: &'a BlockHashes) -> Self {
        Self {
            reader,
            block_hashes,
            counts: ReadCounts::default(),
            failure: None,
        }
    }

    /// How much was read so far.
    pub const fn counts(&self) -> ReadCounts {
        self.counts
    }

    /// The first error of a read, if there was one.
    pub fn take_failure(&mut self) -> Option<ReadError<R::Error>> {
        self.failure.take()
    }

    /// Keeps the error of a failed read.
    fn keep<T>(&mut self, result: Result<T, ReadError<R::Error>>) -> Result<T, ReadFailed> {
        result.map_err(|error| {
            self.failure.get_or_insert(error);
            ReadFailed
        })
    }

    fn read_code(&self, code_hash: B256) -> Result<Bytecode, ReadError<R::Error>> {
        let code = self
            .reader
            .code(code_hash)
            .map_err(|source| ReadError::Code { code_hash, source })?
            .ok_or(ReadError::CodeMissing { code_hash })?;
        Bytecode::new_raw_checked(code)
            .map_err(|source| ReadError::CodeMalformed { code_hash, source })
    }
}

impl<R: StateReader> fmt::Debug for StateDb<'_, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StateDb")
            .field("counts", &self.counts)
            .finish_non_exhaustive()
    }
}

impl<R: StateReader> Database for StateDb<'_, R> {
    type Error = ReadFailed;

    fn basic(&mut self, address: Address) -> Result<Option<AccountInfo>, ReadFailed> {
        let read = self.reader.account(address);
        let account = self.keep(read.map_err(|source| ReadError::Account { address, source }))?;
        self.counts.accounts += 1;
        self.counts.accounts_absent += u64::from(account.is_none());
        Ok(account.map(|account| AccountInfo {
            balance: account.balance,
            nonce: account.nonce,
            code_hash: account.code_hash,
            account_id: None,
            // Fetched by its hash, when it is needed.
            code: None,
        }))
    }

    fn code_by_hash(&mut self, code_hash: B256) -> Result<Bytecode, ReadFailed> {
        if code_hash == KECCAK256_EMPTY {
            return Ok(Bytecode::default());
        }
        let read = self.read_code(code_hash);
        let code = self.keep(read)?;
        self.counts.codes += 1;
        self.counts.code_bytes += code.len() as u64;
        Ok(code)
    }

    fn storage(&mut self, address: Address, slot: U256) -> Result<U256, ReadFailed> {
        let read = self.reader.slot(address, slot);
        let value = self.keep(read.map_err(|source| ReadError::Slot {
            address,
            slot,
            source,
        }))?;
        self.counts.slots += 1;
        self.counts.slots_zero += u64::from(value.is_zero());
        Ok(value)
    }

    fn block_hash(&mut self, number: u64) -> Result<B256, ReadFailed> {
        let found = self.block_hashes.get(&number).copied();
        let hash = self.keep(found.ok_or(ReadError::BlockHashMissing { number }))?;
        self.counts.block_hashes += 1;
        Ok(hash)
    }
}
