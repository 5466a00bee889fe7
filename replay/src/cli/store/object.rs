//! Which object of a contract, as options.

use crate::inspect::{
    answer::SlotKey,
    object::{ObjectName, ObjectNameError},
};
use alloy_primitives::Address;
use std::process::ExitCode;
use thinstate_formats::object::{ObjectClass, ObjectKey};

/// What tells an object from others of its class.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(super) struct ObjectArgs {
    /// Whose object: balances, debt positions, allowances.
    #[arg(long, value_name = "ADDR")]
    owner: Option<Address>,
    /// Id of a token, of a balance of many, of a debt position.
    #[arg(long, value_name = "N")]
    id: Option<SlotKey>,
    /// Who may spend: allowances.
    #[arg(long, value_name = "ADDR")]
    spender: Option<Address>,
    /// Number of a plain slot.
    #[arg(long, value_name = "N")]
    slot: Option<SlotKey>,
}

/// Classes by the names that options have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Class {
    Erc20Balance,
    Erc721Owner,
    Erc1155Balance,
    Cdp,
    Allowance,
    PlainSlot,
}

impl From<Class> for ObjectClass {
    fn from(class: Class) -> Self {
        match class {
            Class::Erc20Balance => Self::Erc20Balance,
            Class::Erc721Owner => Self::Erc721Owner,
            Class::Erc1155Balance => Self::Erc1155Balance,
            Class::Cdp => Self::Cdp,
            Class::Allowance => Self::Allowance,
            Class::PlainSlot => Self::PlainSlot,
        }
    }
}

impl ObjectArgs {
    /// The key of the object of this class.
    pub(super) fn key(&self, class: Class) -> Result<ObjectKey, ObjectNameError> {
        let name = ObjectName {
            class: class.into(),
            owner: self.owner,
            id: self.id.map(|id| id.number),
            spender: self.spender,
            slot: self.slot.map(|slot| slot.number),
        };
        name.key()
    }

    /// Whether nothing was given.
    pub(super) const fn is_empty(&self) -> bool {
        self.owner.is_none() && self.id.is_none() && self.spender.is_none() && self.slot.is_none()
    }
}

/// Says what is wrong with the command line.
pub(super) fn wrong_arguments(error: &impl core::fmt::Display) -> ExitCode {
    status!("error: {error}");
    ExitCode::from(2)
}
