//! The permanent state as those who read and change it see it: accounts, slots and code by
//! address, and the changes that one block makes to them.
//!
//! Nothing here knows how the state is stored or hashed. [`StateReader`] is what an EVM needs in
//! order to execute on a state; [`StateChanges`] is what its execution leaves behind.

use alloy_primitives::{
    Address, B256, Bytes, KECCAK256_EMPTY, U256,
    map::{AddressMap, B256Map, U256Map},
};

/// An account without its storage: what a transaction can see of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    /// Transactions sent, or contracts created.
    pub nonce: u64,
    /// Balance in wei.
    pub balance: U256,
    /// keccak256 of the code, [`KECCAK256_EMPTY`] where there is none.
    pub code_hash: B256,
}

impl Default for Account {
    fn default() -> Self {
        Self {
            nonce: 0,
            balance: U256::ZERO,
            code_hash: KECCAK256_EMPTY,
        }
    }
}

impl Account {
    /// Whether the account is empty in the sense of EIP-161: no nonce, no balance, no code.
    pub fn is_empty(&self) -> bool {
        self.nonce == 0 && self.balance.is_zero() && self.code_hash == KECCAK256_EMPTY
    }
}

/// What a block does to one account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountChange {
    /// The account itself.
    pub account: AccountUpdate,
    /// Whether all storage from before the block is dropped (the account was destroyed in it).
    /// Comes before `storage` is applied.
    pub wipe_storage: bool,
    /// Values of slots after the block; zero removes the slot.
    pub storage: U256Map<U256>,
}

/// What a block does to an account's own fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AccountUpdate {
    /// They stay as they are; only storage changes.
    #[default]
    Keep,
    /// They are now these. An account that is empty by EIP-161 is written as given: the caller
    /// decides (before Spurious Dragon empty accounts exist), and deletes with [`Self::Delete`].
    Set(Account),
    /// The account is gone, with its storage.
    Delete,
}

/// What one block does to the permanent state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StateChanges {
    /// Changes by address.
    pub accounts: AddressMap<AccountChange>,
    /// New code by its hash.
    pub code: B256Map<Bytes>,
}

impl StateChanges {
    /// Number of slots written, wiped ones not counted.
    pub fn slots_written(&self) -> usize {
        self.accounts.values().map(|c| c.storage.len()).sum()
    }

    /// Whether the block changes nothing.
    pub fn is_empty(&self) -> bool {
        self.accounts.is_empty() && self.code.is_empty()
    }
}

/// A state that can be read, as an EVM reads it.
///
/// All three return absence as a value: an error means that the answer is not known (a stub was
/// met, or the store failed), never that something does not exist.
pub trait StateReader {
    /// Why an answer is not known.
    type Error: core::error::Error + Send + Sync + 'static;

    /// The account at `address`, `None` where there is none.
    fn account(&self, address: Address) -> Result<Option<Account>, Self::Error>;

    /// The value of a slot, zero where there is none.
    fn slot(&self, address: Address, slot: U256) -> Result<U256, Self::Error>;

    /// The code with this hash, `None` where the state holds no such code.
    fn code(&self, code_hash: B256) -> Result<Option<Bytes>, Self::Error>;
}

impl<R: StateReader + ?Sized> StateReader for &R {
    type Error = R::Error;

    fn account(&self, address: Address) -> Result<Option<Account>, Self::Error> {
        (**self).account(address)
    }

    fn slot(&self, address: Address, slot: U256) -> Result<U256, Self::Error> {
        (**self).slot(address, slot)
    }

    fn code(&self, code_hash: B256) -> Result<Option<Bytes>, Self::Error> {
        (**self).code(code_hash)
    }
}
