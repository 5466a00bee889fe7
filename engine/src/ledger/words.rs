//! Objects of one class in a tier of words: the permanent or the temporary one.

use super::{LedgerError, LedgerHost};
use alloy_primitives::{Address, B256, U256};
use thinstate_formats::{
    TemporaryRules,
    object::{NOTHING, Object, ObjectClass, ObjectKey, ObjectValue, Stored, Tier},
    policy::Policy,
    temporary::{Retention, ZeroRule},
};

/// Where the objects of a class of a contract lie.
#[derive(Clone, Copy, Debug)]
pub(super) struct Words {
    contract: Address,
    /// The slot of the mapping, in the permanent tier.
    base: U256,
    temporary: bool,
}

impl Words {
    /// Where the policy puts objects of `class`; `None` where they are records.
    pub(super) fn of(
        contract: Address,
        class: ObjectClass,
        base: U256,
        policy: &Policy,
    ) -> Option<Self> {
        let temporary = match policy.tier(class) {
            Tier::Permanent => false,
            Tier::Temporary => true,
            Tier::Utxo => return None,
        };
        Some(Self {
            contract,
            base,
            temporary,
        })
    }

    /// The value of an object, `None` where there is none that is live.
    pub(super) fn read<V: ObjectValue, H: LedgerHost>(
        &self,
        host: &mut H,
        key: ObjectKey,
    ) -> Result<Option<V>, LedgerError<H::Error>> {
        let word = if self.temporary {
            host.temporary(self.contract, key.temporary_key())?
        } else {
            B256::from(host.slot(self.contract, key.slot(self.base))?)
        };
        let stored = Stored::from_word(word);
        let stored = stored.map_err(|error| LedgerError::Word { key, error })?;
        Ok(stored.value())
    }

    /// Sets the value of an object, or removes it.
    pub(super) fn write<V: ObjectValue, H: LedgerHost>(
        &self,
        host: &mut H,
        key: ObjectKey,
        value: Option<V>,
    ) -> Result<(), LedgerError<H::Error>> {
        let word = value.map_or(B256::ZERO, V::to_word);
        if !self.temporary {
            let slot = key.slot(self.base);
            return Ok(host.set_slot(self.contract, slot, word.into())?);
        }
        let word = if word.is_zero() {
            removed(&host.temporary_rules())
        } else {
            word
        };
        Ok(host.set_temporary(self.contract, key.temporary_key(), word)?)
    }

    /// Uses a sealed version and makes what it merges to the live one.
    pub(super) fn resurrect<H: LedgerHost>(
        &self,
        host: &mut H,
        live: Option<Object>,
        sealed: Object,
        proof: &H::Proof,
    ) -> Result<(), LedgerError<H::Error>> {
        if !self.temporary {
            let tier = Tier::Permanent;
            return Err(LedgerError::NeverSealed { tier });
        }
        let merged = sealed.merge(live).map_err(LedgerError::merge)?;
        let key = sealed.key().temporary_key();
        host.resurrect(self.contract, key, sealed.word(), proof)?;
        Ok(host.set_temporary(self.contract, key, merged.word())?)
    }
}

/// What is written where an object is removed.
///
/// Zero deletes what both readable periods have, or the one readable period. Where it deletes only
/// what the current one has, the previous one's value would be read again: a burned token would be
/// back, a balance that was spent could be spent again. There the removal is a value of its own.
fn removed(rules: &TemporaryRules) -> B256 {
    match (rules.zero_rule, rules.retention) {
        (ZeroRule::NoTombstone, Retention::CurrentAndPrevious) => NOTHING,
        (ZeroRule::DeleteBoth, _) | (_, Retention::OnePeriod) => B256::ZERO,
    }
}
