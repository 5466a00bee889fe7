//! What accounts and slots hold.

use super::{Population, SlotId, keys};
use alloy_primitives::{KECCAK256_EMPTY, U256};
use thinstate_formats::{Account, object::ObjectClass};

impl Population {
    /// An account as it is at the start; `None` for those that are not there yet.
    pub fn account(&self, account: u64) -> Option<Account> {
        if account >= self.accounts() {
            return None;
        }
        let is_contract = account < self.contracts;
        let draw = |at| keys::number(self.spec.seed ^ keys::ACCOUNT, account, at);
        let nonce = match is_contract {
            true => 1,
            // Most accounts sent a handful of transactions; a few, thousands.
            false => 1 << (draw(0).trailing_zeros().min(14)),
        };
        // Half of all contracts hold no ether, and a quarter of the others; most hold dust. An account then
        // has about 16.4 bytes in a snapshot: mainnet's (ethresear.ch 25119).
        let is_empty = match is_contract {
            true => draw(1) & 1 == 0,
            false => draw(1) & 3 == 0,
        };
        let balance = match is_empty {
            true => U256::ZERO,
            false => U256::from((draw(2) >> (draw(3) % 40)) | 1),
        };
        let code_hash = match is_contract {
            true => self.codes.of(account),
            false => KECCAK256_EMPTY,
        };
        Some(Account {
            nonce,
            balance,
            code_hash,
        })
    }

    /// The value that a slot gets at its `version`th change: never zero, never that of the version before,
    /// and of the class's form.
    pub fn value(&self, id: SlotId, version: u64) -> U256 {
        self.value_of(id, self.class_of(id), version)
    }

    /// The same for a slot whose class is known.
    pub fn value_of(&self, id: SlotId, class: ObjectClass, version: u64) -> U256 {
        let form = keys::number(self.spec.seed ^ keys::FORM, id.contract, id.local);
        let bytes = match class {
            ObjectClass::Erc721Owner => return self.token_owner(form, version),
            ObjectClass::Cdp => return position(form, version),
            ObjectClass::Erc20Balance => amount_bytes(form),
            ObjectClass::Erc1155Balance => 1 + (form & 1) as usize,
            // Half of all approvals are of all that there is; such a one is revoked and given again.
            ObjectClass::Allowance if form & 0x100 == 0 && version.is_multiple_of(2) => {
                return U256::MAX;
            }
            ObjectClass::Allowance => amount_bytes(form),
            ObjectClass::Unclassified | ObjectClass::PlainSlot => plain_bytes(form),
        };
        let seed = self.spec.seed ^ keys::VALUE ^ id.contract.rotate_left(24);
        let mut drawn = keys::word(seed ^ version.rotate_left(48), id.local);
        drawn[bytes - 1] = last_byte(form, version);
        U256::from_be_slice(&drawn[..bytes])
    }

    /// Tokens go from account to account.
    fn token_owner(&self, form: u64, version: u64) -> U256 {
        let accounts = self.accounts();
        let owner = match accounts {
            0 | 1 => version,
            _ => (u128::from(form) + u128::from(version)) as u64 % accounts,
        };
        let owner = match owner < accounts {
            true => self.owners.forward(owner),
            false => owner,
        };
        U256::from_be_bytes(self.address(owner).into_word().0)
    }
}

/// Amounts of 7 to 12 bytes: tokens of 6 decimals and of 18.
const fn amount_bytes(form: u64) -> usize {
    7 + (form % 6) as usize
}

/// A quarter each: flags and counters; addresses; amounts; packed words.
const fn plain_bytes(form: u64) -> usize {
    match form & 3 {
        0 => 1,
        1 => 20,
        2 => 10,
        _ => 4 + ((form >> 2) % 24) as usize,
    }
}

/// A byte that is not zero, and another one for the version before and after.
const fn last_byte(form: u64, version: u64) -> u8 {
    (((form >> 32) % 255 + version % 255) % 255) as u8 + 1
}

/// A debt, and a collateral of half as much again in the upper half of the word.
fn position(form: u64, version: u64) -> U256 {
    let debt = U256::from(form >> 8) + U256::from(1 + version % (1 << 32));
    let collateral = debt + (debt >> 1);
    (collateral << 128) | debt
}
