//! What a record of an object holds beside class and owner.

use super::{
    Allowed, Amount, DecodeError, NoEncoding, Object, ObjectClass, Position, Tier,
    cursor::{Cursor, Number, write_rest, write_short},
};
use alloy_primitives::{Address, U256};

/// Bytes of the longest payload that a record can have.
pub const MAX_PAYLOAD_BYTES: usize = crate::record::PAYLOAD_BYTES_MAX;

const ID: Number = Number {
    field: "id",
    max_bytes: 8,
    expected: "at most 8 bytes",
};
const WIDE_ID: Number = Number {
    field: "id",
    max_bytes: 32,
    expected: "at most 32 bytes",
};
const AMOUNT: Number = Number {
    field: "amount",
    max_bytes: Amount::BYTES,
    expected: "at most 31 bytes",
};
const ALLOWED: Number = Number {
    field: "allowance",
    max_bytes: 32,
    expected: "at most 31 bytes, or 32 bytes 0xff",
};
const COLLATERAL: Number = Number {
    field: "collateral",
    max_bytes: 15,
    expected: "at most 15 bytes",
};
const DEBT: Number = Number {
    field: "debt",
    max_bytes: 16,
    expected: "at most 16 bytes",
};
const SLOT: Number = Number {
    field: "slot",
    max_bytes: 32,
    expected: "at most 32 bytes",
};
const VALUE: Number = Number {
    field: "value",
    max_bytes: 32,
    expected: "at most 32 bytes",
};

/// An object as a record has it; the record adds contract and index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordObject {
    /// The class; its number is the record's.
    pub class: ObjectClass,
    /// Whose it is.
    pub owner: Address,
    /// The rest, at most [`MAX_PAYLOAD_BYTES`].
    pub payload: Vec<u8>,
}

impl Object {
    /// The record of the object.
    pub fn to_record(&self) -> Result<RecordObject, NoEncoding> {
        let class = self.class();
        let owner = self.owner().filter(|_| class.lives_in(Tier::Utxo));
        let owner = owner.ok_or(NoEncoding::Tier {
            class,
            tier: Tier::Utxo,
        })?;
        if self.is_nothing() {
            return Err(NoEncoding::Nothing { class });
        }
        let mut payload = Vec::new();
        self.write_payload(&mut payload);
        Ok(RecordObject {
            class,
            owner,
            payload,
        })
    }

    /// The object of a record.
    pub fn from_record(class: u8, owner: Address, payload: &[u8]) -> Result<Self, DecodeError> {
        let class = decode_class(class, 0)?;
        if !class.lives_in(Tier::Utxo) {
            return Err(DecodeError::NoRecord { class });
        }
        Self::read_payload(class, owner, &mut Cursor::new(payload))
    }

    pub(super) fn write_payload(&self, out: &mut Vec<u8>) {
        match *self {
            Self::PlainSlot { slot, value } => {
                write_short(slot, out);
                write_rest(value, out);
            }
            Self::Erc20Balance { amount, .. } => write_rest(amount.get(), out),
            Self::Erc721Owner { id, .. } => write_rest(U256::from(id), out),
            Self::Erc1155Balance { id, amount, .. } => {
                write_short(id, out);
                write_rest(amount.get(), out);
            }
            Self::Cdp { id, position, .. } => {
                write_short(U256::from(id), out);
                write_short(U256::from(position.collateral()), out);
                write_rest(U256::from(position.debt()), out);
            }
            Self::Allowance {
                spender, allowed, ..
            } => {
                out.extend_from_slice(spender.as_slice());
                write_rest(allowed.get(), out);
            }
        }
    }

    /// Reads the payload, whose last field takes all that is left. `owner` is not used for a plain slot.
    pub(super) fn read_payload(
        class: ObjectClass,
        owner: Address,
        from: &mut Cursor<'_>,
    ) -> Result<Self, DecodeError> {
        let start = from.offset();
        let object = match class {
            ObjectClass::Unclassified => return Err(bad_class(class.id(), 0)),
            ObjectClass::PlainSlot => Self::PlainSlot {
                slot: from.short(SLOT)?,
                value: from.rest(VALUE)?,
            },
            ObjectClass::Erc20Balance => Self::Erc20Balance {
                owner,
                amount: read_amount(from)?,
            },
            ObjectClass::Erc721Owner => Self::Erc721Owner {
                id: from.rest(ID)?.saturating_to(),
                owner,
            },
            ObjectClass::Erc1155Balance => Self::Erc1155Balance {
                owner,
                id: from.short(WIDE_ID)?,
                amount: read_amount(from)?,
            },
            ObjectClass::Cdp => Self::Cdp {
                owner,
                id: from.short(ID)?.saturating_to(),
                position: read_position(from)?,
            },
            ObjectClass::Allowance => Self::Allowance {
                owner,
                spender: from.address("spender")?,
                allowed: read_allowed(from)?,
            },
        };
        if object.is_nothing() {
            return Err(DecodeError::Nothing {
                offset: start,
                class,
            });
        }
        Ok(object)
    }
}

fn read_amount(from: &mut Cursor<'_>) -> Result<Amount, DecodeError> {
    let offset = from.offset();
    let number = from.rest(AMOUNT)?;
    Amount::new(number).map_err(|_| too_large(AMOUNT, offset, number))
}

fn read_position(from: &mut Cursor<'_>) -> Result<Position, DecodeError> {
    let offset = from.offset();
    let collateral = from.short(COLLATERAL)?;
    let debt = from.rest(DEBT)?;
    Position::new(collateral.saturating_to(), debt.saturating_to())
        .map_err(|_| too_large(COLLATERAL, offset, collateral))
}

fn read_allowed(from: &mut Cursor<'_>) -> Result<Allowed, DecodeError> {
    let offset = from.offset();
    let number = from.rest(ALLOWED)?;
    Allowed::new(number).map_err(|_| too_large(ALLOWED, offset, number))
}

fn too_large(number: Number, offset: usize, got: U256) -> DecodeError {
    DecodeError::TooLarge {
        field: number.field,
        offset,
        expected: number.expected,
        got: got.byte_len(),
    }
}

/// The class with this number, which is not that of what nobody has looked at.
pub(super) fn decode_class(got: u8, offset: usize) -> Result<ObjectClass, DecodeError> {
    ObjectClass::from_id(got)
        .filter(|class| *class != ObjectClass::Unclassified)
        .ok_or_else(|| bad_class(got, offset))
}

fn bad_class(got: u8, offset: usize) -> DecodeError {
    DecodeError::Class { offset, got }
}
