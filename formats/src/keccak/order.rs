//! In which order a batch is hashed, and which of its messages are not worth a lane.

use super::sponge::blocks;
use core::cmp::Reverse;

/// Messages of up to this many blocks are put in order by counting: all nodes of a trie (a full
/// branch is four blocks). Longer ones are code, and few.
const COUNTED_BLOCKS: usize = 4;

/// The order in which the messages of a batch are hashed.
#[derive(Debug)]
pub(super) enum Order {
    /// As they come: all have the same number of blocks.
    AsGiven,
    /// Indices of the messages, those with most blocks first; ties as they come.
    LongestFirst(Vec<usize>),
}

impl Order {
    /// The order for `count` messages of the lengths that `len` gives.
    pub(super) fn new(count: usize, len: impl Fn(usize) -> usize) -> Self {
        let blocks = |index| blocks(len(index));
        if (1..count).all(|index| blocks(index) == blocks(0)) {
            return Self::AsGiven;
        }
        Self::LongestFirst(longest_first(count, blocks))
    }

    /// Index of the message at `position`.
    #[inline]
    pub(super) fn at(&self, position: usize) -> usize {
        match self {
            Self::AsGiven => position,
            Self::LongestFirst(order) => order[position],
        }
    }
}

/// A counting sort, whose first class (longer than [`COUNTED_BLOCKS`]) is then sorted by comparison.
fn longest_first(count: usize, blocks: impl Fn(usize) -> usize) -> Vec<usize> {
    let class = |index| COUNTED_BLOCKS + 1 - blocks(index).min(COUNTED_BLOCKS + 1);
    let mut starts = [0; COUNTED_BLOCKS + 2];
    for index in 0..count {
        starts[class(index) + 1] += 1;
    }
    let long = starts[1];
    for class in 1..starts.len() {
        starts[class] += starts[class - 1];
    }
    let mut order = vec![0; count];
    for index in 0..count {
        let position = &mut starts[class(index)];
        order[*position] = index;
        *position += 1;
    }
    order[..long].sort_by_key(|&index| Reverse(blocks(index)));
    order
}

/// How many messages at the head of a window are cheaper hashed one at a time.
///
/// `window` holds numbers of blocks, most first; `cost` is that of one permutation of all lanes in
/// hundredths of one in scalar code. The lanes run as long as the longest message left to them, and
/// cost the same whether full or not, so what leaves the lanes is a head of the window: a few
/// messages far longer than the rest, or all where few remain. While more messages follow, the last
/// one stays: they fill up the lanes beside it.
pub(super) fn scalar_head(window: &[usize], more_follow: bool, cost: usize) -> usize {
    let mut scalar = 0;
    let mut best = (usize::MAX, 0);
    for head in 0..=window.len() - usize::from(more_follow) {
        let longest = window.get(head).copied().unwrap_or(0);
        best = best.min((100 * scalar + cost * longest, head));
        scalar += longest;
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_block_counts_are_not_reordered() {
        assert!(matches!(Order::new(0, |_| 0), Order::AsGiven));
        assert!(matches!(Order::new(3, |index| 100 + index), Order::AsGiven));
    }

    #[test]
    fn no_message_is_lost_and_none_comes_before_a_longer_one() {
        let lens = [
            0, 5_000, 135, 136, 24_576, 532, 300, 10_000, 271, 272, 5_001,
        ];
        let order = Order::new(lens.len(), |index| lens[index]);
        let order: Vec<_> = (0..lens.len()).map(|at| order.at(at)).collect();
        assert_eq!(order, [4, 7, 1, 10, 5, 6, 9, 3, 8, 0, 2]);
    }

    #[test]
    fn a_full_window_of_equals_never_leaves_the_lanes() {
        assert_eq!(scalar_head(&[4; 8], false, 140), 0);
    }

    #[test]
    fn one_message_never_occupies_all_lanes() {
        assert_eq!(scalar_head(&[1], false, 140), 1);
        assert_eq!(scalar_head(&[1, 1], false, 140), 0);
    }

    #[test]
    fn one_long_message_never_holds_up_the_lanes_of_short_ones() {
        assert_eq!(scalar_head(&[181, 1, 1, 1, 1, 1, 1, 1], true, 140), 1);
        assert_eq!(scalar_head(&[4, 3, 3, 3, 3, 3, 3, 3], true, 140), 0);
        assert_eq!(scalar_head(&[181, 1], true, 140), 1);
    }
}
