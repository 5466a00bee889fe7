//! What becomes of a sealed version and the live one.

use super::{Amount, MergeRule, Object, ObjectClass, ObjectKey};

/// A sealed version cannot be resurrected. Nothing has changed: its bit stays 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    /// Objects of the class lapse.
    #[error("an object of class {class} lapses with its period, it cannot be resurrected")]
    Lapses {
        /// The class.
        class: ObjectClass,
    },
    /// The sealed version says that there was nothing.
    #[error("the sealed version of {key:?} holds nothing")]
    Nothing {
        /// The object.
        key: ObjectKey,
    },
    /// A unique object is live.
    #[error("{key:?} has a live version, expected none")]
    Live {
        /// The object.
        key: ObjectKey,
    },
    /// The sum does not fit.
    #[error("{live} live and {sealed} sealed of {key:?} are 2^248 or more together")]
    Overflow {
        /// The object.
        key: ObjectKey,
        /// The live amount.
        live: Amount,
        /// The sealed amount.
        sealed: Amount,
    },
    /// Two objects that have nothing to do with each other.
    #[error("the sealed version is of {got:?}, expected {expected:?}")]
    OtherObject {
        /// The live object.
        expected: ObjectKey,
        /// The sealed one.
        got: ObjectKey,
    },
}

impl Object {
    /// The live object after this sealed version is resurrected, where `live` is the one before.
    pub fn merge(self, live: Option<Self>) -> Result<Self, MergeError> {
        let key = self.key();
        if let Some(other) = live.map(|live| live.key()).filter(|other| *other != key) {
            return Err(MergeError::OtherObject {
                expected: other,
                got: key,
            });
        }
        let class = self.class();
        match (class.merge_rule(), live) {
            (MergeRule::Lapse, _) => Err(MergeError::Lapses { class }),
            _ if self.is_nothing() => Err(MergeError::Nothing { key }),
            (_, None) => Ok(self),
            (MergeRule::Unique, Some(_)) => Err(MergeError::Live { key }),
            (MergeRule::Add, Some(live)) => self.add(live),
        }
    }

    fn add(self, to: Self) -> Result<Self, MergeError> {
        let key = self.key();
        let sum = |live: Amount, sealed| {
            live.checked_add(sealed)
                .ok_or(MergeError::Overflow { key, live, sealed })
        };
        match (self, to) {
            (Self::Erc20Balance { owner, amount }, Self::Erc20Balance { amount: live, .. }) => {
                let amount = sum(live, amount)?;
                Ok(Self::Erc20Balance { owner, amount })
            }
            (
                Self::Erc1155Balance { owner, id, amount },
                Self::Erc1155Balance { amount: live, .. },
            ) => {
                let amount = sum(live, amount)?;
                Ok(Self::Erc1155Balance { owner, id, amount })
            }
            (_, live) => Err(MergeError::Live { key: live.key() }),
        }
    }
}
