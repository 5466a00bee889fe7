//! Keys without preimages: those that may lead to a block's slots are hashed, and compared.
//!
//! Two sets of guesses, for each contract with slots that nothing else explains:
//!
//! 1. **Known mappings**, of the registry or learned: the block's addresses as holders (accounts it
//!    touched, what its logs name, what its slots hold), ids that its logs name, and as allowances
//!    those whose log sent tokens, with every account that the same index touched. Of a contract
//!    without logs, allowances of all accounts that an index touched to each other, if they are few.
//! 2. **Unknown tokens**: the holders and ids that the contract's own logs name, in mappings at slots
//!    below 304, at OpenZeppelin's namespaces, in both orders, and as Solady's ERC-20 does it.
//!
//! A hit is a preimage, as good as one that an execution reveals: two inputs with one hash are not
//! going to be met. Costs one keccak256 for each guess, in SIMD lanes; a guess of two keys one more.

use super::{
    Place, Scheme, SlotKind,
    book::LayoutBook,
    events::{ContractEvents, Events},
    guess::{Guess, guesses, ids, multi_keys, one_key},
    place::{
        SOLADY_ALLOWANCE_SEED, SOLADY_BALANCE_SEED, as_address, solady_allowance, solady_balance,
    },
    plain,
    uses::{Entry, Uses},
};
use alloy_primitives::{Address, B256, U256};
use std::collections::{BTreeMap, BTreeSet};
use thinstate_formats::{keccak::BatchHasher, trace::BlockTrace};

/// Accounts that an index touches, up to which each is tried as owner and as spender: their pairs grow
/// with the square.
const PAIRED_ACCOUNTS: usize = 48;

/// What a search goes by.
struct Search<'a> {
    hasher: BatchHasher,
    book: &'a LayoutBook,
    events: &'a Events,
    /// Addresses that may be holders.
    holders: BTreeSet<Address>,
    /// Accounts by the index that touched them.
    touched: BTreeMap<u64, Vec<Address>>,
    /// Indexes by the contract whose slots they touched.
    indexes: BTreeMap<Address, BTreeSet<u64>>,
}

/// Looks for the keys of slots that have none. What is found is put into `uses`.
pub(super) fn fill(uses: &mut Uses, trace: &BlockTrace, events: &Events, book: &LayoutBook) {
    let mut wanted: BTreeMap<Address, BTreeSet<U256>> = BTreeMap::new();
    for ((contract, number), slot) in uses.iter() {
        let explained = slot.entry.is_some() || slot.array.is_some();
        if !explained && plain::by_number(*number).is_none() {
            wanted.entry(*contract).or_default().insert(*number);
        }
    }
    if wanted.is_empty() {
        return;
    }
    let search = Search::new(uses, trace, events, book);
    for (contract, mut slots) in wanted {
        for (number, entry) in search.contract(contract, &mut slots) {
            if let Some(slot) = uses.get_mut(&(contract, number)) {
                slot.entry = Some(entry);
            }
        }
    }
}

impl<'a> Search<'a> {
    fn new(uses: &Uses, trace: &BlockTrace, events: &'a Events, book: &'a LayoutBook) -> Self {
        let mut touched: BTreeMap<u64, Vec<Address>> = BTreeMap::new();
        for group in &trace.accesses {
            let accounts = group.accounts.iter().map(|it| it.address);
            touched.insert(group.index.get(), accounts.collect());
        }
        let mut indexes: BTreeMap<Address, BTreeSet<u64>> = BTreeMap::new();
        for ((contract, _), slot) in uses {
            let of_slot = slot.moves.iter().map(|it| it.index);
            indexes.entry(*contract).or_default().extend(of_slot);
        }
        let values = uses.values().flat_map(|slot| &slot.moves);
        let values = values.flat_map(|it| [it.before, it.after]);
        let holders = touched
            .values()
            .flatten()
            .copied()
            .chain(events.addresses())
            .chain(values.filter_map(|value| as_address(value.into())))
            .collect();
        Self {
            hasher: BatchHasher::new(),
            book,
            events,
            holders,
            touched,
            indexes,
        }
    }

    /// The entries that are found among the wanted slots of a contract, which are taken out.
    fn contract(&self, contract: Address, wanted: &mut BTreeSet<U256>) -> Vec<(U256, Entry)> {
        let mut found = Vec::new();
        self.take(self.known(contract), wanted, &mut found);
        let Some(events) = self.events.of(contract) else {
            return found;
        };
        self.take(one_key(events), wanted, &mut found);
        self.take_solady(events, wanted, &mut found);
        if !wanted.is_empty() {
            self.take(self.two_keys(events), wanted, &mut found);
        }
        found
    }

    /// Guesses in the contract's known mappings.
    fn known(&self, contract: Address) -> Vec<Guess> {
        let none = ContractEvents::default();
        let logged = self.events.of(contract);
        let events = logged.unwrap_or(&none);
        let mut guesses = Vec::new();
        for (place, (kind, _)) in self.book.layouts(contract) {
            let keys: Vec<Vec<B256>> = match (kind, place.offsets.len()) {
                (SlotKind::Erc721Owner, _) => ids(events).map(|id| vec![id]).collect(),
                (SlotKind::Erc1155Balance, _) => multi_keys(events).collect(),
                (_, 1) => self.holders.iter().map(|it| vec![it.into_word()]).collect(),
                (_, 2) => match logged {
                    Some(events) => self.pairs(events).into_iter().collect(),
                    None => self.pairs_of_touched(contract).into_iter().collect(),
                },
                _ => Vec::new(),
            };
            guesses.extend(keys.into_iter().map(|keys| Guess {
                place: place.clone(),
                keys,
            }));
        }
        guesses
    }

