//! Which records pay, and how many an owner keeps.
//!
//! Within a block an owner's balance goes up and down; what is settled is the difference. Where it
//! is a gain, one record is appended. Where it is a loss, records that cover it are spent, the
//! largest first, equal ones by ascending index, and what is left over is appended as one record of
//! change. Largest first takes the fewest records, and so the fewest witness bytes; and it depends on
//! nothing but the records, so every node that settles the same block spends the same ones.

use thinstate_formats::{RecordIndex, object::Amount};

/// Most records of a contract and class that an owner has after a block in which they were touched.
///
/// A loss never makes more of them: it spends at least one and appends at most one. A gain that would
/// make one too many spends all of them and appends one of the whole balance.
///
/// The owner of these records has not signed for that. They need not: a record belongs to a contract,
/// whose rules say who may do what with it, as they do with the slots of a balance today, and this
/// rule leaves the owner's balance as it is. Who pays is whoever settles, that is who sends: the spends
/// of at most 8 records every 8 gains, 1 for each gain in the mean. Without the rule, dust sent to
/// an owner would make each of their own transfers dearer, without limit.
pub const MAX_RECORDS_PER_OWNER: usize = 8;

/// A record of a balance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coin {
    /// Its index.
    pub index: RecordIndex,
    /// What it is worth.
    pub amount: Amount,
}

/// What settles the change of one balance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settlement {
    /// Records that are spent.
    pub spend: Vec<RecordIndex>,
    /// The amount of the record that is appended, if not zero.
    pub append: Amount,
}

/// What turns `coins`, which are `before` together, into `now`. `None` where they are less than what
/// has to go.
pub fn settle(mut coins: Vec<Coin>, before: Amount, now: Amount) -> Option<Settlement> {
    if now == before {
        return Some(Settlement::default());
    }
    coins.sort_unstable_by_key(|coin| (core::cmp::Reverse(coin.amount), coin.index));
    let (mut spent, mut append) = match now.checked_sub(before) {
        Some(gain) => (0, gain),
        None => pay(&coins, before.checked_sub(now)?)?,
    };
    let kept = coins.len() - spent + usize::from(!append.is_zero());
    if kept > MAX_RECORDS_PER_OWNER {
        (spent, append) = (coins.len(), now);
    }
    let spend = coins.iter().take(spent).map(|coin| coin.index).collect();
    Some(Settlement { spend, append })
}

/// How many of the coins, from the first, cover `loss`, and what is left over.
fn pay(coins: &[Coin], loss: Amount) -> Option<(usize, Amount)> {
    let mut left = loss;
    for (at, coin) in coins.iter().enumerate() {
        match coin.amount.checked_sub(left) {
            Some(change) => return Some((at + 1, change)),
            None => left = left.checked_sub(coin.amount)?,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn amount(number: u64) -> Amount {
        Amount::from(u128::from(number))
    }

    fn coins(amounts: &[u64]) -> Vec<Coin> {
        let coin = |(index, number): (u64, &u64)| Coin {
            index: RecordIndex(index),
            amount: amount(*number),
        };
        (0..).zip(amounts).map(coin).collect()
    }

    fn settled(amounts: &[u64], now: u64) -> (Vec<u64>, u64) {
        let before = amount(amounts.iter().sum());
        let settled = settle(coins(amounts), before, amount(now)).expect("enough");
        let spend = settled.spend.iter().map(|index| index.0).collect();
        (spend, settled.append.get().to())
    }

    #[test]
    fn no_record_is_spent_that_need_not_be() {
        assert_eq!(settled(&[5, 9, 5], 19), (vec![], 0));
        assert_eq!(settled(&[5, 9, 5], 20), (vec![], 1));
        assert_eq!(settled(&[5, 9, 5], 10), (vec![1], 0));
        assert_eq!(settled(&[5, 9, 5], 9), (vec![1, 0], 4));
        assert_eq!(settled(&[5, 9, 5], 0), (vec![1, 0, 2], 0));
        assert_eq!(settled(&[], 3), (vec![], 3));
        assert_eq!(settled(&[1; 7], 8), (vec![], 1));
        assert_eq!(settled(&[1; 8], 9), ((0..8).collect(), 9));
        assert_eq!(settled(&[1; 8], 7), (vec![0], 0));
    }

    proptest! {
        #[test]
        fn no_owner_gains_loses_or_keeps_too_many(
            mut amounts in proptest::collection::vec(1u64..100, 0..12),
            now in 0u64..1_500,
            shuffle: u64,
        ) {
            let before = amounts.iter().sum::<u64>();
            let (spend, append) = settled(&amounts, now);
            let spent: u64 = spend.iter().map(|index| amounts[*index as usize]).sum();
            prop_assert_eq!(before - spent + append, now);
            let kept = amounts.len() - spend.len() + usize::from(append > 0);
            let unchanged = now == before;
            prop_assert!(unchanged || kept <= MAX_RECORDS_PER_OWNER, "{kept} records");
            // The order in which the source lists them does not matter.
            let mut listed = coins(&amounts);
            let len = listed.len().max(1);
            listed.rotate_left(shuffle as usize % len);
            let again = settle(listed, amount(before), amount(now)).expect("enough");
            prop_assert_eq!(again.spend.iter().map(|i| i.0).collect::<Vec<_>>(), spend);
            amounts.clear();
            prop_assert_eq!(settle(coins(&amounts), amount(before + 1), amount(0)), None);
        }
    }
}
