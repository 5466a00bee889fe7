//! A field's nodes, kept while its words change.

use super::{GROUP_WORDS, Word, commitment, height, reaches_beyond, word_count};
use crate::{NodeHasher, list::node_message};
use alloy_primitives::B256;

/// Groups hashed at a time while a tree is built.
const STRIDE: u64 = 512;
/// Heights above the groups that any length can have.
const LEVELS_MAX: usize = 56;

/// The nodes of a field from the groups of four words up. The words are the caller's.
#[derive(Clone, Debug)]
pub struct BitTree {
    hasher: NodeHasher,
    len: u64,
    /// By height above the groups; the last has one node.
    levels: Vec<Vec<B256>>,
    /// Node over zero words alone, by height above the groups.
    zeros: Vec<B256>,
    commitment: B256,
}

/// Nodes of a [`BitTree`] as they will be.
#[derive(Clone, Debug)]
pub struct StagedBits {
    len: u64,
    levels: Vec<Vec<(u64, B256)>>,
    root: B256,
    commitment: B256,
    hashes: u64,
}

/// A change that does not fit the field. Nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BitsError {
    /// The words must come in ascending order, each once.
    #[error("word {got} follows word {previous}, expected ascending order")]
    Unsorted {
        /// The word before it.
        previous: u64,
        /// The word.
        got: u64,
    },
    /// The field has no such word, neither before nor after.
    #[error("word {word} of a field of {words} words")]
    Outside {
        /// The word.
        word: u64,
        /// Words of the field.
        words: u64,
    },
    /// A bit is set at or above the field's length.
    #[error("a bit of word {word} is set beyond the field's {len} bits")]
    BeyondLength {
        /// The word.
        word: u64,
        /// Bits of the field.
        len: u64,
    },
}

impl StagedBits {
    /// The root.
    pub const fn root(&self) -> B256 {
        self.root
    }

    /// What commits to the field.
    pub const fn commitment(&self) -> B256 {
        self.commitment
    }

    /// Bits of the field.
    pub const fn len(&self) -> u64 {
        self.len
    }

    /// Whether the field has no bits.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Hashes that this took.
    pub const fn hashes(&self) -> u64 {
        self.hashes
    }
}

impl BitTree {
    /// The tree of a field of zeros.
    pub fn zeros(hasher: NodeHasher, len: u64) -> Self {
        let mut zeros = vec![hash_groups(&hasher, &[[[0; 32]; 4]])[0]];
        while zeros.len() < LEVELS_MAX {
            let below = zeros[zeros.len() - 1];
            zeros.push(hasher.hash(&node_message(below, below)));
        }
        let levels = (0..level_count(len)).map(|at| vec![zeros[at]; width(len, at) as usize]);
        let levels: Vec<_> = levels.collect();
        let commitment = commitment(&hasher, len, levels[levels.len() - 1][0]);
        Self {
            hasher,
            len,
            levels,
            zeros,
            commitment,
        }
    }

    /// The tree of a field with these words, which are asked for in ascending order.
    pub fn build(hasher: NodeHasher, len: u64, mut word: impl FnMut(u64) -> Word) -> Self {
        let mut tree = Self::zeros(hasher, len);
        let (words, groups) = (word_count(len), width(len, 0));
        for first in (0..groups).step_by(STRIDE as usize) {
            let numbers = first..groups.min(first + STRIDE);
            let group = |at: u64| {
                core::array::from_fn(|i| Some(at * GROUP_WORDS + i as u64).filter(|w| *w < words))
                    .map(|w| w.map_or([0; 32], &mut word))
            };
            let (numbers, groups): (Vec<_>, Vec<_>) = numbers
                .map(group)
                .enumerate()
                .filter(|(_, group)| *group != [[0; 32]; 4])
                .unzip();
            for (at, node) in numbers.iter().zip(hash_groups(&hasher, &groups)) {
                tree.levels[0][first as usize + at] = node;
            }
        }
        for at in 1..tree.levels.len() {
            tree.join(at);
        }
        tree.commitment = commitment(&hasher, len, tree.root());
        tree
    }

