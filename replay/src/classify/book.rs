//! Layouts as they are learned: what logs have shown of each mapping, over all blocks so far.

use super::{Basis, Place, Registry, SlotKind};
use alloy_primitives::Address;
use core::cmp::Reverse;
use std::{collections::BTreeMap, fmt::Write as _};
use thinstate_formats::BlockNumber;

/// Known and learned layouts of contracts.
///
/// Begins with a registry, and is told by each block what its logs show of mappings. A mapping holds
/// one kind of thing:
///
/// 1. what the registry says;
/// 2. else what most of the logs have shown that name its entries and agree with their values. Of
///    several mappings of one contract that behave as balances, the one with the most such entries is
///    (a counter of what somebody bought moves with the balance, but only sometimes); the same of
///    owners and allowances, so that no object is in two slots;
/// 3. else what the trace's classes say of most of its entries, in blocks whose logs are not at hand;
/// 4. else a balance, if it is the contract's only mapping whose entries change whenever logs name
///    them, whatever the amount; an allowance, if it is the only one that is without limit;
/// 5. else a balance, if it is the contract's only mapping of which two entries moved by opposite
///    amounts in one transaction.
#[derive(Clone, Debug, Default)]
pub struct LayoutBook {
    registry: Registry,
    seen: BTreeMap<Address, BTreeMap<Place, Evidence>>,
}

/// What blocks have shown of one mapping.
#[derive(Clone, Debug, Default)]
pub(super) struct Evidence {
    /// Entries that a log names and that move as it says.
    pub(super) exact: BTreeMap<SlotKind, u64>,
    /// Entries that the trace has a class for, in blocks whose logs are not at hand.
    pub(super) earlier: BTreeMap<SlotKind, u64>,
    /// Entries that a log names and that move otherwise.
    pub(super) named: BTreeMap<SlotKind, u64>,
    /// Entries that a log names as moved, and that did not move.
    pub(super) against: u64,
    /// Pairs of entries that moved by opposite amounts.
    pub(super) opposite: u64,
    /// The first block that showed anything.
    pub(super) first: Option<BlockNumber>,
}

/// What a contract's mappings hold, and what says so.
pub(super) type Layouts = BTreeMap<Place, (SlotKind, Basis)>;

impl Evidence {
    /// What most entries speak for: the exact ones, or else those that the trace has a class for.
    fn most(&self) -> Option<(SlotKind, Basis)> {
        let most = |counts: &BTreeMap<SlotKind, u64>| {
            let most = counts
                .iter()
                .max_by_key(|(kind, count)| (**count, Reverse(**kind)));
            most.map(|(kind, _)| *kind)
        };
        let exact = most(&self.exact).map(|kind| (kind, Basis::Learned));
        exact.or_else(|| Some((most(&self.earlier)?, Basis::Earlier)))
    }

    /// How many entries speak for a kind: any exact one outweighs all others.
    fn weight(&self, kind: SlotKind) -> [u64; 2] {
        [&self.exact, &self.earlier].map(|it| it.get(&kind).copied().unwrap_or_default())
    }

    /// Whether nothing is known of its entries but that logs name them, or how they moved.
    fn is_silent(&self) -> bool {
        self.exact.is_empty() && self.earlier.is_empty()
    }

    fn named(&self, kind: SlotKind) -> u64 {
        self.named.get(&kind).copied().unwrap_or_default()
    }

    fn add(&mut self, other: Self, block: BlockNumber) {
        for (kind, count) in other.exact {
            *self.exact.entry(kind).or_default() += count;
        }
        for (kind, count) in other.earlier {
            *self.earlier.entry(kind).or_default() += count;
        }
        for (kind, count) in other.named {
            *self.named.entry(kind).or_default() += count;
        }
        self.against += other.against;
        self.opposite += other.opposite;
        self.first.get_or_insert(block);
    }
}

impl LayoutBook {
    /// A book that has learned nothing yet.
    pub fn new(registry: Registry) -> Self {
        Self {
            registry,
            seen: BTreeMap::new(),
        }
    }

    /// Takes in what a block shows.
    pub(super) fn learn(
        &mut self,
        block: BlockNumber,
        shown: BTreeMap<(Address, Place), Evidence>,
    ) {
        for ((contract, place), evidence) in shown {
            let known = self.seen.entry(contract).or_default();
            known.entry(place).or_default().add(evidence, block);
        }
    }

