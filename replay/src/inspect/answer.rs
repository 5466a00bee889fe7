//! A proof as `eth_getProof` answers it (EIP-1186).
//!
//! Field for field the answer of a node: numbers are hex quantities without leading zeros, hashes
//! have 32 bytes, and a slot's `key` stands as it was asked for: as 32 bytes where it was given
//! with all its 64 digits, as a quantity otherwise.

use alloy_primitives::{Address, B256, Bytes, U64, U256};
use serde::{Serialize, Serializer};
use std::str::FromStr;
use thinstate_formats::proof::AccountProof;

/// The number of a slot, as it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotKey {
    /// The number.
    pub number: U256,
    /// Whether it was given as 32 bytes.
    pub is_word: bool,
}

/// A text is no number of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a number below 2^256, decimal or 0x and 1 to 64 hex digits")]
pub struct BadSlotKey;

impl FromStr for SlotKey {
    type Err = BadSlotKey;

    fn from_str(text: &str) -> Result<Self, BadSlotKey> {
        let hex = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
        let (digits, radix) = hex.map_or((text, 10), |digits| (digits, 16));
        let is_digit = |c: char| c.is_digit(radix as u32);
        if digits.is_empty() || !digits.chars().all(is_digit) || radix == 16 && digits.len() > 64 {
            return Err(BadSlotKey);
        }
        Ok(Self {
            number: U256::from_str_radix(digits, radix).map_err(|_| BadSlotKey)?,
            is_word: hex.is_some() && digits.len() == 64,
        })
    }
}

impl Serialize for SlotKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.is_word {
            true => B256::from(self.number).serialize(serializer),
            false => self.number.serialize(serializer),
        }
    }
}

/// The answer of `eth_getProof`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProofAnswer<'a> {
    address: Address,
    account_proof: &'a [Bytes],
    balance: U256,
    code_hash: B256,
    nonce: U64,
    storage_hash: B256,
    storage_proof: Vec<SlotAnswer<'a>>,
}

#[derive(Clone, Debug, Serialize)]
struct SlotAnswer<'a> {
    key: SlotKey,
    value: U256,
    proof: &'a [Bytes],
}

impl<'a> ProofAnswer<'a> {
    /// The answer to a question for these slots, of which `proof` is the proof.
    pub fn new(proof: &'a AccountProof, asked: &[SlotKey]) -> Self {
        let slots = proof.storage_proof.iter().zip(asked);
        Self {
            address: proof.address,
            account_proof: &proof.account_proof,
            balance: proof.balance,
            code_hash: proof.code_hash,
            nonce: U64::from(proof.nonce),
            storage_hash: proof.storage_hash,
            storage_proof: slots
                .map(|(slot, asked)| SlotAnswer {
                    key: *asked,
                    value: slot.value,
                    proof: &slot.proof,
                })
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use thinstate_formats::proof::SlotProof;

    const WORD_1: &str = "0x0000000000000000000000000000000000000000000000000000000000000001";

    #[test]
    fn no_slot_key_is_misread() {
        let max = U256::MAX;
        let table = [
            ("0", U256::ZERO, false),
            ("007", U256::from(7), false),
            ("10", U256::from(10), false),
            ("0x10", U256::from(16), false),
            ("0XaB", U256::from(0xab), false),
            (WORD_1, U256::from(1), true),
            (&max.to_string(), max, false),
            (&format!("{max:#x}"), max, true),
        ];
        for (text, number, is_word) in table {
            assert_eq!(text.parse(), Ok(SlotKey { number, is_word }), "{text}");
        }
    }

    #[test]
    fn no_text_that_is_no_slot_key_is_accepted() {
        let too_large = format!("{}0", U256::MAX);
        let too_long = format!("{WORD_1}0");
        let table = ["", "0x", "-1", "+1", "1_0", "0x1g", "ff", "0b1", " 1"];
        for text in table.into_iter().chain([&*too_large, &*too_long]) {
            assert_eq!(text.parse::<SlotKey>(), Err(BadSlotKey), "{text}");
        }
    }

    #[test]
    fn no_field_differs_from_the_shape_of_a_node() {
        let slot = |key: u64, value: u64| SlotProof {
            key: U256::from(key),
            value: U256::from(value),
            proof: vec![Bytes::from_static(&[0xc1, 0x80])],
        };
        let proof = AccountProof {
            address: Address::repeat_byte(0xab),
            account_proof: vec![Bytes::from_static(&[0x80])],
            balance: U256::from(1000),
            code_hash: B256::repeat_byte(1),
            nonce: 0,
            storage_hash: B256::with_last_byte(2),
            storage_proof: vec![slot(1, 0), slot(1, 255)],
        };
        let asked = [WORD_1, "1"].map(|text| text.parse().expect("a slot key"));
        let json = serde_json::to_string(&ProofAnswer::new(&proof, &asked)).expect("JSON");
        let expected = format!(
            "{{\"address\":\"0x{}\",\"accountProof\":[\"0x80\"],\"balance\":\"0x3e8\",\
             \"codeHash\":\"0x{}\",\"nonce\":\"0x0\",\"storageHash\":\"0x{}02\",\
             \"storageProof\":[{{\"key\":\"{WORD_1}\",\"value\":\"0x0\",\"proof\":[\"0xc180\"]}},\
             {{\"key\":\"0x1\",\"value\":\"0xff\",\"proof\":[\"0xc180\"]}}]}}",
            "ab".repeat(20),
            "01".repeat(32),
            "00".repeat(31),
        );
        assert_eq!(json, expected);
        let read: AccountProof = serde_json::from_str(&json).expect("a proof");
        assert_eq!(read, proof);
    }
}
