use super::*;
use crate::HashKind;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// A field in a plain vector.
#[derive(Clone, Debug, Default)]
struct Model {
    bits: Vec<bool>,
}

impl Model {
    fn words(&self) -> Vec<Word> {
        let mut words = vec![[0; 32]; word_count(self.bits.len() as u64) as usize];
        for (index, _) in self.bits.iter().enumerate().filter(|(_, set)| **set) {
            let (word, byte, mask) = place(index as u64);
            words[word as usize][byte] |= mask;
        }
        words
    }

    fn changed(&self, to: &Self) -> Vec<(u64, Word)> {
        let before = self.words();
        let after = to.words();
        let padded = |words: &[Word], at: usize| words.get(at).copied().unwrap_or([0; 32]);
        (0..before.len().max(after.len()))
            .map(|at| (at as u64, padded(&before, at), padded(&after, at)))
            .filter(|(_, before, after)| before != after)
            .map(|(at, _, after)| (at, after))
            .collect()
    }
}

/// By recursion over the height, without constants or batches.
fn by_definition(hasher: &NodeHasher, words: &[Word], height: u32, first: usize) -> B256 {
    if height == 0 {
        return words.get(first).copied().unwrap_or([0; 32]).into();
    }
    let half = 1 << (height - 1);
    list::node(
        hasher,
        by_definition(hasher, words, height - 1, first),
        by_definition(hasher, words, height - 1, first + half),
    )
}

#[derive(Clone, Debug)]
enum Step {
    Flip(Vec<u16>),
    Resize(u16),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => prop::collection::vec(any::<u16>(), 0..12).prop_map(Step::Flip),
        1 => (0u16..12_000).prop_map(Step::Resize),
        1 => (0u16..300).prop_map(Step::Resize),
    ];
    prop::collection::vec(step, 1..20)
}

fn after(model: &Model, step: Step) -> Model {
    let mut next = model.clone();
    match step {
        Step::Flip(at) if !next.bits.is_empty() => {
            for index in at {
                let len = next.bits.len();
                next.bits[usize::from(index) % len] ^= true;
            }
        }
        Step::Flip(_) => {}
        Step::Resize(len) => next.bits.resize(usize::from(len), false),
    }
    next
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_change_leaves_another_root_than_the_definition(steps in steps()) {
        for kind in [HashKind::Blake3, HashKind::Sha256] {
            let hasher = NodeHasher::new(kind);
            let mut tree = BitTree::zeros(hasher, 0);
            let mut model = Model::default();
            for step in steps.clone() {
                let next = after(&model, step);
                let (len, before, words) = (next.bits.len() as u64, model.words(), next.words());
                let changed = model.changed(&next);
                let staged = tree.stage(len, &changed, |at| before[at as usize]);
                let staged = staged.expect("words of the field");
                let expected = by_definition(&hasher, &words, height(len), 0);
                prop_assert_eq!(root(&hasher, &words), expected);
                prop_assert_eq!(staged.root(), expected);
                prop_assert_eq!(staged.commitment(), commitment(&hasher, len, expected));
                tree.apply(staged);
                prop_assert_eq!(tree.root(), expected);
                let built = BitTree::build(hasher, len, |at| words[at as usize]);
                prop_assert_eq!(&tree.node_bytes(), &built.node_bytes());
                prop_assert_eq!(tree.commitment(), built.commitment());
                prop_assert_eq!(&format!("{tree:?}"), &format!("{built:?}"));
                model = next;
            }
        }
    }

    #[test]
    fn no_group_that_is_not_touched_is_hashed(at in prop::collection::btree_set(0u64..4096, 1..30)) {
        let tree = BitTree::zeros(NodeHasher::default(), 4096 * WORD_BITS);
        let changed: Vec<_> = at.iter().map(|at| (*at, [0xff; 32])).collect();
        let read = std::cell::RefCell::new(BTreeMap::new());
        let word = |at: u64| {
            *read.borrow_mut().entry(at / GROUP_WORDS).or_insert(0) += 1;
            [0; 32]
        };
        let staged = tree.stage(tree.len(), &changed, word).expect("words of the field");
        let mut nodes: Vec<u64> = at.iter().map(|at| at / GROUP_WORDS).collect();
        nodes.dedup();
        prop_assert_eq!(read.borrow().keys().copied().collect::<Vec<_>>(), nodes.clone());
        let mut expected = 3 * nodes.len() as u64 + 1;
        for _ in 0..height(tree.len()) - 2 {
            nodes = nodes.iter().map(|at| at / 2).collect();
            nodes.dedup();
            expected += nodes.len() as u64;
        }
        prop_assert_eq!(staged.hashes(), expected);
    }
}

#[test]
fn no_growth_hashes_more_than_the_nodes_above_the_old_top() {
    let mut tree = BitTree::zeros(NodeHasher::default(), 0);
    let first = tree.stage(1, &[(0, [1; 32])], |_| [0; 32]);
    assert_eq!(
        first.map(|_| ()),
        Err(BitsError::BeyondLength { word: 0, len: 1 })
    );
    let mut word = [0; 32];
    word[0] = 1;
    let staged = tree.stage(1, &[(0, word)], |_| [0; 32]);
    tree.apply(staged.expect("a bit of the field"));
    let staged = tree.stage(1 << 40, &[], |_| word).expect("growth");
    assert_eq!(staged.hashes(), u64::from(height(1 << 40)) - 2 + 1);
    assert_eq!(height(1 << 40), 32);
}

#[test]
fn no_bit_beyond_the_field_is_taken() {
    let tree = BitTree::zeros(NodeHasher::default(), 1_000);
    let outside = BitsError::Outside { word: 4, words: 4 };
    let stage = |len, changed: &[(u64, Word)]| {
        let staged = tree.stage(len, changed, |_| [0; 32]);
        staged.map(|staged| staged.len())
    };
    assert_eq!(stage(1_000, &[(4, [0; 32])]), Err(outside));
    let mut word = [0; 32];
    word[29] = 1;
    let beyond = BitsError::BeyondLength {
        word: 3,
        len: 1_000,
    };
    assert_eq!(stage(1_000, &[(3, word)]), Err(beyond));
    assert_eq!(stage(1_001, &[(3, word)]), Ok(1_001));
    let unsorted = BitsError::Unsorted {
        previous: 1,
        got: 1,
    };
    assert_eq!(stage(1_000, &[(1, [0; 32]), (1, [0; 32])]), Err(unsorted));

    let full = BitTree::build(NodeHasher::default(), 512, |_| [0xff; 32]);
    let cut = full
        .stage(300, &[], |_| [0xff; 32])
        .map(|staged| staged.len());
    assert_eq!(cut, Err(BitsError::BeyondLength { word: 1, len: 300 }));
    let cut = full.stage(256, &[(1, [0; 32])], |_| [0xff; 32]);
    let cut = cut.expect("the second word is zero").root();
    assert_eq!(cut, root(&NodeHasher::default(), &[[0xff; 32]]));
}
