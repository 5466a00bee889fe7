//! The records of an export.

use alloy_primitives::{B256, U64, U256};
use serde::{Deserialize, Serialize};
use thinstate_engine::{Head, StateEntry};

/// Version of the records.
pub const EXPORT_VERSION: u32 = 2;

/// A record; its fields are described in the module above.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
#[expect(missing_docs, reason = "the module's table describes the fields")]
pub enum Record {
    /// What the export is of.
    Head {
        version: u32,
        block_number: Option<U64>,
        block_hash: Option<B256>,
        state_root: B256,
        accounts: u64,
        slots: u64,
        stubs: u64,
    },
    /// An account.
    Account {
        address_hash: B256,
        nonce: U64,
        balance: U256,
        storage_hash: B256,
        code_hash: B256,
        last_written: U64,
        /// `None` where it was not asked for, or the store does not hold the code.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code_bytes: Option<u64>,
    },
    /// A slot.
    Slot {
        address_hash: B256,
        slot_hash: B256,
        value: U256,
        last_written: U64,
    },
    /// A subtree that is known by its hash alone.
    Stub {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        address_hash: Option<B256>,
        path: String,
        hash: B256,
    },
}

impl Record {
    /// The record of a head.
    pub fn head(head: &Head) -> Self {
        Self::Head {
            version: EXPORT_VERSION,
            block_number: head.block.map(|block| U64::from(block.number.0)),
            block_hash: head.block.map(|block| block.hash),
            state_root: head.root,
            accounts: head.accounts,
            slots: head.slots,
            stubs: head.stubs,
        }
    }

    /// The record of an entry; `code_bytes` is the length of an account's code.
    pub fn entry(entry: &StateEntry, code_bytes: Option<u64>) -> Self {
        match entry {
            StateEntry::Account {
                hash,
                account,
                last_written,
            } => Self::Account {
                address_hash: *hash,
                nonce: U64::from(account.nonce),
                balance: account.balance,
                storage_hash: account.storage_root,
                code_hash: account.code_hash,
                last_written: U64::from(last_written.0),
                code_bytes,
            },
            StateEntry::Slot {
                account,
                slot,
                value,
                last_written,
            } => Self::Slot {
                address_hash: *account,
                slot_hash: *slot,
                value: *value,
                last_written: U64::from(last_written.0),
            },
            StateEntry::Stub { trie, path, hash } => Self::Stub {
                address_hash: trie.0,
                path: path.iter().map(|nibble| format!("{nibble:x}")).collect(),
                hash: *hash,
            },
        }
    }
}
