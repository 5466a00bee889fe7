//! Classes of objects, and what each of them may do.

use super::tier::Tier;
use core::fmt;
use serde::{Deserialize, Serialize};
use wincode::{SchemaRead, SchemaWrite};

/// The class of object that lives in a slot, an entry or a record. The numbers are part of the
/// trace format and of what records hash.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    SchemaRead,
    SchemaWrite,
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum ObjectClass {
    /// Nobody has looked.
    #[default]
    #[wincode(tag = 0)]
    Unclassified,
    /// Looked at, and of none of the classes below.
    #[wincode(tag = 1)]
    PlainSlot,
    /// A holder's balance of an ERC-20 token.
    #[wincode(tag = 2)]
    Erc20Balance,
    /// The owner of one ERC-721 token.
    #[wincode(tag = 3)]
    Erc721Owner,
    /// A holder's balance of one id of an ERC-1155 token.
    #[wincode(tag = 4)]
    Erc1155Balance,
    /// A collateralised debt position.
    #[wincode(tag = 5)]
    Cdp,
    /// What a holder allows a spender.
    #[wincode(tag = 6)]
    Allowance,
}

/// What a sealed value does to the live one when it is resurrected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MergeRule {
    /// It is added to the live value; a sum that does not fit is an error.
    Add,
    /// It becomes the live value; if there is one, that is an error.
    Unique,
    /// It stays where it is: objects of this class lapse.
    Lapse,
}

impl ObjectClass {
    /// Every class, by ascending number.
    pub const ALL: [Self; 7] = [
        Self::Unclassified,
        Self::PlainSlot,
        Self::Erc20Balance,
        Self::Erc721Owner,
        Self::Erc1155Balance,
        Self::Cdp,
        Self::Allowance,
    ];

    /// The class's name in tables, results and policies.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unclassified => "unclassified",
            Self::PlainSlot => "plain_slot",
            Self::Erc20Balance => "erc20_balance",
            Self::Erc721Owner => "erc721_owner",
            Self::Erc1155Balance => "erc1155_balance",
            Self::Cdp => "cdp",
            Self::Allowance => "allowance",
        }
    }

    /// Its number.
    pub const fn id(self) -> u8 {
        match self {
            Self::Unclassified => 0,
            Self::PlainSlot => 1,
            Self::Erc20Balance => 2,
            Self::Erc721Owner => 3,
            Self::Erc1155Balance => 4,
            Self::Cdp => 5,
            Self::Allowance => 6,
        }
    }

    /// The class with this number.
    pub fn from_id(id: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.id() == id)
    }

    /// The tiers that an object of the class can live in.
    ///
    /// A slot belongs to nobody, so no record can hold it. An allowance can be revoked by its
    /// holder at any time, without knowing of it: as a record it would have to be found and spent
    /// first.
    pub const fn tiers(self) -> &'static [Tier] {
        match self {
            Self::Unclassified => &[Tier::Permanent],
            Self::PlainSlot | Self::Allowance => &[Tier::Permanent, Tier::Temporary],
            Self::Erc20Balance | Self::Erc721Owner | Self::Erc1155Balance | Self::Cdp => &Tier::ALL,
        }
    }

    /// Whether an object of the class can live in `tier`.
    pub fn lives_in(self, tier: Tier) -> bool {
        self.tiers().contains(&tier)
    }

    /// What happens to an object of the class when it is resurrected.
    ///
    /// Allowances and plain slots lapse with their period: both can be written anew while a sealed
    /// version exists, by those who do not know of it, and to bring that back would be to bring back
    /// a stale value. An ERC-721 token or a CDP cannot: its id is given out once, and every change
    /// needs the live version.
    pub const fn merge_rule(self) -> MergeRule {
        match self {
            Self::Erc20Balance | Self::Erc1155Balance => MergeRule::Add,
            Self::Erc721Owner | Self::Cdp => MergeRule::Unique,
            Self::Unclassified | Self::PlainSlot | Self::Allowance => MergeRule::Lapse,
        }
    }
}

impl fmt::Display for ObjectClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_class_changes_its_number_or_name() {
        for (at, class) in ObjectClass::ALL.into_iter().enumerate() {
            assert_eq!(usize::from(class.id()), at);
            assert_eq!(ObjectClass::from_id(class.id()), Some(class));
            let table: toml::Table = toml::from_str(&format!("class = \"{class}\"")).expect("TOML");
            assert_eq!(table["class"].clone().try_into(), Ok(class));
        }
        assert_eq!(ObjectClass::from_id(7), None);
    }

    #[test]
    fn nothing_that_lapses_is_ever_a_record() {
        for class in ObjectClass::ALL {
            let lapses = class.merge_rule() == MergeRule::Lapse;
            assert_eq!(class.lives_in(Tier::Utxo), !lapses, "{class}");
            assert!(class.lives_in(Tier::Permanent), "{class}");
        }
    }
}
