//! The plan of an update: which buckets are read, and which branches are closed above them. Subtrees
//! with enough changes are left to tasks that plan for themselves.

use super::{
    change::{Base, Change, Target},
    interior::Branch,
    node_ref::NodeRef,
    path::{KEY_NIBBLES, Path},
    update::TrieJob,
};
use core::ops::{Range, RangeInclusive};
use std::sync::Arc;

/// Where a result goes: a nibble of a branch that is being worked on, or the root.
pub(super) type Parent = Option<(u32, u8)>;

/// A bucket to be read and built.
#[derive(Debug)]
pub(super) struct BucketJob {
    pub(super) job: u32,
    pub(super) prefix: Path,
    pub(super) base: Base,
    /// The reference that it has so far, where it is stored and has one.
    pub(super) node: Option<NodeRef>,
    pub(super) changes: Range<usize>,
    pub(super) parent: Parent,
}

/// A branch on the way of a change.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) job: u32,
    /// Shared with the state before until the first child is set.
    pub(super) branch: Arc<Branch>,
    /// Depth of the branch's slot in its parent: an extension lies between it and the branch.
    pub(super) slot_depth: usize,
    pub(super) changes: Range<usize>,
    pub(super) parent: Parent,
}

/// A subtree whose update is a task of its own.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) job: u32,
    pub(super) branch: Arc<Branch>,
    /// Depth of its slot in its parent.
    slot_depth: usize,
    changes: Range<usize>,
    pub(super) parent: Parent,
    /// Number of buckets that were planned before it.
    pub(super) behind: usize,
}

/// The plan of an update: what is to be read, and what is to be folded.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) buckets: Vec<BucketJob>,
    pub(super) open: Vec<Open>,
    pub(super) parts: Vec<Part>,
    /// So many changes of a subtree make it a part.
    part_sizes: Option<RangeInclusive<usize>>,
    /// Whether stubs are among the changes of the trie that is planned.
    has_stubs: bool,
}

/// Entries that one task of a rebuild reads at a time.
const ENTRIES_TOGETHER: u64 = 4096;
/// A rebuild splits a trie into at most 16 to this power of ranges.
const SPLIT_DEPTH_MAX: usize = 5;

/// Nibbles by which a trie of so many entries is split, for tasks of a good size.
pub(super) fn split_depth(entries: u64) -> usize {
    let ranges = (entries / ENTRIES_TOGETHER).checked_ilog2();
    ranges
        .map_or(0, |bits| bits as usize / 4 + 1)
        .min(SPLIT_DEPTH_MAX)
}

impl Plan {
    /// A plan that leaves subtrees with so many changes to others.
    pub(super) fn in_parts(sizes: Option<RangeInclusive<usize>>) -> Self {
        Self {
            part_sizes: sizes,
            ..Self::default()
        }
    }

    /// The plan of a part of another plan.
    pub(super) fn of_part(job: &TrieJob, part: &Part) -> Self {
        let changes = part.changes.clone();
        let mut plan = Self::default();
        plan.note_stubs(&job.changes[changes.clone()]);
        plan.branch(part.job, job, &part.branch, part.slot_depth, changes, None);
        plan
    }

    fn note_stubs(&mut self, changes: &[Change]) {
        self.has_stubs = changes.iter().any(|c| c.path.len() < KEY_NIBBLES);
    }

    pub(super) fn trie(&mut self, number: u32, job: &TrieJob) {
        let all = 0..job.changes.len();
        self.note_stubs(&job.changes);
        match &job.top {
            Some(top) => self.branch_or_part(number, job, top, 0, all, None),
            None => {
                let shallowest = job.changes.iter().map(|c| c.path.len()).min();
                let depth = match job.base {
                    Base::Stored => 0,
                    Base::Empty => split_depth(job.changes.len() as u64),
                };
                let depth = depth.min(shallowest.unwrap_or(0));
                self.whole(number, job, Path::EMPTY, depth, all, None);
            }
        }
    }

    fn branch_or_part(
        &mut self,
        number: u32,
        job: &TrieJob,
        branch: &Arc<Branch>,
        slot_depth: usize,
        changes: Range<usize>,
        parent: Parent,
    ) {
        let is_part = |sizes: &RangeInclusive<usize>| sizes.contains(&changes.len());
        if !self.part_sizes.as_ref().is_some_and(is_part) {
            return self.branch(number, job, branch, slot_depth, changes, parent);
        }
        self.parts.push(Part {
            job: number,
            branch: Arc::clone(branch),
            slot_depth,
            changes,
            parent,
            behind: self.buckets.len(),
        });
    }

