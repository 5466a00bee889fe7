//! What a ledger refuses.

use alloy_primitives::{Address, U256};
use thinstate_formats::{
    BlockNumber,
    object::{Amount, AmountTooLarge, CollateralTooLarge, MergeError, ObjectKey, Tier, WordError},
};

/// A call of a ledger fails. Nothing has changed, except after [`LedgerError::Host`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError<E> {
    /// The block that the ledger runs in failed. Give the block up, unless it refused a resurrection.
    #[error(transparent)]
    Host(#[from] E),
    /// The zero address owns nothing. To destroy, burn.
    #[error("the zero address cannot own anything, expected another")]
    ZeroAddress,
    /// The owner has less. What is sealed does not count: resurrect it first.
    #[error("{owner} has {got}, expected at least {expected}")]
    Balance {
        /// Who.
        owner: Address,
        /// What is to go.
        expected: Amount,
        /// What is there.
        got: Amount,
    },
    /// The spender may take less.
    #[error("{spender} may take {got} of {owner}, expected at least {expected}")]
    Allowance {
        /// Whose balance.
        owner: Address,
        /// Who takes.
        spender: Address,
        /// What is to go.
        expected: Amount,
        /// What is allowed.
        got: Amount,
    },
    /// A sum is no amount any more.
    #[error("{amount} and {more} are 2^248 or more together")]
    Overflow {
        /// What is there.
        amount: Amount,
        /// What comes to it.
        more: Amount,
    },
    /// The total supply is less than what is burned: the hub's slots are damaged.
    #[error("the total supply is {supply}, expected at least {burned}")]
    Supply {
        /// The total supply.
        supply: Amount,
        /// What is burned.
        burned: Amount,
    },
    /// There is no live version: never made, gone for good, or sealed.
    #[error("{key:?} has no live version, expected one")]
    NotLive {
        /// The object.
        key: ObjectKey,
    },
    /// Someone else's.
    #[error("token {id} belongs to {got}, expected {expected}")]
    NotOwner {
        /// The token.
        id: u64,
        /// Who wants to use it.
        expected: Address,
        /// Whose it is.
        got: Address,
    },
    /// A position would hold less than nothing, or more than fits.
    #[error("{field} is {got}, cannot add {add} and take {take}")]
    Adjustment {
        /// Collateral or debt.
        field: &'static str,
        /// What is there.
        got: u128,
        /// What comes.
        add: u128,
        /// What goes.
        take: u128,
    },
    /// A position's collateral does not fit.
    #[error(transparent)]
    Collateral(CollateralTooLarge),
    /// A position would hold nothing. Close it instead.
    #[error("a position without collateral and debt, expected either")]
    EmptyPosition,
    /// A position owes something. Repay it first.
    #[error("{key:?} owes {debt}, expected nothing")]
    Debt {
        /// The position.
        key: ObjectKey,
        /// Its debt.
        debt: u128,
    },
    /// The sealed version cannot be merged.
    #[error(transparent)]
    Merge(Box<MergeError>),
    /// Nothing is ever sealed where the objects live.
    #[error("objects of the {tier} tier are never sealed, expected the temporary tier")]
    NeverSealed {
        /// The tier.
        tier: Tier,
    },
    /// What the tier holds is no value of the class: something else than the ledger has written it.
    #[error("{key:?}: {error}")]
    Word {
        /// The object.
        key: ObjectKey,
        /// What is wrong.
        error: WordError,
    },
    /// A slot of the hub is no number that the ledger has written.
    #[error("slot {slot} of the hub is {got}, expected an amount below 2^248")]
    Hub {
        /// The slot.
        slot: U256,
        /// What it holds.
        got: U256,
    },
    /// All ids are given out, or something else than the ledger has written the slot.
    #[error("slot {slot} of the hub is {got}, expected an id of 64 bits that is still to be given")]
    NoMoreIds {
        /// The slot.
        slot: U256,
        /// What it holds.
        got: U256,
    },
    /// The source lists records of another object, or more than one of a unique one.
    #[error("the records listed for {key:?} are not its own, or too many: {got}")]
    Records {
        /// The object.
        key: ObjectKey,
        /// Records that were listed.
        got: usize,
    },
    /// A ledger serves one block. Settle it, and make another for the next one.
    #[error("the ledger holds changes of block {expected}, but this is block {got}")]
    OtherBlock {
        /// The ledger's.
        expected: BlockNumber,
        /// The host's.
        got: BlockNumber,
    },
}

impl<E> LedgerError<E> {
    pub(super) fn merge(error: MergeError) -> Self {
        Self::Merge(Box::new(error))
    }

    pub(super) fn too_large(amount: Amount, more: Amount) -> Self {
        Self::Overflow { amount, more }
    }
}

/// A slot of the hub as an amount.
pub(super) fn hub_amount<E>(slot: U256, got: U256) -> Result<Amount, LedgerError<E>> {
    Amount::new(got).map_err(|AmountTooLarge { got }| LedgerError::Hub { slot, got })
}
