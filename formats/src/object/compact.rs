//! An object on its own: in a witness, in an archive, on a command line.

use super::{
    ContractDictionary, DecodeError, DictionaryError, NoEncoding, Object, ObjectClass,
    cursor::Cursor, payload::decode_class,
};
use alloy_primitives::Address;

/// An object and its contract.
///
/// ```
/// use alloy_primitives::Address;
/// use thinstate_formats::object::{Amount, ContractDictionary, ContractObject, Object};
///
/// let token = Address::repeat_byte(0x20);
/// let object = ContractObject {
///     contract: token,
///     object: Object::Erc20Balance {
///         owner: Address::repeat_byte(1),
///         amount: Amount::from(1_000),
///     },
/// };
/// let dictionary = ContractDictionary::build([token, token]);
/// let bytes = object.encode(&dictionary)?;
/// assert_eq!(bytes.len(), 1 + 1 + 20 + 2);
/// assert_eq!(ContractObject::decode(&bytes, &dictionary)?, object);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ContractObject {
    /// The contract.
    pub contract: Address,
    /// The object.
    pub object: Object,
}

impl ContractObject {
    /// Its bytes, which are read with the same dictionary only.
    pub fn encode(&self, dictionary: &ContractDictionary) -> Result<Vec<u8>, NoEncoding> {
        let class = self.object.class();
        if self.object.is_nothing() {
            return Err(NoEncoding::Nothing { class });
        }
        let mut out = vec![class.id()];
        dictionary.write(self.contract, &mut out);
        if let Some(owner) = self.object.owner() {
            out.extend_from_slice(owner.as_slice());
        }
        self.object.write_payload(&mut out);
        Ok(out)
    }

    /// The object that `bytes` are, all of them.
    pub fn decode(bytes: &[u8], dictionary: &ContractDictionary) -> Result<Self, DecodeError> {
        let mut from = Cursor::new(bytes);
        let class = decode_class(from.byte("class")?, 0)?;
        let contract = read_contract(&mut from, dictionary)?;
        let owner = match class {
            ObjectClass::PlainSlot => Address::ZERO,
            _ => from.address("owner")?,
        };
        let object = Object::read_payload(class, owner, &mut from)?;
        Ok(Self { contract, object })
    }
}

fn read_contract(
    from: &mut Cursor<'_>,
    dictionary: &ContractDictionary,
) -> Result<Address, DecodeError> {
    let offset = from.offset();
    let wrong = |reason| DecodeError::Contract { offset, reason };
    match from.varint("contract")? {
        0 => {
            let contract = from.address("contract")?;
            match dictionary.number(contract) {
                None => Ok(contract),
                Some(_) => Err(wrong(DictionaryError::InFull { contract })),
            }
        }
        got => dictionary.contract(got).ok_or_else(|| {
            let len = dictionary.contracts().len() as u64;
            wrong(DictionaryError::Unknown { len, got })
        }),
    }
}
