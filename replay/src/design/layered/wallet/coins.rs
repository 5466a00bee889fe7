//! What one owner has of one object, in records.

use super::super::place::object_of;
use alloy_primitives::{Address, B256, U256};
use thinstate_engine::ledger::{self, Settlement};
use thinstate_formats::{
    RecordIndex,
    object::{Amount, ContractObject, MergeRule, Object, ObjectKey},
    record::{NewRecord, Record},
};

/// An unspent record, by what differs among the records of one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::design::layered) struct Coin {
    pub(in crate::design::layered) index: RecordIndex,
    /// Its value: an amount, or the word of a unique object.
    pub(in crate::design::layered) value: U256,
}

/// What a change of an object does to its records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Change {
    /// Records that are spent.
    pub(super) spend: Vec<Coin>,
    /// Records that stay.
    pub(super) keep: Vec<Coin>,
    /// The value of the record that is appended, if there is one.
    pub(super) append: Option<U256>,
}

/// What the records of an object are together.
pub(super) fn sum(coins: &[Coin]) -> U256 {
    let values = coins.iter().map(|coin| coin.value);
    values.fold(U256::ZERO, U256::saturating_add)
}

/// What makes `before` to `after`. `None` where the records do not hold what is to go.
pub(super) fn change(
    key: ObjectKey,
    coins: Vec<Coin>,
    before: U256,
    after: U256,
) -> Option<Change> {
    if key.class().merge_rule() != MergeRule::Add {
        let append = (!after.is_zero()).then_some(after);
        return Some(Change {
            spend: coins,
            keep: Vec::new(),
            append,
        });
    }
    let amounts: Option<Vec<ledger::Coin>> = coins.iter().map(amount).collect();
    let (before, after) = (Amount::new(before).ok()?, Amount::new(after).ok()?);
    let Settlement { spend, append } = ledger::settle(amounts?, before, after)?;
    let is_spent = |coin: &Coin| spend.contains(&coin.index);
    let (spend, keep) = coins.into_iter().partition(is_spent);
    Some(Change {
        spend,
        keep,
        append: (!append.is_zero()).then(|| append.get()),
    })
}

fn amount(coin: &Coin) -> Option<ledger::Coin> {
    Some(ledger::Coin {
        index: coin.index,
        amount: Amount::new(coin.value).ok()?,
    })
}

/// The record of an object with this value; `None` where the value has no form.
pub(in crate::design::layered) fn new_record(
    contract: Address,
    key: ObjectKey,
    value: U256,
) -> Option<NewRecord> {
    record_of(&ContractObject {
        contract,
        object: object_of(key, value)?,
    })
}

/// The record of an object; `None` for one of a class that cannot be a record.
pub(in crate::design::layered) fn record_of(object: &ContractObject) -> Option<NewRecord> {
    let record = Object::to_record(&object.object).ok()?;
    Some(NewRecord {
        class: record.class.id(),
        contract: object.contract,
        owner: record.owner,
        payload: record.payload.into(),
    })
}

/// The record that a coin is.
pub(super) fn spent_record(contract: Address, key: ObjectKey, coin: &Coin) -> Option<Record> {
    Some(new_record(contract, key, coin.value)?.at(coin.index))
}

/// What names an object in the wallet: half of its location, which nobody finds a second object for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct CoinKey(pub(super) [u8; 16]);

impl From<&B256> for CoinKey {
    fn from(location: &B256) -> Self {
        let (half, _) = location
            .split_first_chunk()
            .expect("a location has 32 bytes");
        Self(*half)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coins(values: &[u64]) -> Vec<Coin> {
        let coin = |(index, value): (u64, &u64)| Coin {
            index: RecordIndex(index),
            value: U256::from(*value),
        };
        (0..).zip(values).map(coin).collect()
    }

    #[test]
    fn no_unique_object_has_two_records() {
        let key = ObjectKey::Erc721Owner { id: 3 };
        let held = coins(&[7]);
        let made = change(key, held.clone(), U256::from(7), U256::from(9)).expect("covered");
        assert_eq!((made.spend, made.keep), (held, vec![]));
        assert_eq!(made.append, Some(U256::from(9)));
        let burned = change(key, coins(&[9]), U256::from(9), U256::ZERO).expect("covered");
        assert_eq!(burned.append, None);
    }

    #[test]
    fn no_balance_is_paid_with_what_is_not_there() {
        let key = ObjectKey::Erc20Balance {
            owner: Address::ZERO,
        };
        let paid = change(key, coins(&[5, 9]), U256::from(14), U256::from(6)).expect("covered");
        assert_eq!(paid.spend, vec![coins(&[5, 9])[1]]);
        assert_eq!((paid.keep, paid.append), (coins(&[5]), Some(U256::from(1))));
        assert_eq!(
            change(key, coins(&[5]), U256::from(14), U256::from(6)),
            None
        );
        assert_eq!(sum(&coins(&[5, 9])), U256::from(14));
    }
}
