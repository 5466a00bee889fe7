//! The state of a run of blocks, as far as it is known.

use super::assume;
use alloy_primitives::{
    Address, U256,
    map::{AddressMap, AddressSet, HashMap},
};
use core::fmt;
use thinstate_engine::StateError;
use thinstate_formats::{Account, StateReader};

/// A state that is asked before anything is assumed.
pub type Base<'a> = &'a dyn StateReader<Error = StateError>;

/// What a block does to a slot, from which what it found is assumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotHint {
    /// It is only read.
    Read,
    /// It is written.
    Written {
        /// The first value that is left.
        first: U256,
    },
}

/// What a block does to an account, from which what it found is assumed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AccountHint {
    /// The first balance that is left, where one is.
    pub balance: Option<U256>,
    /// The first nonce that is left, where one is.
    pub nonce: Option<u64>,
    /// Whether its code is set.
    pub sets_code: bool,
    /// Whether it has storage or code, as far as can be seen.
    pub is_contract: bool,
}

/// Accounts and slots that a run of blocks has met. Memory: about 100 bytes for each.
#[derive(Clone, Default)]
pub struct KnownState<'a> {
    base: Option<Base<'a>>,
    accounts: AddressMap<Option<Account>>,
    /// Accounts that came into being in the run: of their slots nothing is left to assume.
    fresh: AddressSet,
    slots: HashMap<(Address, U256), U256>,
    assumed: u64,
}

impl fmt::Debug for KnownState<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KnownState")
            .field("base", &self.base.is_some())
            .field("accounts", &self.accounts.len())
            .field("slots", &self.slots.len())
            .field("assumed", &self.assumed)
            .finish()
    }
}

impl<'a> KnownState<'a> {
    /// Nothing is known yet, and what is asked for is assumed.
    pub fn new() -> Self {
        Self::default()
    }

    /// What is asked for is what `base` holds: the state before the run's first block.
    pub fn on(base: Base<'a>) -> Self {
        Self {
            base: Some(base),
            ..Self::default()
        }
    }

    /// Whether what nobody told is assumed, and not looked up.
    pub const fn assumes(&self) -> bool {
        self.base.is_none()
    }

    /// How many accounts and slots were assumed.
    pub const fn assumed(&self) -> u64 {
        self.assumed
    }

    /// The account as it is now.
    pub fn account(
        &mut self,
        address: Address,
        hint: &AccountHint,
    ) -> Result<Option<Account>, StateError> {
        if let Some(known) = self.accounts.get(&address) {
            return Ok(*known);
        }
        let account = match self.base {
            Some(base) => base.account(address)?,
            None => {
                self.assumed += 1;
                assume::account(address, hint)
            }
        };
        self.accounts.insert(address, account);
        Ok(account)
    }

    /// The slot as it is now.
    pub fn slot(
        &mut self,
        address: Address,
        slot: U256,
        hint: SlotHint,
    ) -> Result<U256, StateError> {
        if let Some(known) = self.slots.get(&(address, slot)) {
            return Ok(*known);
        }
        let value = match self.base {
            _ if self.fresh.contains(&address) => U256::ZERO,
            Some(base) => base.slot(address, slot)?,
            None => {
                self.assumed += 1;
                assume::slot(address, slot, hint)
            }
        };
        self.slots.insert((address, slot), value);
        Ok(value)
    }

    /// The account is now this.
    pub fn set_account(&mut self, address: Address, account: Option<Account>) {
        self.accounts.insert(address, account);
    }

    /// The account has just come into being: no slot of it held anything before, in this block and in
    /// those that follow.
    pub fn set_fresh(&mut self, address: Address) {
        self.fresh.insert(address);
    }

    /// The slot now holds this.
    pub fn set_slot(&mut self, address: Address, slot: U256, value: U256) {
        self.slots.insert((address, slot), value);
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

    use super::*;
    use alloy_primitives::{B256, Bytes};

    /// Holds the same account and value everywhere.
    struct Everywhere;

    impl StateReader for Everywhere {
        type Error = StateError;

        fn account(&self, _: Address) -> Result<Option<Account>, StateError> {
            Ok(Some(Account::default()))
        }

        fn slot(&self, _: Address, _: U256) -> Result<U256, StateError> {
            Ok(U256::from(77))
        }

        fn code(&self, _: B256) -> Result<Option<Bytes>, StateError> {
            Ok(None)
        }
    }

    const WHO: Address = Address::repeat_byte(1);

    #[test]
    fn nothing_is_assumed_that_is_known() {
        let mut state = KnownState::new();
        let hint = SlotHint::Written { first: U256::ONE };
        let before = state.slot(WHO, U256::ZERO, hint).unwrap();
        assert_ne!(before, U256::ONE);
        state.set_slot(WHO, U256::ZERO, U256::ONE);
        let read = state.slot(WHO, U256::ZERO, SlotHint::Read).unwrap();
        assert_eq!((read, state.assumed()), (U256::ONE, 1));
        state.set_account(WHO, None);
        let account = state.account(WHO, &AccountHint::default()).unwrap();
        assert_eq!((account, state.assumed()), (None, 1));
    }

    #[test]
    fn no_slot_is_assumed_of_an_account_that_came_into_being() {
        for mut state in [KnownState::new(), KnownState::on(&Everywhere)] {
            state.set_fresh(WHO);
            let hint = SlotHint::Written { first: U256::ONE };
            assert_eq!(state.slot(WHO, U256::ZERO, hint).unwrap(), U256::ZERO);
            state.set_slot(WHO, U256::ZERO, U256::ONE);
            let value = state.slot(WHO, U256::ZERO, SlotHint::Read).unwrap();
            assert_eq!((value, state.assumed()), (U256::ONE, 0));
        }
    }

    #[test]
    fn a_state_is_asked_before_anything_is_assumed() {
        let mut state = KnownState::on(&Everywhere);
        assert!(!state.assumes());
        let value = state.slot(WHO, U256::ZERO, SlotHint::Read).unwrap();
        assert_eq!(value, U256::from(77));
        let account = state.account(WHO, &AccountHint::default()).unwrap();
        assert_eq!(account, Some(Account::default()));
        assert_eq!(state.assumed(), 0);
    }
}
