//! Which subtrees of a window are cut: the largest that are cold, small enough, and seen whole.

use super::{
    ExpiryRule,
    window::{Group, Item},
};
use crate::trie::{codec::TrieId, path::Path};
use core::ops::Range;

/// What is cut of a group.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Selected {
    /// Runs of items, each all there is under one branch.
    pub(super) cuts: Vec<Range<usize>>,
    /// The first item that may belong to a larger cold subtree than was seen of it.
    pub(super) undecided: Option<usize>,
}

impl Selected {
    /// The items that are cut.
    pub(super) fn take(self, group: Group) -> Vec<(TrieId, Vec<Item>)> {
        let mut items = group.items.into_iter();
        let mut taken = 0;
        let mut cuts = Vec::with_capacity(self.cuts.len());
        for cut in self.cuts {
            let skip = cut.start - taken;
            let run = items.by_ref().skip(skip).take(cut.len()).collect();
            taken = cut.end;
            cuts.push((group.trie, run));
        }
        cuts
    }
}

/// Chooses what is cut of a group.
pub(super) fn select(group: &Group, rule: &ExpiryRule<'_>) -> Selected {
    let mut selected = Selected::default();
    let search = Search {
        items: &group.items,
        rule,
    };
    search.under(0..group.items.len(), group.left, group.right, &mut selected);
    selected
}

struct Search<'a> {
    items: &'a [Item],
    rule: &'a ExpiryRule<'a>,
}

impl Search<'_> {
    /// Looks at the items of a range, which are all of the window's under one prefix; `left` and
    /// `right` are neighbours under the same prefix that lie outside the window.
    ///
    /// `left` is where the last step ended, and may be gone since: where it was a stub that has
    /// been opened, its path is a prefix of the items that came out of it. They begin right behind
    /// it, so nothing under a longer prefix lies outside the window.
    fn under(
        &self,
        range: Range<usize>,
        left: Option<Path>,
        right: Option<Path>,
        selected: &mut Selected,
    ) {
        if range.is_empty() {
            return;
        }
        let small = range.len() <= self.rule.entries_max;
        let cold = small && self.items[range.clone()].iter().all(|item| item.cold);
        match (left, right) {
            (None, None) if cold && range.len() >= self.rule.entries_min => {
                return selected.cuts.push(range);
            }
            (None, Some(_)) if cold => return selected.undecided = Some(range.start),
            (None, None) if range.len() == 1 => return,
            _ => {}
        }
        let first = left.unwrap_or(self.items[range.start].path);
        let last = right.unwrap_or(self.items[range.end - 1].path);
        let fork = first.common_prefix(&last);
        let mut from = range.start;
        while from < range.end {
            let nibble = self.items[from].path.nibble(fork);
            let same = |item: &&Item| item.path.nibble(fork) == nibble;
            let to = from + self.items[from..range.end].iter().take_while(same).count();
            let beside = |neighbour: Option<Path>| {
                neighbour.filter(|p| p.len() > fork && p.nibble(fork) == nibble)
            };
            self.under(from..to, beside(left), beside(right), selected);
            from = to;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::B256;
    use proptest::prelude::*;
    use thinstate_formats::BlockNumber;

    /// An item whose key begins with these two bytes.
    fn item(at: u16, cold: bool) -> Item {
        let mut key = B256::ZERO;
        key[..2].copy_from_slice(&at.to_be_bytes());
        Item {
            path: Path::leaf(key),
            value: Vec::new(),
            cold,
            storage: Vec::new(),
        }
    }

    fn rule(entries_min: usize, entries_max: usize) -> ExpiryRule<'static> {
        ExpiryRule {
            entries_min,
            entries_max,
            ..ExpiryRule::written_before(BlockNumber(0))
        }
    }

    /// The largest cold subtrees of all items, by looking at every prefix from the shortest on.
    fn oracle(items: &[Item], rule: &ExpiryRule<'_>) -> Vec<Range<usize>> {
        let mut cuts: Vec<Range<usize>> = Vec::new();
        for len in 0..=4 {
            for start in 0..items.len() {
                let prefix = items[start].path.prefix(len);
                let under = |i: &usize| items[*i].path.starts_with(&prefix);
                let run: Vec<usize> = (0..items.len()).filter(under).collect();
                let range = run[0]..run[run.len() - 1] + 1;
                let fits = (rule.entries_min..=rule.entries_max).contains(&range.len());
                let cold = items[range.clone()].iter().all(|item| item.cold);
                let taken = cuts.iter().any(|cut| cut.contains(&start));
                if start == range.start && fits && cold && !taken {
                    cuts.push(range);
                }
            }
        }
        cuts.sort_by_key(|cut| cut.start);
        cuts
    }

    fn group(items: Vec<Item>, left: Option<Path>, right: Option<Path>) -> Group {
        Group::of_accounts(items, left, right)
    }

    #[test]
    fn a_stub_opened_behind_the_cursor_never_holds_the_search() {
        let left = item(0x1000, true).path.prefix(2);
        let items = vec![
            item(0x1000, true),
            item(0x1001, true),
            item(0x1010, true),
            item(0x1100, true),
        ];
        let selected = select(&group(items, Some(left), None), &rule(2, 2));
        assert_eq!(selected.cuts.as_slice(), core::slice::from_ref(&(0..2)));
        assert_eq!(selected.undecided, None);
    }

    proptest! {
        #[test]
        fn no_window_is_cut_otherwise_than_the_whole_would_be(
            entries in prop::collection::btree_map(0u16..0x400, prop::bool::weighted(0.9), 1..120),
            entries_min in 2usize..5,
            more in 0usize..12,
            step in 1usize..30,
        ) {
            let entries: Vec<_> = entries.into_iter().collect();
            let all = || entries.iter().map(|(at, cold)| item(*at, *cold)).collect::<Vec<_>>();
            let rule = rule(entries_min, entries_min + more);
            let step = step.max(rule.entries_max + 1);
            let (mut cuts, mut from) = (Vec::new(), 0);
            while from < entries.len() {
                let to = (from + step).min(entries.len());
                let items: Vec<_> = all().drain(from..to).collect();
                let at = |i: usize| all()[i].path;
                let left = from.checked_sub(1).map(at);
                let right = (to < entries.len()).then(|| at(to));
                let selected = select(&group(items, left, right), &rule);
                cuts.extend(selected.cuts.iter().map(|cut| cut.start + from..cut.end + from));
                let next = selected.undecided.map_or(to, |i| from + i);
                prop_assert!(next > from, "the sweep stands still");
                from = next;
            }
            prop_assert_eq!(cuts, oracle(&all(), &rule));
        }
    }
}
