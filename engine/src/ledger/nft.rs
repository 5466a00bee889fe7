//! An ERC-721 collection.

use super::{LedgerError, LedgerHost, hub, token::not_zero, unique::Uniques};
use alloy_primitives::{Address, U256};
use thinstate_formats::{
    object::{ObjectClass, ObjectKey},
    policy::{Policy, PolicyError},
};

/// Slots: the mapping of owners as OpenZeppelin's ERC-721 declares it, the next id behind its last.
const OWNERS: U256 = U256::from_limbs([2, 0, 0, 0]);
const NEXT_ID: U256 = U256::from_limbs([6, 0, 0, 0]);

/// The tokens of one collection, for one block. [`Self::settle`] ends it.
#[derive(Clone, Debug)]
#[must_use = "changes of records take effect when the ledger is settled"]
pub struct NftLedger {
    contract: Address,
    owners: Uniques<Address>,
}

impl NftLedger {
    /// The ledger of the collection at `contract`.
    pub fn new(contract: Address, policy: &Policy) -> Result<Self, PolicyError> {
        policy.check(0)?;
        let owners = Uniques::new(contract, ObjectClass::Erc721Owner, OWNERS, policy);
        Ok(Self { contract, owners })
    }

    /// Whose a token is; `None` where it has no live version: never minted, burned, or sealed.
    pub fn owner_of<H: LedgerHost>(
        &self,
        host: &mut H,
        id: u64,
    ) -> Result<Option<Address>, LedgerError<H::Error>> {
        self.owners.get(host, ObjectKey::Erc721Owner { id })
    }

    /// How many tokens were ever minted: the ids below.
    pub fn minted<H: LedgerHost>(&self, host: &mut H) -> Result<u64, LedgerError<H::Error>> {
        hub::next_id(host, self.contract, NEXT_ID)
    }

    /// Makes a token, and says which.
    pub fn mint<H: LedgerHost>(
        &mut self,
        host: &mut H,
        to: Address,
    ) -> Result<u64, LedgerError<H::Error>> {
        not_zero(to)?;
        let id = hub::next_id(host, self.contract, NEXT_ID)?;
        let key = ObjectKey::Erc721Owner { id };
        self.owners.set(host, key, Some(to))?;
        hub::give_out(host, self.contract, NEXT_ID, id)?;
        Ok(id)
    }

    /// Gives a token to another owner.
    pub fn transfer<H: LedgerHost>(
        &mut self,
        host: &mut H,
        from: Address,
        to: Address,
        id: u64,
    ) -> Result<(), LedgerError<H::Error>> {
        not_zero(to)?;
        let key = self.owned(host, from, id)?;
        self.owners.set(host, key, Some(to))
    }

    /// Destroys a token for good.
    pub fn burn<H: LedgerHost>(
        &mut self,
        host: &mut H,
        from: Address,
        id: u64,
    ) -> Result<(), LedgerError<H::Error>> {
        let key = self.owned(host, from, id)?;
        self.owners.set(host, key, None)
    }

    /// Brings back a sealed token. `owner` is what the leaf holds.
    pub fn resurrect<H: LedgerHost>(
        &mut self,
        host: &mut H,
        id: u64,
        owner: Address,
        proof: &H::Proof,
    ) -> Result<(), LedgerError<H::Error>> {
        let key = ObjectKey::Erc721Owner { id };
        self.owners.resurrect(host, key, owner, proof)
    }

    /// Ends the block: what changed becomes records, where tokens are records.
    pub fn settle<H: LedgerHost>(self, host: &mut H) -> Result<(), LedgerError<H::Error>> {
        self.owners.settle(host)
    }

    fn owned<H: LedgerHost>(
        &self,
        host: &mut H,
        owner: Address,
        id: u64,
    ) -> Result<ObjectKey, LedgerError<H::Error>> {
        let key = ObjectKey::Erc721Owner { id };
        let got = self.owners.live(host, key)?;
        if got != owner {
            return Err(LedgerError::NotOwner {
                id,
                expected: owner,
                got,
            });
        }
        Ok(key)
    }
}
