//! Guesses: keys, and mappings in which they may lead to a slot.

use super::{Place, Scheme, events::ContractEvents, plain, uses::Entry};
use alloy_primitives::{B256, U256};
use std::collections::BTreeSet;

/// Declared slots at which mappings of unknown tokens are looked for: OpenZeppelin's upgradeable
/// contracts begin at multiples of 50, plus one.
const BASES: u64 = 304;

/// A slot that keys may lead to.
pub(super) struct Guess {
    /// The mapping.
    pub(super) place: Place,
    /// The keys, outermost first.
    pub(super) keys: Vec<B256>,
}

impl Guess {
    /// The entry, with its preimages where the trace's format has words for them.
    pub(super) fn entry(self) -> Entry {
        let mut base = self.place.base;
        let mut found = Vec::new();
        for (key, offset) in self.keys.iter().zip(&self.place.offsets) {
            if let Some(level) = Place::preimage(self.place.scheme, base, *key) {
                base = level.hash().wrapping_add(U256::from(*offset));
                found.push(level);
            }
        }
        Entry {
            place: self.place,
            keys: self.keys,
            found: Some(found),
        }
    }
}

/// Holders and ids that the contract's logs name, in mappings that are not known.
pub(super) fn one_key(events: &ContractEvents) -> Vec<Guess> {
    let holders: BTreeSet<_> = events.holders().map(|it| it.into_word()).collect();
    guesses(holders.into_iter().chain(ids(events)).map(|key| vec![key]))
}

/// Keys in all mappings that tokens are known to use.
pub(super) fn guesses(keys: impl Iterator<Item = Vec<B256>>) -> Vec<Guess> {
    let erc20 = plain::namespace("openzeppelin.storage.ERC20");
    let erc721 = plain::namespace("openzeppelin.storage.ERC721");
    // ERC20Storage: balances, allowances. ERC721Storage: name, symbol, owners, balances, approvals,
    // operators.
    let namespaced = (0..2)
        .map(|member| erc20 + U256::from(member))
        .chain((2..6).map(|member| erc721 + U256::from(member)));
    let bases: Vec<_> = (0..BASES).map(U256::from).chain(namespaced).collect();
    keys.flat_map(|keys| {
        let places = bases
            .iter()
            .flat_map(move |base| [Scheme::Solidity, Scheme::Vyper].map(|scheme| (scheme, *base)));
        let guess = move |(scheme, base)| Guess {
            place: Place::simple(scheme, base, keys.len()),
            keys: keys.clone(),
        };
        places.map(guess).collect::<Vec<_>>()
    })
    .collect()
}

pub(super) fn ids(events: &ContractEvents) -> impl Iterator<Item = B256> {
    events.tokens.keys().map(|(_, id)| *id)
}

/// Holder and id in both orders, as contracts nest them in both.
pub(super) fn multi_keys(events: &ContractEvents) -> impl Iterator<Item = Vec<B256>> {
    events
        .multi
        .keys()
        .flat_map(|(_, holder, id)| [vec![*id, holder.into_word()], vec![holder.into_word(), *id]])
}
