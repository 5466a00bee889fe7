//! The dictionary of contracts: a short number for an address that is used more than once.
//!
//! ```text
//! count varint | address 20 | address 20 | ...
//! ```
//!
//! An entry costs its 20 bytes once and its number (1 byte for the first 127) with each use; in full
//! an address costs 21 bytes with each use. So an address pays for its entry from its second use on,
//! and [`ContractDictionary::build`] takes exactly those, the most used first, equal ones by address:
//! the same uses in any order give the same dictionary.

use super::varint;
use alloy_primitives::{Address, map::AddressMap};

/// Addresses by their numbers, from 1, and the other way round.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContractDictionary {
    contracts: Vec<Address>,
    numbers: AddressMap<u64>,
}

/// A dictionary is wrong, or is not used as it must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DictionaryError {
    /// The count is no varint, or a longer one than need be.
    #[error("expected the count as a varint in as few bytes as possible")]
    Count,
    /// There are more or fewer entries than the count says.
    #[error("expected {expected} entries of 20 bytes, got {got} bytes")]
    Length {
        /// The count.
        expected: u64,
        /// Bytes that are there.
        got: u64,
    },
    /// An address has two numbers.
    #[error("expected each contract once, got {contract} twice")]
    Twice {
        /// The address.
        contract: Address,
    },
    /// No entry has this number.
    #[error("expected an entry of 1 to {len}, got {got}")]
    Unknown {
        /// Entries.
        len: u64,
        /// The number.
        got: u64,
    },
    /// An address that has an entry is written in full.
    #[error("expected the number of {contract}, got the address in full")]
    InFull {
        /// The address.
        contract: Address,
    },
}

impl ContractDictionary {
    /// The dictionary that saves most for these uses, one item for each.
    pub fn build(uses: impl IntoIterator<Item = Address>) -> Self {
        let mut counts = AddressMap::<u64>::default();
        for contract in uses {
            *counts.entry(contract).or_default() += 1;
        }
        let mut ranked: Vec<_> = counts.into_iter().filter(|(_, uses)| *uses > 1).collect();
        ranked.sort_unstable_by_key(|&(contract, uses)| (core::cmp::Reverse(uses), contract));
        let contracts: Vec<_> = ranked.into_iter().map(|(contract, _)| contract).collect();
        let numbers = contracts.iter().copied().zip(1..).collect();
        Self { contracts, numbers }
    }

    /// The number of a contract, `None` where it has no entry.
    pub fn number(&self, contract: Address) -> Option<u64> {
        self.numbers.get(&contract).copied()
    }

    /// The contract with this number, which counts from 1.
    pub fn contract(&self, number: u64) -> Option<Address> {
        let at = usize::try_from(number.checked_sub(1)?).ok()?;
        self.contracts.get(at).copied()
    }

    /// Its entries, by their numbers.
    pub fn contracts(&self) -> &[Address] {
        &self.contracts
    }

    /// Its bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(varint::MAX_VARINT_BYTES + 20 * self.contracts.len());
        varint::write(self.contracts.len() as u64, &mut out);
        for contract in &self.contracts {
            out.extend_from_slice(contract.as_slice());
        }
        out
    }

    /// The dictionary of these bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, DictionaryError> {
        let varint::Read::Number(expected, used) = varint::read(bytes) else {
            return Err(DictionaryError::Count);
        };
        let entries = bytes.get(used..).unwrap_or_default();
        let got = entries.len() as u64;
        if expected.checked_mul(20) != Some(got) {
            return Err(DictionaryError::Length { expected, got });
        }
        let contracts: Vec<_> = entries.chunks_exact(20).map(Address::from_slice).collect();
        let mut numbers = AddressMap::default();
        for (contract, number) in contracts.iter().copied().zip(1..) {
            if numbers.insert(contract, number).is_some() {
                return Err(DictionaryError::Twice { contract });
            }
        }
        Ok(Self { contracts, numbers })
    }

    pub(super) fn write(&self, contract: Address, out: &mut Vec<u8>) {
        match self.number(contract) {
            Some(number) => varint::write(number, out),
            None => {
                out.push(0);
                out.extend_from_slice(contract.as_slice());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contract(n: u8) -> Address {
        Address::repeat_byte(n)
    }

    #[test]
    fn no_address_has_an_entry_that_costs_more_than_it_saves() {
        let uses = [3, 1, 2, 1, 3, 1, 4].map(contract);
        let dictionary = ContractDictionary::build(uses);
        assert_eq!(dictionary.contracts(), [contract(1), contract(3)]);
        let with: usize = uses.iter().map(|u| cost(&dictionary, *u)).sum();
        let without = 21 * uses.len();
        assert!(with + dictionary.encode().len() < without);
    }

    fn cost(dictionary: &ContractDictionary, contract: Address) -> usize {
        let mut out = Vec::new();
        dictionary.write(contract, &mut out);
        out.len()
    }

    #[test]
    fn no_order_of_uses_changes_the_dictionary() {
        let mut uses: Vec<_> = (0..200u8).map(|n| contract(n % 67)).collect();
        let dictionary = ContractDictionary::build(uses.iter().copied());
        uses.reverse();
        assert_eq!(ContractDictionary::build(uses), dictionary);
        assert_eq!(
            ContractDictionary::decode(&dictionary.encode()),
            Ok(dictionary)
        );
    }

    #[test]
    fn no_other_bytes_are_a_dictionary() {
        let uses = [1, 1, 2, 2].map(contract);
        let good = ContractDictionary::build(uses).encode();
        for len in 0..good.len() {
            assert!(ContractDictionary::decode(&good[..len]).is_err(), "{len}");
        }
        let more = [&good[..], &[0]].concat();
        let twice = [&[2][..], &good[1..21], &good[1..21]].concat();
        let long = [&[0x82, 0][..], &good[1..]].concat();
        let huge = [&[0xff; 9][..], &[1]].concat();
        assert_eq!(
            ContractDictionary::decode(&more),
            Err(DictionaryError::Length {
                expected: 2,
                got: 41
            })
        );
        let contract = contract(1);
        assert_eq!(
            ContractDictionary::decode(&twice),
            Err(DictionaryError::Twice { contract })
        );
        assert_eq!(
            ContractDictionary::decode(&long),
            Err(DictionaryError::Count)
        );
        assert!(matches!(
            ContractDictionary::decode(&huge),
            Err(DictionaryError::Length { .. })
        ));
    }
}
