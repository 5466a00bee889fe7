//! Block access lists (EIP-7928): their bytes and their JSON.
//!
//! A list names every account and slot that a block touches, with the values that it leaves after each index: 0
//! before the first transaction, `1..=n` the transactions, `n + 1` after the last.
//!
//! ```text
//! list     = [account...]                      ascending by address
//! account  = [address, storage_changes, storage_reads, balance_changes, nonce_changes, code_changes]
//! storage_changes = [[slot, [[index, value]...]]...]   ascending by slot, then by index
//! storage_reads   = [slot...]                  ascending; none of them among the changes
//! balance_changes, nonce_changes, code_changes = [[index, value]...]   ascending by index
//! ```
//!
//! Slots and values are RLP integers without leading zeros, as in EIP-7928 and its tests, or the 32 bytes of
//! EIP-8159 ([`ListEncoding`]); one list has one encoding of either kind, and nothing else decodes. Order and
//! uniqueness are not looked at here: who takes a list from others checks them.
//!
//! ```
//! use thinstate_formats::access_list::{ListEncoding, decode_rlp, encode_rlp};
//!
//! let (list, encoding) = decode_rlp(&[0xc0])?;
//! assert!(list.is_empty());
//! assert_eq!(encode_rlp(&list, encoding), [0xc0]);
//! # Ok::<(), thinstate_formats::access_list::AccessListCodecError>(())
//! ```

mod error;
mod json;
mod rlp;
mod words;

pub use alloy_eip7928::{AccountChanges, BlockAccessList};
pub use error::AccessListCodecError;
pub use json::{decode_json, encode_json};
pub use rlp::{ListEncoding, decode_rlp, encode_rlp, hash};

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

    use super::*;
    use alloy_eip7928::{
        BalanceChange, BlockAccessIndex, CodeChange, NonceChange, SlotChanges, StorageChange,
    };
    use alloy_primitives::{Address, Bytes, U256};

    /// One account with one of everything, whose slot and value are this number.
    fn list(number: U256) -> BlockAccessList {
        let index = BlockAccessIndex::from_tx_index(2);
        vec![AccountChanges {
            address: Address::repeat_byte(7),
            storage_changes: vec![SlotChanges::new(
                number,
                vec![StorageChange::new(index, number)],
            )],
            storage_reads: vec![U256::from(5)],
            balance_changes: vec![BalanceChange::new(index, number)],
            nonce_changes: vec![NonceChange::new(index, 8)],
            code_changes: vec![CodeChange::new(index, Bytes::from_static(&[0x60, 0]))],
        }]
    }

    #[test]
    fn no_encoding_loses_anything() {
        for number in [U256::ZERO, U256::from(300), U256::MAX] {
            let list = list(number);
            for encoding in [ListEncoding::Integers, ListEncoding::Words] {
                let bytes = encode_rlp(&list, encoding);
                assert_eq!(decode_rlp(&bytes).unwrap(), (list.clone(), encoding));
            }
            assert_eq!(decode_json(encode_json(&list)).unwrap(), list);
        }
    }

    #[test]
    fn nothing_else_decodes() {
        let bytes = encode_rlp(&list(U256::from(300)), ListEncoding::Integers);
        for end in 0..bytes.len() {
            assert!(decode_rlp(&bytes[..end]).is_err(), "{end}");
        }
        let longer = [&bytes[..], &[0]].concat();
        let error = decode_rlp(&longer).unwrap_err();
        assert!(matches!(error, AccessListCodecError::Trailing { left: 1 }));
        for document in [serde_json::json!(null), serde_json::json!([{}])] {
            let error = decode_json(document).unwrap_err();
            assert!(matches!(error, AccessListCodecError::Json(_)));
        }
    }
}
