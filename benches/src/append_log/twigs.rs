//! The twigs, and the tree over them.

use super::Update;
use alloy_primitives::B256;
use thinstate_formats::{HashKind, NodeHasher};

/// Leaves of a twig.
pub(super) const TWIG_LEAVES: usize = 2_048;
/// Levels over the leaves of a twig.
const TWIG_HEIGHT: usize = TWIG_LEAVES.ilog2() as usize;
const BITS_BYTES: usize = TWIG_LEAVES / 8;

#[derive(Clone, Debug)]
struct Twig {
    leaves_root: B256,
    active: [u8; BITS_BYTES],
    dirty: bool,
}

/// All twigs. The leaves of the last one alone are kept, those of the others are in the log.
#[derive(Debug)]
pub(super) struct Twigs {
    hasher: NodeHasher,
    twigs: Vec<Twig>,
    /// Nodes of the last twig, from the leaves' hashes up.
    young: [Vec<B256>; TWIG_HEIGHT + 1],
    /// From the twigs' roots up.
    levels: Vec<Vec<B256>>,
    /// Twigs to be hashed, each once.
    dirty: Vec<usize>,
    hashes: u64,
}

impl Default for Twigs {
    fn default() -> Self {
        Self {
            hasher: NodeHasher::new(HashKind::Sha256),
            twigs: Vec::new(),
            young: Default::default(),
            levels: Vec::new(),
            dirty: Vec::new(),
            hashes: 0,
        }
    }
}

impl Twigs {
    /// Appends active leaves; returns the place of the first.
    pub(super) fn append(&mut self, updates: &[Update]) -> u64 {
        let full = self.twigs.len().saturating_sub(1) * TWIG_LEAVES;
        let first = (full + self.young[0].len()) as u64;
        let mut messages = Vec::with_capacity(TWIG_LEAVES);
        let mut rest = updates;
        while !rest.is_empty() {
            if self.twigs.is_empty() || self.young[0].len() == TWIG_LEAVES {
                self.begin_twig();
            }
            let room = TWIG_LEAVES - self.young[0].len();
            let (now, later) = rest.split_at(room.min(rest.len()));
            messages.clear();
            messages.extend(now.iter().map(|(key, value)| pair(key, value)));
            let start = self.young[0].len();
            self.hasher.hash_blocks(&messages, &mut self.young[0]);
            self.hashes += now.len() as u64;
            let at = self.twigs.len() - 1;
            for leaf in start..start + now.len() {
                self.twigs[at].active[leaf / 8] |= 1 << (leaf % 8);
            }
            self.twigs[at].leaves_root = self.young_root(start);
            self.touch(at);
            rest = later;
        }
        first
    }

    fn begin_twig(&mut self) {
        self.young.iter_mut().for_each(Vec::clear);
        self.twigs.push(Twig {
            leaves_root: B256::ZERO,
            active: [0; BITS_BYTES],
            dirty: false,
        });
    }

    /// Root over the leaves of the last twig, of which those from `start` are new.
    fn young_root(&mut self, mut start: usize) -> B256 {
        let mut missing = B256::ZERO;
        for level in 0..TWIG_HEIGHT {
            start /= 2;
            let (below, above) = self.young.split_at_mut(level + 1);
            let (below, above) = (&below[level], &mut above[0]);
            let joins = start..below.len().div_ceil(2);
            let node = |at: usize| below.get(at).unwrap_or(&missing);
            let join = |at: usize| pair(node(2 * at), node(2 * at + 1));
            let messages: Vec<_> = joins.map(join).collect();
            above.truncate(start);
            self.hasher.hash_blocks(&messages, above);
            self.hashes += messages.len() as u64;
            missing = self.hasher.hash(&pair(&missing, &missing));
        }
        self.young[TWIG_HEIGHT][0]
    }

    /// Clears the activity bit of a leaf.
    pub(super) fn deactivate(&mut self, place: u64) {
        let place = place as usize;
        let (twig, leaf) = (place / TWIG_LEAVES, place % TWIG_LEAVES);
        self.twigs[twig].active[leaf / 8] &= !(1 << (leaf % 8));
        self.touch(twig);
    }

    fn touch(&mut self, twig: usize) {
        if !core::mem::replace(&mut self.twigs[twig].dirty, true) {
            self.dirty.push(twig);
        }
    }

    /// Hashes what changed; returns the root and how many hashes were computed since the last call.
    pub(super) fn root(&mut self) -> (B256, u64) {
        let mut changed = core::mem::take(&mut self.dirty);
        changed.sort_unstable();
        let height = self.twigs.len().next_power_of_two().ilog2() as usize;
        self.levels.resize_with(height + 1, Vec::new);
        self.levels[0].resize(self.twigs.len(), B256::ZERO);
        for at in &changed {
            let twig = &mut self.twigs[*at];
            twig.dirty = false;
            let mut message = [0; 32 + BITS_BYTES];
            message[..32].copy_from_slice(twig.leaves_root.as_slice());
            message[32..].copy_from_slice(&twig.active);
            self.levels[0][*at] = self.hasher.hash(&message);
        }
        self.hashes += changed.len() as u64;
        let mut missing = B256::ZERO;
        for level in 0..height {
            changed.iter_mut().for_each(|at| *at /= 2);
            changed.dedup();
            self.join_level(level, &changed, missing);
            missing = self.hasher.hash(&pair(&missing, &missing));
        }
        self.dirty = changed;
        self.dirty.clear();
        (self.levels[height][0], core::mem::take(&mut self.hashes))
    }

    /// Hashes some nodes over a level.
    fn join_level(&mut self, level: usize, changed: &[usize], missing: B256) {
        let below = &self.levels[level];
        let node = |at: usize| below.get(at).unwrap_or(&missing);
        let messages: Vec<_> = changed
            .iter()
            .map(|at| pair(node(2 * at), node(2 * at + 1)))
            .collect();
        let len = below.len().div_ceil(2);
        let mut digests = Vec::with_capacity(messages.len());
        self.hasher.hash_blocks(&messages, &mut digests);
        self.hashes += messages.len() as u64;
        let above = &mut self.levels[level + 1];
        above.resize(len, B256::ZERO);
        for (at, digest) in changed.iter().zip(digests) {
            above[*at] = digest;
        }
    }
}

fn pair(left: &B256, right: &B256) -> [u8; 64] {
    let mut message = [0; 64];
    message[..32].copy_from_slice(left.as_slice());
    message[32..].copy_from_slice(right.as_slice());
    message
}
