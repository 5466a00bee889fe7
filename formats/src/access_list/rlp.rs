//! The RLP of access lists.

use super::{AccessListCodecError, words};
use alloy_eip7928::BlockAccessList;
use alloy_primitives::{B256, keccak256};
use alloy_rlp::Decodable as _;

/// How slots and values are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ListEncoding {
    /// As integers without leading zeros: EIP-7928 and its tests.
    #[default]
    Integers,
    /// As 32 bytes: EIP-8159, and lists that were made before the EIP was settled.
    Words,
}

/// The list in these bytes, and nothing else, with the encoding that they are in. Where both are possible
/// (no slot and no value has a leading zero) it is that of integers.
pub fn decode_rlp(bytes: &[u8]) -> Result<(BlockAccessList, ListEncoding), AccessListCodecError> {
    let mut rest = bytes;
    let (list, encoding) = match BlockAccessList::decode(&mut rest) {
        Ok(list) => (list, ListEncoding::Integers),
        Err(error) => {
            rest = bytes;
            let list = words::decode(&mut rest).map_err(|_| AccessListCodecError::Rlp(error))?;
            (list, ListEncoding::Words)
        }
    };
    if rest.is_empty() {
        return Ok((list, encoding));
    }
    Err(AccessListCodecError::Trailing { left: rest.len() })
}

/// The list's RLP.
pub fn encode_rlp(list: &BlockAccessList, encoding: ListEncoding) -> Vec<u8> {
    match encoding {
        ListEncoding::Integers => alloy_rlp::encode(list),
        ListEncoding::Words => words::encode(list),
    }
}

/// keccak256 of the list's RLP: what a header from Amsterdam on commits to.
pub fn hash(list: &BlockAccessList) -> B256 {
    keccak256(encode_rlp(list, ListEncoding::Integers))
}