    /// What the mappings of a contract hold.
    pub(super) fn layouts(&self, contract: Address) -> Layouts {
        let known = self.registry.of(contract);
        let mut layouts: Layouts = known
            .map(|(place, kind)| (place.clone(), (kind, Basis::Registry)))
            .collect();
        let Some(seen) = self.seen.get(&contract) else {
            return layouts;
        };
        for kind in SlotKind::ALL {
            let known = layouts.values().any(|it| it.0 == kind);
            let spoken = seen.iter().filter_map(|(place, evidence)| {
                let (of, basis) = evidence.most()?;
                (of == kind).then_some((place, evidence, basis))
            });
            if !ONE_MAPPING.contains(&kind) {
                for (place, _, basis) in spoken {
                    layouts.entry(place.clone()).or_insert((kind, basis));
                }
            } else if let Some((place, basis)) = one_of(kind, spoken, seen)
                && !known
            {
                layouts.entry(place.clone()).or_insert((kind, basis));
            }
        }
        layouts
    }

    /// Number of contracts of which something was learned that neither the registry nor the trace says.
    pub fn learned(&self) -> usize {
        let learned = |contract: &&Address| {
            let layouts = self.layouts(**contract);
            let told = [Basis::Registry, Basis::Earlier];
            layouts.values().any(|it| !told.contains(&it.1))
        };
        self.seen.keys().filter(learned).count()
    }

    /// What was learned from entries that move as logs say, as a registry: `entries` of them at least.
    ///
    /// What the book's own registry says already is left out.
    pub fn to_toml(&self, entries: u64) -> String {
        let mut text = String::new();
        for (contract, seen) in &self.seen {
            let layouts = self.layouts(*contract);
            let mut lines = Vec::new();
            let mut first = None;
            let mut shown = 0;
            for (place, (kind, basis)) in &layouts {
                let Some(evidence) = seen.get(place).filter(|_| *basis == Basis::Learned) else {
                    continue;
                };
                let count = evidence.exact.get(kind).copied().unwrap_or_default();
                if count < entries {
                    continue;
                }
                first = first.into_iter().chain(evidence.first).min();
                shown += count;
                lines.push(layout_line(place, *kind));
            }
            if let Some(first) = first {
                let _ = write!(
                    text,
                    "[[contract]]\naddress = \"{contract:#x}\"\nsource = \"observed: {shown} entries \
                     from block {first} on\"\nlayouts = [{}]\n\n",
                    lines.join(", ")
                );
            }
        }
        text
    }
}

/// Kinds of which a contract has one mapping: their keys identify an object, and two slots of one
/// object would be a contradiction.
const ONE_MAPPING: [SlotKind; 4] = [
    SlotKind::Erc20Balance,
    SlotKind::Erc721Owner,
    SlotKind::Erc1155Balance,
    SlotKind::Allowance,
];

/// The contract's mapping of a kind: the one of `spoken` with most entries, or else one of `seen` that
/// nothing speaks about.
fn one_of<'a>(
    kind: SlotKind,
    spoken: impl Iterator<Item = (&'a Place, &'a Evidence, Basis)>,
    seen: &'a BTreeMap<Place, Evidence>,
) -> Option<(&'a Place, Basis)> {
    // Of equals the first in order: the same in every run.
    let best = spoken.max_by_key(|(place, evidence, _)| {
        (evidence.weight(kind), Reverse((evidence.against, *place)))
    });
    if let Some((place, _, basis)) = best {
        return Some((place, basis));
    }
    let silent = || seen.iter().filter(|(_, it)| it.is_silent());
    let named = silent().filter(|(_, it)| it.named(kind) > it.against);
    if let Some(place) = only(named.map(|(place, _)| place)) {
        return Some((place, Basis::Named));
    }
    let is_balance = kind == SlotKind::Erc20Balance;
    let opposite = silent().filter(|(_, it)| is_balance && it.opposite > 0 && it.against == 0);
    only(opposite.map(|(place, _)| place)).map(|place| (place, Basis::Shape))
}

fn only<T>(mut items: impl Iterator<Item = T>) -> Option<T> {
    let first = items.next()?;
    items.next().is_none().then_some(first)
}

