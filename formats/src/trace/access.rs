//! Accesses of accounts.

use super::wire::{AccountWire, Addr};
use crate::Account;
use alloy_primitives::Address;
use wincode::{SchemaRead, SchemaWrite};

/// What one index of a block did with one account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, SchemaRead, SchemaWrite)]
pub struct AccountAccess {
    /// The account.
    #[wincode(with = "Addr")]
    pub address: Address,
    /// What was done with it.
    pub kind: AccountAccessKind,
}

/// Whether an account was only read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, SchemaRead, SchemaWrite)]
pub enum AccountAccessKind {
    /// It was read and stays as it is.
    #[wincode(tag = 0)]
    Read {
        /// What was found, `None` where there is no such account.
        #[wincode(with = "Option<AccountWire>")]
        found: Option<Account>,
    },
    /// It was read and changed.
    #[wincode(tag = 1)]
    Write {
        /// What was found.
        #[wincode(with = "Option<AccountWire>")]
        before: Option<Account>,
        /// What is left; `None` where the account was destroyed.
        #[wincode(with = "Option<AccountWire>")]
        after: Option<Account>,
        /// Whether all its storage was dropped. The slots dropped by this are not listed.
        storage_wiped: bool,
    },
}

impl AccountAccessKind {
    /// Whether all storage was dropped.
    pub const fn wipes_storage(&self) -> bool {
        matches!(
            self,
            Self::Write {
                storage_wiped: true,
                ..
            }
        )
    }
}

impl AccountAccess {
    /// A read that found `found`.
    pub const fn read(address: Address, found: Option<Account>) -> Self {
        let kind = AccountAccessKind::Read { found };
        Self { address, kind }
    }

    /// A change from `before` to `after`; a read where the two are the same and no storage went.
    pub fn write(
        address: Address,
        before: Option<Account>,
        after: Option<Account>,
        storage_wiped: bool,
    ) -> Self {
        if before == after && !storage_wiped {
            return Self::read(address, before);
        }
        let kind = AccountAccessKind::Write {
            before,
            after,
            storage_wiped,
        };
        Self { address, kind }
    }

    /// The account as it was found.
    pub const fn before(&self) -> Option<Account> {
        match self.kind {
            AccountAccessKind::Read { found } => found,
            AccountAccessKind::Write { before, .. } => before,
        }
    }

    /// The account as it is left.
    pub const fn after(&self) -> Option<Account> {
        match self.kind {
            AccountAccessKind::Read { found } => found,
            AccountAccessKind::Write { after, .. } => after,
        }
    }
}
