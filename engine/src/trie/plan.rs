//! The plan of an update: which buckets are read, and which branches are closed above them.

use super::{
    change::{Base, Change, Target},
    interior::Branch,
    path::Path,
    update::TrieJob,
};
use core::ops::Range;
use std::sync::Arc;

/// Where a result goes: a nibble of a branch that is being worked on, or the root.
pub(super) type Parent = Option<(u32, u8)>;

/// A bucket to be read and built.
#[derive(Debug)]
pub(super) struct BucketJob {
    pub(super) job: u32,
    pub(super) prefix: Path,
    pub(super) base: Base,
    pub(super) changes: Range<usize>,
    pub(super) parent: Parent,
}

/// A branch on the way of a change.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) job: u32,
    pub(super) branch: Branch,
    /// Depth of the branch's slot in its parent: an extension lies between it and the branch.
    pub(super) slot_depth: usize,
    pub(super) changes: Range<usize>,
    pub(super) parent: Parent,
}

/// The plan of an update: what is to be read, and what is to be folded.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) buckets: Vec<BucketJob>,
    pub(super) open: Vec<Open>,
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
    pub(super) fn trie(&mut self, number: u32, job: &TrieJob) {
        let all = 0..job.changes.len();
        match &job.top {
            Some(top) => self.branch(number, job, top, 0, all, None),
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
        if put().any(|c| c.path.len() <= path.len()) {
            // A stub takes the place of the branch, or of something above it.
            return self.buckets.push(BucketJob {
                job: number,
                prefix: path.prefix(slot_depth),
                base: job.base,
                changes: range,
                parent,
            });
        }
        let fork = put()
            .map(|c| c.path.common_prefix(&path))
            .min()
            .filter(|shared| *shared < path.len());
        let index = self.open.len() as u32;
        self.open.push(Open {
            job: number,
            branch: match fork {
                Some(shared) => Branch::new(path.prefix(shared)),
                None => (**branch).clone(),
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
                self.bucket(number, Base::Empty, &at, nibble, group, parent);
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
                    self.branch(number, job, below, depth, group, parent);
                }
                (None, Some(_)) => {
                    self.bucket(number, job.base, branch.path(), nibble, group, parent);
                }
                (None, None) => {
                    self.bucket(number, Base::Empty, branch.path(), nibble, group, parent);
                }
            }
        }
    }

    fn bucket(
        &mut self,
        job: u32,
        base: Base,
        above: &Path,
        nibble: u8,
        changes: Range<usize>,
        parent: Parent,
    ) {
        let prefix = above
            .child(nibble)
            .expect("a branch lies above the end of a key");
        self.buckets.push(BucketJob {
            job,
            prefix,
            base,
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
                changes,
                parent,
            });
        }
        let index = self.open.len() as u32;
        self.open.push(Open {
            job: number,
            branch: Branch::new(prefix),
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
fn by_nibble(changes: &[Change], path: &Path, range: Range<usize>) -> Vec<(u8, Range<usize>)> {
    let mut groups: Vec<(u8, Range<usize>)> = Vec::new();
    for index in range {
        let at = &changes[index].path;
        if at.len() <= path.len() || !at.starts_with(path) {
            continue;
        }
        let nibble = at.nibble(path.len());
        match groups.last_mut() {
            Some((last, group)) if *last == nibble => group.end = index + 1,
            _ => groups.push((nibble, index..index + 1)),
        }
    }
    groups
}
