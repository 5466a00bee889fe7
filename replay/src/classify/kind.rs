//! What a slot turns out to hold: finer than the classes of objects.

use core::fmt;
use serde::{Deserialize, Serialize};
use thinstate_formats::object::ObjectClass;

/// What a slot holds, as far as it is recognised.
///
/// The first seven belong to a user each. The last three are not recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SlotKind {
    /// A holder's balance of an ERC-20 token.
    Erc20Balance,
    /// The owner of one ERC-721 token.
    Erc721Owner,
    /// How many tokens of an ERC-721 contract a holder has.
    ///
    /// It is a user's, but no object: it follows from the tokens, and where tokens are objects of
    /// their own nothing has to store it. Its class is the plain slot.
    Erc721Count,
    /// A holder's balance of one id of an ERC-1155 or ERC-6909 token.
    Erc1155Balance,
    /// A collateralised debt position, or one word of it.
    Cdp,
    /// What a holder allows a spender.
    Allowance,
    /// Whether a holder lets an operator move all tokens (`ApprovalForAll`). It is a user's, but a flag
    /// is none of the objects; its class is the plain slot.
    OperatorApproval,
    /// A variable that the contract declares: a small slot number.
    Variable,
    /// An element of an array that the contract declares.
    ArrayElement,
    /// A word at a known constant, such as a proxy's implementation (ERC-1967).
    Constant,
    /// An entry of a mapping with an address among its keys; what it holds is not known.
    AddressEntry,
    /// An entry of a mapping with other keys; what it holds is not known.
    OtherEntry,
    /// Nothing is known but its number.
    Unknown,
}

impl SlotKind {
    /// Every kind, in the order of tables.
    pub const ALL: [Self; 13] = [
        Self::Erc20Balance,
        Self::Erc721Owner,
        Self::Erc721Count,
        Self::Erc1155Balance,
        Self::Cdp,
        Self::Allowance,
        Self::OperatorApproval,
        Self::Variable,
        Self::ArrayElement,
        Self::Constant,
        Self::AddressEntry,
        Self::OtherEntry,
        Self::Unknown,
    ];

    /// Its name in tables, results and registries.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Erc20Balance => "erc20_balance",
            Self::Erc721Owner => "erc721_owner",
            Self::Erc721Count => "erc721_count",
            Self::Erc1155Balance => "erc1155_balance",
            Self::Cdp => "cdp",
            Self::Allowance => "allowance",
            Self::OperatorApproval => "operator_approval",
            Self::Variable => "variable",
            Self::ArrayElement => "array_element",
            Self::Constant => "constant",
            Self::AddressEntry => "address_entry",
            Self::OtherEntry => "other_entry",
            Self::Unknown => "unknown",
        }
    }

    /// The class of object, which a policy gives a tier.
    pub const fn class(self) -> ObjectClass {
        match self {
            Self::Erc20Balance => ObjectClass::Erc20Balance,
            Self::Erc721Owner => ObjectClass::Erc721Owner,
            Self::Erc1155Balance => ObjectClass::Erc1155Balance,
            Self::Cdp => ObjectClass::Cdp,
            Self::Allowance => ObjectClass::Allowance,
            Self::Erc721Count
            | Self::OperatorApproval
            | Self::Variable
            | Self::ArrayElement
            | Self::Constant => ObjectClass::PlainSlot,
            Self::AddressEntry | Self::OtherEntry | Self::Unknown => ObjectClass::Unclassified,
        }
    }

    /// The kind whose class is this one, of classes of objects.
    pub const fn of_object(class: ObjectClass) -> Option<Self> {
        match class {
            ObjectClass::Erc20Balance => Some(Self::Erc20Balance),
            ObjectClass::Erc721Owner => Some(Self::Erc721Owner),
            ObjectClass::Erc1155Balance => Some(Self::Erc1155Balance),
            ObjectClass::Cdp => Some(Self::Cdp),
            ObjectClass::Allowance => Some(Self::Allowance),
            ObjectClass::PlainSlot | ObjectClass::Unclassified => None,
        }
    }

    /// Whether it is an object that belongs to a user, and that a policy can take out of the
    /// permanent tier.
    pub const fn is_object(self) -> bool {
        !matches!(
            self.class(),
            ObjectClass::PlainSlot | ObjectClass::Unclassified
        )
    }

    /// Whether it belongs to a user, object or not.
    pub const fn is_of_user(self) -> bool {
        self.is_object() || matches!(self, Self::Erc721Count | Self::OperatorApproval)
    }

    /// Whether it is known what the slot holds.
    pub const fn is_recognised(self) -> bool {
        !matches!(self.class(), ObjectClass::Unclassified)
    }

    /// How many keys lead to it, where it lies in a mapping that a layout can name.
    pub const fn keys(self) -> Option<usize> {
        match self {
            Self::Erc20Balance | Self::Erc721Owner | Self::Erc721Count => Some(1),
            Self::Erc1155Balance | Self::Allowance | Self::OperatorApproval => Some(2),
            _ => None,
        }
    }
}

impl fmt::Display for SlotKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