    /// Computes a level from the one below it.
    fn join(&mut self, at: usize) {
        let zero = self.zeros[at - 1];
        let (below, above) = self.levels.split_at_mut(at);
        let (below, above) = (&below[at - 1], &mut above[0]);
        let children = below.chunks(2).enumerate();
        let children = children.map(|(n, pair)| (n, pair[0], pair.get(1).copied().unwrap_or(zero)));
        let (numbers, messages): (Vec<_>, Vec<_>) = children
            .filter(|(_, left, right)| *left != zero || *right != zero)
            .map(|(n, left, right)| (n, node_message(left, right)))
            .unzip();
        let mut nodes = Vec::with_capacity(messages.len());
        self.hasher.hash_blocks(&messages, &mut nodes);
        for (n, node) in numbers.into_iter().zip(nodes) {
            above[n] = node;
        }
    }

    /// Bits of the field.
    pub const fn len(&self) -> u64 {
        self.len
    }

    /// Whether the field has no bits.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The root.
    pub fn root(&self) -> B256 {
        self.levels[self.levels.len() - 1][0]
    }

    /// What commits to the field.
    pub const fn commitment(&self) -> B256 {
        self.commitment
    }

    /// Bytes of memory that the nodes take.
    pub fn node_bytes(&self) -> u64 {
        self.levels
            .iter()
            .map(|level| 32 * level.len() as u64)
            .sum()
    }

    /// The nodes that change if the field has `len` bits and these words: `changed` in ascending
    /// order, all others as `word` gives them, which is asked for words of groups that change and
    /// for words that are cut off.
    ///
    /// Words that are new are zero unless they are in `changed`; those cut off must be zero.
    pub fn stage(
        &self,
        len: u64,
        changed: &[(u64, Word)],
        word: impl Fn(u64) -> Word,
    ) -> Result<StagedBits, BitsError> {
        self.check(len, changed, &word)?;
        let mut levels = Vec::with_capacity(level_count(len));
        let (numbers, groups) = self.groups(changed, word);
        let nodes = hash_groups(&self.hasher, &groups);
        let mut hashes = 3 * nodes.len() as u64;
        levels.push(numbers.into_iter().zip(nodes).collect::<Vec<_>>());
        for at in 1..level_count(len) {
            let above = self.stage_level(at, &levels[at - 1]);
            hashes += above.len() as u64;
            levels.push(above);
        }
        let root = match levels[levels.len() - 1].first() {
            Some((0, root)) => *root,
            _ => self.node(levels.len() - 1, 0),
        };
        let mut commitment = self.commitment;
        if len != self.len || root != self.root() {
            commitment = super::commitment(&self.hasher, len, root);
            hashes += 1;
        }
        Ok(StagedBits {
            len,
            levels,
            root,
            commitment,
            hashes,
        })
    }

    fn check(
        &self,
        len: u64,
        changed: &[(u64, Word)],
        word: &impl Fn(u64) -> Word,
    ) -> Result<(), BitsError> {
        let words = word_count(len.max(self.len));
        for pair in changed.windows(2) {
            let (previous, got) = (pair[0].0, pair[1].0);
            if previous >= got {
                return Err(BitsError::Unsorted { previous, got });
            }
        }
        if let Some((word, _)) = changed.last().filter(|(word, _)| *word >= words) {
            return Err(BitsError::Outside { word: *word, words });
        }
        let mut beyond = changed.iter().filter(|(at, w)| reaches_beyond(*at, w, len));
        if let Some((word, _)) = beyond.next() {
            return Err(BitsError::BeyondLength { word: *word, len });
        }
        // Words that are cut off, or cut in two.
        for at in len / super::WORD_BITS..word_count(self.len) {
            let same = changed.binary_search_by_key(&at, |(at, _)| *at).is_err();
            if same && reaches_beyond(at, &word(at), len) {
                return Err(BitsError::BeyondLength { word: at, len });
            }
        }
        Ok(())
    }