    /// Plans the changes in `range` at a slot that holds `branch`.
    fn branch(
        &mut self,
        number: u32,
        job: &TrieJob,
        branch: &Arc<Branch>,
        slot_depth: usize,
        range: Range<usize>,
        parent: Parent,
    ) {
        let path = *branch.path();
        let put = || {
            let changes = job.changes[range.clone()].iter();
            changes.filter(|c| c.to != Target::Absent)
        };
        if self.has_stubs && put().any(|c| c.path.len() <= path.len()) {
            // A stub takes the place of the branch, or of something above it.
            return self.buckets.push(BucketJob {
                job: number,
                prefix: path.prefix(slot_depth),
                base: job.base,
                node: None,
                changes: range,
                parent,
            });
        }
        // Sorted as they are, the first or the last of them shares least with the path.
        let fork = put()
            .take(1)
            .chain(put().next_back())
            .map(|c| c.path.common_prefix(&path))
            .min()
            .filter(|shared| *shared < path.len());
        let index = self.open.len() as u32;
        self.open.push(Open {
            job: number,
            branch: match fork {
                Some(shared) => Arc::new(Branch::new(path.prefix(shared))),
                None => Arc::clone(branch),
            },
            slot_depth,
            changes: range.clone(),
            parent,
        });
        match fork {
            Some(shared) => self.forked(number, job, branch, shared, range, index),
            None => self.children(number, job, branch, range, index),
        }
    }

    /// The changes part from the extension before `branch`: a new branch comes between.
    fn forked(
        &mut self,
        number: u32,
        job: &TrieJob,
        branch: &Arc<Branch>,
        fork: usize,
        range: Range<usize>,
        index: u32,
    ) {
        let towards = branch.path().nibble(fork);
        let at = branch.path().prefix(fork);
        let mut seen = false;
        for (nibble, group) in by_nibble(&job.changes, &at, range.clone()) {
            let parent = Some((index, nibble));
            if nibble == towards {
                seen = true;
                self.branch(number, job, branch, fork + 1, group, parent);
            } else {
                self.bucket(number, Base::Empty, None, at.child(nibble), group, parent);
            }
        }
        if !seen {
            let none = range.end..range.end;
            self.branch(number, job, branch, fork + 1, none, Some((index, towards)));
        }
    }

    fn children(
        &mut self,
        number: u32,
        job: &TrieJob,
        branch: &Arc<Branch>,
        range: Range<usize>,
        index: u32,
    ) {
        for (nibble, group) in by_nibble(&job.changes, branch.path(), range) {
            let parent = Some((index, nibble));
            match (branch.branch(nibble), branch.node(nibble)) {
                (Some(below), _) => {
                    let depth = branch.path().len() + 1;
                    self.branch_or_part(number, job, below, depth, group, parent);
                }
                (None, node) => {
                    let base = node.map_or(Base::Empty, |_| job.base);
                    let prefix = branch.path().child(nibble);
                    self.bucket(number, base, node, prefix, group, parent);
                }
            }
        }
    }

    fn bucket(
        &mut self,
        job: u32,
        base: Base,
        node: Option<NodeRef>,
        prefix: Option<Path>,
        changes: Range<usize>,
        parent: Parent,
    ) {
        let prefix = prefix.expect("a branch lies above the end of a key");
        self.buckets.push(BucketJob {
            job,
            prefix,
            base,
            node,
            changes,
            parent,
        });
    }
}

impl Plan {
    /// Plans to read everything under `prefix`, in ranges of `depth` more nibbles.
    pub(super) fn whole(
        &mut self,
        number: u32,
        job: &TrieJob,
        prefix: Path,
        depth: usize,
        changes: Range<usize>,
        parent: Parent,
    ) {
        if depth == 0 {
            return self.buckets.push(BucketJob {
                job: number,
                prefix,
                base: job.base,
                node: None,
                changes,
                parent,
            });
        }
        let index = self.open.len() as u32;
        self.open.push(Open {
            job: number,
            branch: Arc::new(Branch::new(prefix)),
            slot_depth: prefix.len(),
            changes: changes.clone(),
            parent,
        });
        let mut from = changes.start;
        for nibble in 0..16 {
            let below = prefix.child(nibble).expect("far from the end of a key");
            let under = job.changes[from..changes.end].iter();
            let to = from + under.take_while(|c| c.path.starts_with(&below)).count();
            self.whole(
                number,
                job,
                below,
                depth - 1,
                from..to,
                Some((index, nibble)),
            );
            from = to;
        }
    }
}

/// The changes of `range` that lie under `path`, in groups by their next nibble. Those beside it
/// remove what is not there.
fn by_nibble<'a>(
    changes: &'a [Change],
    path: &Path,
    range: Range<usize>,
) -> impl Iterator<Item = (u8, Range<usize>)> + use<'a> {
    let depth = path.len();
    let beside = |c: &&Change| c.path.len() <= depth || !c.path.starts_with(path);
    // Sorted as they are, all those between two that lie under the path do so too.
    let before = changes[range.clone()].iter().take_while(beside).count();
    let from = range.start + before;
    let behind = changes[from..range.end].iter().rev().take_while(beside);
    let to = range.end - behind.count();
    let mut next = from;
    core::iter::from_fn(move || {
        let rest = &changes[next..to];
        let nibble = rest.first()?.path.nibble(depth);
        let alike = rest.iter().take_while(|c| c.path.nibble(depth) == nibble);
        let group = next..next + alike.count();
        next = group.end;
        Some((nibble, group))
    })
}