    /// Guesses of two keys in mappings that are not known.
    fn two_keys(&self, events: &ContractEvents) -> Vec<Guess> {
        let keys: BTreeSet<_> = self.pairs(events).into_iter().collect();
        guesses(keys.into_iter().chain(multi_keys(events)))
    }

    /// Owners and spenders: of approvals, and whoever was there when tokens were sent.
    fn pairs(&self, events: &ContractEvents) -> BTreeSet<Vec<B256>> {
        let mut pairs = BTreeSet::new();
        let approved = events.approvals.keys().chain(events.operators.keys());
        for (_, owner, spender) in approved {
            pairs.insert(vec![owner.into_word(), spender.into_word()]);
        }
        for ((index, owner), flow) in &events.flows {
            if flow.sent.is_zero() {
                continue;
            }
            for spender in self.touched.get(index).into_iter().flatten() {
                pairs.insert(vec![owner.into_word(), spender.into_word()]);
            }
        }
        pairs
    }

    /// Owners and spenders of a contract that logged nothing: whoever was there together.
    fn pairs_of_touched(&self, contract: Address) -> BTreeSet<Vec<B256>> {
        let mut pairs = BTreeSet::new();
        for index in self.indexes.get(&contract).into_iter().flatten() {
            let touched = self.touched.get(index).map_or(&[][..], Vec::as_slice);
            if touched.len() > PAIRED_ACCOUNTS {
                continue;
            }
            for owner in touched {
                let with = |spender: &Address| vec![owner.into_word(), spender.into_word()];
                pairs.extend(touched.iter().map(with));
            }
        }
        pairs
    }

    /// Hashes guesses, and takes those that are wanted.
    fn take(
        &self,
        guesses: Vec<Guess>,
        wanted: &mut BTreeSet<U256>,
        found: &mut Vec<(U256, Entry)>,
    ) {
        if wanted.is_empty() {
            return;
        }
        let (solady, hashed): (Vec<_>, Vec<_>) = guesses
            .into_iter()
            .partition(|guess| guess.place.scheme == Scheme::Solady);
        for guess in solady {
            self.try_solady(guess, wanted, found);
        }
        let slots = self.slots(&hashed);
        for (guess, slot) in hashed.into_iter().zip(slots) {
            if wanted.remove(&slot) {
                found.push((slot, guess.entry()));
            }
        }
    }

    /// Where guesses lead: all first keys at once, then all second ones.
    fn slots(&self, guesses: &[Guess]) -> Vec<U256> {
        let mut bases: Vec<U256> = guesses.iter().map(|guess| guess.place.base).collect();
        let depth = guesses.iter().map(|guess| guess.keys.len()).max();
        let mut hashes = Vec::new();
        for level in 0..depth.unwrap_or_default() {
            let (at, messages): (Vec<_>, Vec<_>) = guesses
                .iter()
                .enumerate()
                .filter_map(|(at, guess)| {
                    let key = *guess.keys.get(level)?;
                    Some((at, Place::message(guess.place.scheme, bases[at], key)))
                })
                .unzip();
            self.hasher.hash_fixed::<64, _>(&messages, &mut hashes);
            for (at, hash) in at.into_iter().zip(&hashes) {
                let offset = guesses[at].place.offsets.get(level).copied();
                let offset = U256::from(offset.unwrap_or_default());
                bases[at] = U256::from_be_bytes(hash.0).wrapping_add(offset);
            }
        }
        bases
    }

    fn take_solady(
        &self,
        events: &ContractEvents,
        wanted: &mut BTreeSet<U256>,
        found: &mut Vec<(U256, Entry)>,
    ) {
        if wanted.is_empty() {
            return;
        }
        let balances = events
            .flows
            .keys()
            .map(|(_, holder)| vec![holder.into_word()]);
        let balances: BTreeSet<_> = balances.collect();
        for keys in balances.into_iter().chain(self.pairs(events)) {
            let seed = match keys.len() {
                1 => SOLADY_BALANCE_SEED,
                _ => SOLADY_ALLOWANCE_SEED,
            };
            let place = Place::simple(Scheme::Solady, U256::from(seed), keys.len());
            self.try_solady(Guess { place, keys }, wanted, found);
        }
    }

    fn try_solady(
        &self,
        guess: Guess,
        wanted: &mut BTreeSet<U256>,
        found: &mut Vec<(U256, Entry)>,
    ) {
        let mut hashes = Vec::new();
        match *guess.keys {
            [owner] => {
                let message = solady_balance(Address::from_word(owner));
                self.hasher.hash_fixed::<32, _>(&[message], &mut hashes);
            }
            [owner, spender] => {
                let [owner, spender] = [owner, spender].map(Address::from_word);
                let message = solady_allowance(owner, spender);
                self.hasher.hash_fixed::<52, _>(&[message], &mut hashes);
            }
            _ => {}
        }
        if let [hash] = *hashes
            && wanted.remove(&U256::from_be_bytes(hash.0))
        {
            found.push((U256::from_be_bytes(hash.0), guess.entry()));
        }
    }
}
