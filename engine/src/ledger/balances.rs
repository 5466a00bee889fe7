//! Balances of one contract, in any tier.

use super::{
    HeldRecord, LedgerError, LedgerHost,
    coins::{self, Coin},
    words::Words,
};
use alloy_primitives::{Address, U256, map::AddressMap};
use thinstate_formats::{
    BlockNumber,
    object::{Amount, Object, ObjectClass, ObjectKey, Tier},
    policy::Policy,
};

/// ERC-20 balances, read and set by owner.
#[derive(Clone, Debug)]
pub(super) struct Balances {
    contract: Address,
    /// `None` where they are records.
    words: Option<Words>,
    /// Balances of records that were looked at for a change in this block.
    open: AddressMap<Open>,
    block: Option<BlockNumber>,
}

/// A balance that is made of records.
#[derive(Clone, Debug)]
struct Open {
    coins: Vec<Coin>,
    before: Amount,
    now: Amount,
}

impl Balances {
    pub(super) fn new(contract: Address, base: U256, policy: &Policy) -> Self {
        Self {
            contract,
            words: Words::of(contract, ObjectClass::Erc20Balance, base, policy),
            open: AddressMap::default(),
            block: None,
        }
    }

    pub(super) fn get<H: LedgerHost>(
        &self,
        host: &mut H,
        owner: Address,
    ) -> Result<Amount, LedgerError<H::Error>> {
        let key = ObjectKey::Erc20Balance { owner };
        if let Some(words) = &self.words {
            return Ok(words.read(host, key)?.unwrap_or_default());
        }
        self.check_block(host)?;
        match self.open.get(&owner) {
            Some(open) => Ok(open.now),
            None => Ok(self.load(host, owner)?.now),
        }
    }

    pub(super) fn set<H: LedgerHost>(
        &mut self,
        host: &mut H,
        owner: Address,
        now: Amount,
    ) -> Result<(), LedgerError<H::Error>> {
        let key = ObjectKey::Erc20Balance { owner };
        if let Some(words) = &self.words {
            return words.write(host, key, Some(now));
        }
        self.check_block(host)?;
        self.block = Some(host.block());
        if let Some(open) = self.open.get_mut(&owner) {
            open.now = now;
            return Ok(());
        }
        let open = self.load(host, owner)?;
        self.open.insert(owner, Open { now, ..open });
        Ok(())
    }

    pub(super) fn resurrect<H: LedgerHost>(
        &mut self,
        host: &mut H,
        owner: Address,
        sealed: Amount,
        proof: &H::Proof,
    ) -> Result<(), LedgerError<H::Error>> {
        let Some(words) = self.words else {
            let tier = Tier::Utxo;
            return Err(LedgerError::NeverSealed { tier });
        };
        let balance = |amount| Object::Erc20Balance { owner, amount };
        let live = words.read(host, ObjectKey::Erc20Balance { owner })?;
        words.resurrect(host, live.map(balance), balance(sealed), proof)
    }

    /// Turns the changes of the block into records, owner by owner, by ascending address.
    pub(super) fn settle<H: LedgerHost>(self, host: &mut H) -> Result<(), LedgerError<H::Error>> {
        self.check_block(host)?;
        let mut open: Vec<_> = self.open.into_iter().collect();
        open.sort_unstable_by_key(|(owner, _)| *owner);
        for (owner, Open { coins, before, now }) in open {
            let got = coins.len();
            let settlement = coins::settle(coins, before, now).ok_or(LedgerError::Records {
                key: ObjectKey::Erc20Balance { owner },
                got,
            })?;
            for record in settlement.spend {
                host.spend(record)?;
            }
            let amount = settlement.append;
            if let Ok(record) = (Object::Erc20Balance { owner, amount }).to_record() {
                host.append(self.contract, record)?;
            }
        }
        Ok(())
    }

    fn check_block<H: LedgerHost>(&self, host: &mut H) -> Result<(), LedgerError<H::Error>> {
        super::check_block(self.block, host.block())
    }

    /// The balance at the beginning of the block.
    fn load<H: LedgerHost>(
        &self,
        host: &mut H,
        owner: Address,
    ) -> Result<Open, LedgerError<H::Error>> {
        let key = ObjectKey::Erc20Balance { owner };
        let records = host.records(self.contract, key)?;
        let wrong = LedgerError::Records {
            key,
            got: records.len(),
        };
        let coins: Option<Vec<_>> = records.iter().map(|record| coin(record, key)).collect();
        let Some(coins) = coins else {
            return Err(wrong);
        };
        let sum = |sum: Amount, coin: &Coin| sum.checked_add(coin.amount);
        let Some(before) = coins.iter().try_fold(Amount::ZERO, sum) else {
            return Err(wrong);
        };
        Ok(Open {
            coins,
            before,
            now: before,
        })
    }
}

fn coin(record: &HeldRecord, key: ObjectKey) -> Option<Coin> {
    match record.object {
        Object::Erc20Balance { amount, .. } if record.object.key() == key => Some(Coin {
            index: record.index,
            amount,
        }),
        _ => None,
    }
}