    /// The groups that change, with their words. Among them are those that are cut off with bits to
    /// be cleared: nodes that stay may lie above them.
    fn groups(
        &self,
        changed: &[(u64, Word)],
        word: impl Fn(u64) -> Word,
    ) -> (Vec<u64>, Vec<[Word; 4]>) {
        let words = word_count(self.len);
        let same = |number: u64| {
            let numbers: [u64; 4] = core::array::from_fn(|i| number * GROUP_WORDS + i as u64);
            numbers.map(|at| if at < words { word(at) } else { [0; 32] })
        };
        let (mut numbers, mut groups) = (Vec::new(), Vec::new());
        for (at, new) in changed {
            let number = at / GROUP_WORDS;
            if numbers.last() != Some(&number) {
                numbers.push(number);
                groups.push(same(number));
            }
            if let Some(group) = groups.last_mut() {
                group[(at % GROUP_WORDS) as usize] = *new;
            }
        }
        (numbers, groups)
    }

    /// The nodes of a level above those that change in the level below.
    fn stage_level(&self, at: usize, below: &[(u64, B256)]) -> Vec<(u64, B256)> {
        let mut numbers = Vec::with_capacity(below.len() + 1);
        // A level above the old top: its first node spans what there was.
        if at >= self.levels.len() {
            numbers.push(0);
        }
        numbers.extend(below.iter().map(|(number, _)| number / 2));
        numbers.dedup();
        let mut below = below.iter().peekable();
        let mut child = |number: u64| match below.next_if(|(n, _)| *n == number) {
            Some((_, node)) => *node,
            None => self.node(at - 1, number),
        };
        let messages: Vec<_> = numbers
            .iter()
            .map(|number| {
                let left = child(2 * number);
                node_message(left, child(2 * number + 1))
            })
            .collect();
        let mut nodes = Vec::with_capacity(messages.len());
        self.hasher.hash_blocks(&messages, &mut nodes);
        numbers.into_iter().zip(nodes).collect()
    }

    /// The node as it is; beyond the field, that of zeros.
    fn node(&self, at: usize, number: u64) -> B256 {
        let level = self.levels.get(at);
        let node = level.and_then(|level| level.get(number as usize));
        node.copied().unwrap_or(self.zeros[at])
    }

    /// Makes staged changes. They must be of this tree as it is.
    pub fn apply(&mut self, staged: StagedBits) {
        self.levels.resize(staged.levels.len(), Vec::new());
        for (at, changed) in staged.levels.into_iter().enumerate() {
            let level = &mut self.levels[at];
            level.resize(width(staged.len, at) as usize, self.zeros[at]);
            for (number, node) in changed {
                if let Some(there) = level.get_mut(number as usize) {
                    *there = node;
                }
            }
        }
        self.len = staged.len;
        self.commitment = staged.commitment;
    }
}

/// Levels from the groups up to the root.
const fn level_count(len: u64) -> usize {
    height(len) as usize - 1
}

/// Nodes of a level, by height above the groups.
const fn width(len: u64, at: usize) -> u64 {
    let width = word_count(len).div_ceil(GROUP_WORDS << at);
    if width == 0 { 1 } else { width }
}

fn hash_groups(hasher: &NodeHasher, groups: &[[Word; 4]]) -> Vec<B256> {
    let pairs = groups.iter().flat_map(|[a, b, c, d]| [[a, b], [c, d]]);
    let messages: Vec<_> = pairs
        .map(|[left, right]| node_message(left.into(), right.into()))
        .collect();
    let mut halves = Vec::with_capacity(messages.len());
    hasher.hash_blocks(&messages, &mut halves);
    let (halves, _) = halves.as_chunks::<2>();
    let messages: Vec<_> = halves.iter().map(|[l, r]| node_message(*l, *r)).collect();
    let mut nodes = Vec::with_capacity(groups.len());
    hasher.hash_blocks(&messages, &mut nodes);
    nodes
}
