//! An ERC-20 token.

use super::{LedgerError, LedgerHost, balances::Balances, error::hub_amount, words::Words};
use alloy_primitives::{Address, U256};
use thinstate_formats::{
    object::{Allowed, Amount, ObjectClass, ObjectKey},
    policy::{Policy, PolicyError},
};

/// Slots, as OpenZeppelin's ERC-20 declares them.
const BALANCES: U256 = U256::ZERO;
const ALLOWANCES: U256 = U256::ONE;
const TOTAL_SUPPLY: U256 = U256::from_limbs([2, 0, 0, 0]);

/// The balances and allowances of one token, for one block. [`Self::settle`] ends it.
///
/// Who calls is not checked here but by the contract: `from`, `owner` and `spender` are callers that
/// it has made sure of.
#[derive(Clone, Debug)]
#[must_use = "changes of records take effect when the ledger is settled"]
pub struct TokenLedger {
    contract: Address,
    balances: Balances,
    allowances: Words,
}

impl TokenLedger {
    /// The ledger of the token at `contract`.
    pub fn new(contract: Address, policy: &Policy) -> Result<Self, PolicyError> {
        policy.check(0)?;
        let class = ObjectClass::Allowance;
        let words = Words::of(contract, class, ALLOWANCES, policy);
        let allowances = words.ok_or_else(|| PolicyError::NotAllowed {
            class,
            got: policy.tier(class),
        })?;
        Ok(Self {
            contract,
            balances: Balances::new(contract, BALANCES, policy),
            allowances,
        })
    }

    /// What `owner` has: what is live. Sealed versions do not count until they are resurrected.
    pub fn balance_of<H: LedgerHost>(
        &self,
        host: &mut H,
        owner: Address,
    ) -> Result<Amount, LedgerError<H::Error>> {
        self.balances.get(host, owner)
    }

    /// What there is in all, live or sealed.
    pub fn total_supply<H: LedgerHost>(
        &self,
        host: &mut H,
    ) -> Result<Amount, LedgerError<H::Error>> {
        let supply = host.slot(self.contract, TOTAL_SUPPLY)?;
        hub_amount(TOTAL_SUPPLY, supply)
    }

    /// Moves an amount from one balance to another.
    pub fn transfer<H: LedgerHost>(
        &mut self,
        host: &mut H,
        from: Address,
        to: Address,
        amount: Amount,
    ) -> Result<(), LedgerError<H::Error>> {
        not_zero(to)?;
        let left = self.without(host, from, amount)?;
        if from == to || amount.is_zero() {
            return Ok(());
        }
        let more = self.with(host, to, amount)?;
        self.balances.set(host, from, left)?;
        self.balances.set(host, to, more)
    }

    /// Makes an amount.
    pub fn mint<H: LedgerHost>(
        &mut self,
        host: &mut H,
        to: Address,
        amount: Amount,
    ) -> Result<(), LedgerError<H::Error>> {
        not_zero(to)?;
        let supply = self.total_supply(host)?;
        let sum = supply.checked_add(amount);
        let sum = sum.ok_or_else(|| LedgerError::too_large(supply, amount))?;
        if amount.is_zero() {
            return Ok(());
        }
        let more = self.with(host, to, amount)?;
        host.set_slot(self.contract, TOTAL_SUPPLY, sum.get())?;
        self.balances.set(host, to, more)
    }

    /// Destroys an amount.
    pub fn burn<H: LedgerHost>(
        &mut self,
        host: &mut H,
        from: Address,
        amount: Amount,
    ) -> Result<(), LedgerError<H::Error>> {
        let left = self.without(host, from, amount)?;
        if amount.is_zero() {
            return Ok(());
        }
        let supply = self.total_supply(host)?;
        let burned = amount;
        let rest = supply.checked_sub(burned);
        let rest = rest.ok_or(LedgerError::Supply { supply, burned })?;
        host.set_slot(self.contract, TOTAL_SUPPLY, rest.get())?;
        self.balances.set(host, from, left)
    }

    /// What `spender` may take of `owner`'s balance.
    pub fn allowance<H: LedgerHost>(
        &self,
        host: &mut H,
        owner: Address,
        spender: Address,
    ) -> Result<Allowed, LedgerError<H::Error>> {
        let key = ObjectKey::Allowance { owner, spender };
        let allowed = self.allowances.read(host, key)?;
        Ok(allowed.unwrap_or(Allowed::Limited(Amount::ZERO)))
    }

    /// Lets `spender` take this much, in place of what it was. In the temporary tier it lapses, one
    /// to two periods after it was last set or used.
    pub fn approve<H: LedgerHost>(
        &mut self,
        host: &mut H,
        owner: Address,
        spender: Address,
        allowed: Allowed,
    ) -> Result<(), LedgerError<H::Error>> {
        not_zero(spender)?;
        let key = ObjectKey::Allowance { owner, spender };
        self.allowances.write(host, key, Some(allowed))
    }

    /// Moves an amount that `from` allows `spender` to move, which then may move less.
    pub fn transfer_from<H: LedgerHost>(
        &mut self,
        host: &mut H,
        spender: Address,
        from: Address,
        to: Address,
        amount: Amount,
    ) -> Result<(), LedgerError<H::Error>> {
        let left = match self.allowance(host, from, spender)? {
            Allowed::Unlimited => None,
            Allowed::Limited(got) => {
                let short = LedgerError::Allowance {
                    owner: from,
                    spender,
                    expected: amount,
                    got,
                };
                Some(got.checked_sub(amount).ok_or(short)?)
            }
        };
        self.transfer(host, from, to, amount)?;
        match left.filter(|_| !amount.is_zero()) {
            Some(left) => self.approve(host, from, spender, Allowed::Limited(left)),
            None => Ok(()),
        }
    }

    /// Adds a sealed balance to the live one. `sealed` is what the leaf holds.
    pub fn resurrect<H: LedgerHost>(
        &mut self,
        host: &mut H,
        owner: Address,
        sealed: Amount,
        proof: &H::Proof,
    ) -> Result<(), LedgerError<H::Error>> {
        self.balances.resurrect(host, owner, sealed, proof)
    }

    /// Ends the block: what changed becomes records, where balances are records.
    pub fn settle<H: LedgerHost>(self, host: &mut H) -> Result<(), LedgerError<H::Error>> {
        self.balances.settle(host)
    }

    /// The balance of `owner` less an amount.
    fn without<H: LedgerHost>(
        &self,
        host: &mut H,
        owner: Address,
        amount: Amount,
    ) -> Result<Amount, LedgerError<H::Error>> {
        let got = self.balances.get(host, owner)?;
        got.checked_sub(amount).ok_or(LedgerError::Balance {
            owner,
            expected: amount,
            got,
        })
    }

    /// The balance of `owner` and an amount.
    fn with<H: LedgerHost>(
        &self,
        host: &mut H,
        owner: Address,
        amount: Amount,
    ) -> Result<Amount, LedgerError<H::Error>> {
        let got = self.balances.get(host, owner)?;
        let sum = got.checked_add(amount);
        sum.ok_or_else(|| LedgerError::too_large(got, amount))
    }
}

pub(super) fn not_zero<E>(owner: Address) -> Result<(), LedgerError<E>> {
    if owner.is_zero() {
        return Err(LedgerError::ZeroAddress);
    }
    Ok(())
}
