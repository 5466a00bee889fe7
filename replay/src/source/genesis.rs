//! Genesis allocations: the state that a chain begins with.
//!
//! A file is a `genesis.json` as clients have it, or its `alloc` object alone; with a name that
//! ends in `.zst` it is compressed with Zstandard.

use alloy_genesis::GenesisAccount;
use alloy_primitives::{Address, B256, KECCAK256_EMPTY, U256, keccak256};
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};
use thinstate_formats::{Account, AccountChange, AccountUpdate, StateChanges};

/// Root of mainnet's genesis state.
pub const MAINNET_GENESIS_ROOT: B256 =
    alloy_primitives::b256!("d7f8974fb5ac78d9ac099b9ad5018bedc2ce0a72dad1827a1709da30580f0544");
/// Hash of mainnet's block 0.
pub const MAINNET_GENESIS_HASH: B256 =
    alloy_primitives::b256!("d4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3");
/// Most bytes that a file may decompress to.
const FILE_BYTES_MAX: u64 = 1 << 30;

/// A genesis file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum GenesisError {
    /// It cannot be read.
    #[error("{path}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It is not what it should be.
    #[error("{path}: expected a genesis file or an allocation")]
    Json {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        source: serde_json::Error,
    },
}

/// The state that a chain begins with.
#[derive(Clone, Debug, Default)]
pub struct Genesis {
    /// All of it, as changes of an empty state.
    pub changes: StateChanges,
    /// Balances, by address, ascending.
    pub balances: Vec<(Address, U256)>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Document {
    Whole {
        alloc: BTreeMap<Address, GenesisAccount>,
    },
    Alloc(BTreeMap<Address, GenesisAccount>),
}

impl Genesis {
    /// Reads a file.
    pub fn load(path: &Path) -> Result<Self, GenesisError> {
        let bytes = read(path).map_err(|source| GenesisError::Io {
            path: path.to_owned(),
            source,
        })?;
        let document = serde_json::from_slice(&bytes).map_err(|source| GenesisError::Json {
            path: path.to_owned(),
            source,
        })?;
        Ok(match document {
            Document::Whole { alloc } | Document::Alloc(alloc) => Self::new(alloc),
        })
    }

    fn new(alloc: BTreeMap<Address, GenesisAccount>) -> Self {
        let mut genesis = Self::default();
        for (address, account) in alloc {
            genesis.balances.push((address, account.balance));
            let code = account.code.filter(|code| !code.is_empty());
            let code_hash = code.as_ref().map_or(KECCAK256_EMPTY, keccak256);
            genesis
                .changes
                .code
                .extend(code.map(|code| (code_hash, code)));
            let slots = account.storage.unwrap_or_default();
            let change = AccountChange {
                account: AccountUpdate::Set(Account {
                    nonce: account.nonce.unwrap_or_default(),
                    balance: account.balance,
                    code_hash,
                }),
                wipe_storage: false,
                storage: slots
                    .into_iter()
                    .map(|(k, v)| (k.into(), v.into()))
                    .collect(),
            };
            genesis.changes.accounts.insert(address, change);
        }
        genesis
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = File::open(path)?;
    if path.extension().is_some_and(|e| e == "zst") {
        zstd::Decoder::new(file)?
            .take(FILE_BYTES_MAX)
            .read_to_end(&mut bytes)?;
    } else {
        file.take(FILE_BYTES_MAX).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}
