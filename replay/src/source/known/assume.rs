//! Values that nobody told: functions of the key.

use super::{AccountHint, SlotHint};
use alloy_primitives::{Address, B256, KECCAK256_EMPTY, Keccak256, U256, keccak256};
use thinstate_formats::Account;

const DOMAIN: &[u8] = b"thinstate assumes";

/// Read-only slots that return zero, in thousands (30-day distinct; ethresear.ch 25317).
const READS_OF_ZERO: u64 = 825;
/// Writes of a value to a slot that held none: 25.3 of 25.3 + 66.4.
const CREATES: u64 = 276;
/// Balances that are funded: 4.5 of 4.5 + 93.1.
const FUNDED: u64 = 46;
/// Nonces of accounts that sent nothing in a block are below this.
const NONCES: u64 = 16;

/// A hash of a key, drawn from for what is assumed of it.
#[derive(Clone, Copy)]
struct Draw(B256);

impl Draw {
    fn account(address: Address) -> Self {
        let mut hasher = Keccak256::new();
        hasher.update(DOMAIN);
        hasher.update(address);
        Self(hasher.finalize())
    }

    fn slot(address: Address, slot: U256) -> Self {
        let mut hasher = Keccak256::new();
        hasher.update(DOMAIN);
        hasher.update(address);
        hasher.update(slot.to_be_bytes::<32>());
        Self(hasher.finalize())
    }

    /// The first 8 bytes.
    fn number(self) -> u64 {
        let [first, ..] = self.0.as_chunks::<8>().0 else {
            unreachable!("a hash has 32 bytes");
        };
        u64::from_be_bytes(*first)
    }

    /// Whether the key is among so many of a thousand.
    fn among(self, thousandths: u64) -> bool {
        self.number() % 1_000 < thousandths
    }

    /// A value that is not zero, of 12 bytes: the last ones, the first of which is not zero either.
    fn value(self) -> U256 {
        let mut word = [0; 32];
        word[20..].copy_from_slice(&self.0[20..]);
        word[20] |= 1;
        U256::from_be_bytes(word)
    }
}

/// What a slot held that the block treats like this.
pub(super) fn slot(address: Address, slot: U256, hint: SlotHint) -> U256 {
    let draw = Draw::slot(address, slot);
    match hint {
        SlotHint::Read if draw.among(READS_OF_ZERO) => U256::ZERO,
        SlotHint::Read => draw.value(),
        SlotHint::Written { first } if first.is_zero() => draw.value(),
        SlotHint::Written { .. } if draw.among(CREATES) => U256::ZERO,
        SlotHint::Written { first } => other_value(first),
    }
}

/// Another value of as many bytes that is no zero either.
fn other_value(value: U256) -> U256 {
    let other = value ^ U256::ONE;
    if other.is_zero() {
        U256::from(2)
    } else {
        other
    }
}

/// What an account was that the block treats like this.
pub(super) fn account(address: Address, hint: &AccountHint) -> Option<Account> {
    let draw = Draw::account(address);
    let funded = draw.among(FUNDED) && !hint.is_contract && hint.nonce.is_none_or(|it| it <= 1);
    let account = Account {
        nonce: match hint.nonce {
            Some(first) => first.saturating_sub(1),
            None if funded => 0,
            None if hint.is_contract => 1,
            None => draw.number() / 1_000 % NONCES,
        },
        balance: match hint.balance {
            Some(first) if funded && !first.is_zero() => U256::ZERO,
            Some(first) => other_balance(first, draw),
            None if hint.is_contract => U256::ZERO,
            None => draw.value(),
        },
        code_hash: if hint.is_contract && !hint.sets_code {
            keccak256(address)
        } else {
            KECCAK256_EMPTY
        },
    };
    (!account.is_empty()).then_some(account)
}

/// A balance that differs from `first` by up to about a thousandth of an ether.
fn other_balance(first: U256, draw: Draw) -> U256 {
    let difference = U256::from(1 + draw.number() % 1_000_000_000_000_000);
    let less = first.checked_sub(difference);
    less.filter(|it| !it.is_zero())
        .or_else(|| first.checked_add(difference))
        .unwrap_or(U256::ONE)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: u64 = 20_000;

    fn share(holds: impl Fn(Address, U256) -> bool) -> f64 {
        let of = |key: u64| (Address::with_last_byte(7), U256::from(key));
        let hits = (0..KEYS).map(of).filter(|(a, s)| holds(*a, *s)).count();
        hits as f64 / KEYS as f64
    }

    #[test]
    fn shares_do_not_leave_mainnets() {
        let zero = share(|a, s| slot(a, s, SlotHint::Read).is_zero());
        assert!((zero - 0.825).abs() < 0.01, "{zero}");
        let written = SlotHint::Written { first: U256::ONE };
        let created = share(|a, s| slot(a, s, written).is_zero());
        assert!((created - 0.276).abs() < 0.01, "{created}");
        let emptied = SlotHint::Written { first: U256::ZERO };
        assert!(share(|a, s| slot(a, s, emptied).is_zero()) == 0.0);
    }

    #[test]
    fn no_write_finds_what_it_leaves() {
        let address = Address::with_last_byte(9);
        for first in [U256::ZERO, U256::ONE, U256::from(2), U256::MAX] {
            for key in 0..200 {
                let hint = SlotHint::Written { first };
                assert_ne!(slot(address, U256::from(key), hint), first);
            }
            for key in 0..200 {
                let hint = AccountHint {
                    balance: Some(first),
                    ..AccountHint::default()
                };
                let before = account(Address::from_word(B256::with_last_byte(key)), &hint);
                assert_ne!(before.unwrap_or_default().balance, first);
            }
        }
    }

    #[test]
    fn an_account_that_is_assumed_never_contradicts_what_the_block_says() {
        let contract = AccountHint {
            is_contract: true,
            ..AccountHint::default()
        };
        let address = Address::with_last_byte(3);
        let got = account(address, &contract);
        assert_eq!(got.map(|it| it.nonce), Some(1));
        assert_eq!(got.map(|it| it.code_hash), Some(keccak256(address)));
        let created = AccountHint {
            nonce: Some(1),
            sets_code: true,
            is_contract: true,
            ..AccountHint::default()
        };
        assert_eq!(account(address, &created), None);
        let sender = AccountHint {
            nonce: Some(8),
            ..AccountHint::default()
        };
        assert_eq!(account(address, &sender).map(|it| it.nonce), Some(7));
    }
}