fn layout_line(place: &Place, kind: SlotKind) -> String {
    let mut line = format!("{{ kind = \"{kind}\", base = \"{:#x}\"", place.base);
    if place.scheme != super::Scheme::Solidity {
        let _ = write!(line, ", scheme = \"{}\"", place.scheme);
    }
    if place.offsets.iter().any(|offset| *offset != 0) {
        let _ = write!(line, ", offsets = {:?}", place.offsets);
    }
    line + " }"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::Scheme;
    use alloy_primitives::U256;

    const TOKEN: Address = Address::repeat_byte(0x70);

    fn place(base: u64) -> Place {
        Place::simple(Scheme::Solidity, U256::from(base), 1)
    }

    fn exact(kind: SlotKind, count: u64) -> Evidence {
        Evidence {
            exact: [(kind, count)].into(),
            ..Evidence::default()
        }
    }

    fn named(count: u64, against: u64) -> Evidence {
        Evidence {
            named: [(SlotKind::Erc20Balance, count)].into(),
            against,
            ..Evidence::default()
        }
    }

    fn book(shown: &[(u64, Evidence)]) -> LayoutBook {
        let mut book = LayoutBook::default();
        for (base, evidence) in shown {
            let shown = [((TOKEN, place(*base)), evidence.clone())];
            book.learn(BlockNumber(7), shown.into());
        }
        book
    }

    #[test]
    fn no_contract_has_two_mappings_of_balances() {
        let balance = SlotKind::Erc20Balance;
        let book = book(&[
            (1, exact(balance, 1)),
            (2, exact(balance, 3)),
            (3, named(9, 0)),
        ]);
        let layouts = book.layouts(TOKEN);
        assert_eq!(layouts.len(), 1);
        assert_eq!(layouts[&place(2)], (balance, Basis::Learned));
    }

    #[test]
    fn two_that_are_merely_named_are_none() {
        assert_eq!(book(&[(1, named(4, 1))]).layouts(TOKEN).len(), 1);
        assert_eq!(book(&[(1, named(4, 4))]).layouts(TOKEN).len(), 0);
        let two = book(&[(1, named(4, 0)), (2, named(9, 0))]);
        assert!(two.layouts(TOKEN).is_empty());
    }

    #[test]
    fn what_an_earlier_run_knew_weighs_less_than_logs_and_more_than_guesses() {
        let balance = SlotKind::Erc20Balance;
        let earlier = |count| Evidence {
            earlier: [(balance, count)].into(),
            ..Evidence::default()
        };
        let one = book(&[(1, named(9, 0)), (2, earlier(1)), (3, earlier(4))]);
        assert_eq!(
            one.layouts(TOKEN),
            [(place(3), (balance, Basis::Earlier))].into()
        );
        assert_eq!(one.learned(), 0, "not by this one");
        assert_eq!(one.to_toml(1), "", "nor to be passed on as observed");
        let other = book(&[(1, exact(balance, 1)), (3, earlier(4))]);
        assert_eq!(
            other.layouts(TOKEN),
            [(place(1), (balance, Basis::Learned))].into()
        );
    }

    #[test]
    fn what_is_learned_does_not_get_lost_in_a_registry() {
        let book = book(&[
            (1, exact(SlotKind::Erc20Balance, 3)),
            (2, exact(SlotKind::Erc721Owner, 1)),
        ]);
        let text = book.to_toml(2);
        let registry = Registry::parse(&text).expect("a registry");
        let known: Vec<_> = registry.of(TOKEN).collect();
        assert_eq!(known, [(&place(1), SlotKind::Erc20Balance)]);
        assert!(text.contains("3 entries from block 7 on"), "{text}");
    }

    #[test]
    fn the_registry_is_not_overruled() {
        let known = LayoutBook::to_toml(&book(&[(5, exact(SlotKind::Erc20Balance, 1))]), 1);
        let mut book = LayoutBook::new(Registry::parse(&known).expect("a registry"));
        let shown = [((TOKEN, place(6)), exact(SlotKind::Erc20Balance, 99))];
        book.learn(BlockNumber(8), shown.into());
        let layouts = book.layouts(TOKEN);
        assert_eq!(layouts.len(), 1);
        assert_eq!(layouts[&place(5)].1, Basis::Registry);
        assert_eq!(book.learned(), 0);
    }
}
