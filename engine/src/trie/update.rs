//! The update of tries: from changed entries to new roots.
//!
//! 1. *Plan*: each trie's changes walk down its interior and fall into buckets. A subtree with a fair share
//!    of the changes is planned, built and folded as a part, by one task, beside the others.
//! 2. *Load and build*: the buckets are read, in parallel, one scan each; their subtrees are built
//!    with the changes applied, and hashed level by level, many buckets at a time. Meanwhile those that come
//!    next are read ahead: the device works while the cores do.
//! 3. *Fold*: the branches above are given their new children and hashed, the deepest first, all
//!    tries together. A branch that has lost its children disappears; one with a single child
//!    left, or with few entries under it, becomes a bucket again.
//!
//! Cost: one scan for each bucket with a change, one more for each branch that becomes a bucket;
//! nothing is written but entries.

use super::{
    change::{Base, Change, Origin, Written, load},
    codec::TrieId,
    error::StateError,
    forest::Forest,
    hash::hash_branches,
    interior::{Branch, Child},
    leaf_hashes::{BucketHashes, LeafHashes},
    node_ref::NodeRef,
    path::Path,
    plan::{BucketJob, Open, Parent, Plan, split_depth},
    work::{TrieWork, spend},
};
use crate::leaf_store::{LeafRead, ReadAhead};
use alloy_primitives::B256;
use core::{
    cmp::Reverse,
    ops::{Range, RangeInclusive},
};
use rayon::{ThreadPool, prelude::*};
use std::{sync::Arc, time::Instant};
use thinstate_formats::keccak::BatchHasher;

/// What an update works with.
#[derive(Debug)]
pub(crate) struct Updater<'a, R> {
    pub(crate) store: &'a R,
    pub(crate) hasher: &'a BatchHasher,
    /// Hashes of leaves, where some are held.
    pub(crate) leaf_hashes: Option<&'a LeafHashes>,
    /// The threads that larger updates are spread over.
    pub(crate) pool: &'a ThreadPool,
    /// Most entries in a bucket.
    pub(crate) entries_max: usize,
}

/// One trie to be changed.
#[derive(Debug)]
pub(crate) struct TrieJob {
    pub(crate) trie: TrieId,
    /// The interior; `None` where the trie is one bucket.
    pub(crate) top: Option<Arc<Branch>>,
    pub(crate) base: Base,
    /// By path, ascending, each path once.
    pub(crate) changes: Vec<Change>,
}

/// What became of the tries.
#[derive(Debug, Default)]
pub(crate) struct Updated {
    /// For each job, in the order of the jobs.
    pub(crate) tries: Vec<TrieResult>,
    /// What the changes altered, in the order of the jobs and their changes.
    pub(crate) written: Vec<Written>,
    pub(crate) work: TrieWork,
}

/// The new state of one trie.
#[derive(Clone, Debug)]
pub(crate) struct TrieResult {
    pub(crate) root: B256,
    pub(crate) top: Option<Arc<Branch>>,
}

/// How much there is of a trie in the leaf store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extent {
    pub(crate) trie: TrieId,
    /// About how many entries.
    pub(crate) entries: u64,
    /// Length of the shortest path of an entry: no range of the trie that is read by itself may
    /// lie under a stub.
    pub(crate) shallowest: usize,
}

/// Branches that one task hashes.
const BRANCHES_TOGETHER: usize = 128;
/// Changes of a subtree that are worth a task of their own: they fill the lanes of the hasher. Tests have few.
const PART_CHANGES_MIN: usize = if cfg!(test) { 2 } else { 32 };
/// Parts for each thread, at least, where there are changes enough.
const PARTS_PER_THREAD: usize = 4;

/// Where the nodes of whole tries, or of the root of a part, go.
#[derive(Debug)]
pub(super) struct Roots {
    /// The job of the first of them.
    first: u32,
    children: Vec<Child>,
}

impl Roots {
    pub(super) fn of(first: u32, jobs: usize) -> Self {
        Self {
            first,
            children: vec![Child::Empty; jobs],
        }
    }
}

impl<R: LeafRead> Updater<'_, R> {
    /// Applies the changes of each job to its trie. Nothing is stored.
    pub(crate) fn update(&self, jobs: &[TrieJob]) -> Result<Updated, StateError> {
        let started = Instant::now();
        let mut plan = Plan::in_parts(self.part_sizes(jobs));
        for (number, job) in (0u32..).zip(jobs) {
            plan.trie(number, job);
        }
        let mut work = TrieWork::default();
        spend(&mut work.plan_ns, started);
        let mut built = self.execute(jobs, plan, Roots::of(0, jobs.len()))?;
        built.work.add(&work);
        Ok(built.into())
    }

    /// How many changes make a part: enough of them for all threads, none where there is but one.
    fn part_sizes(&self, jobs: &[TrieJob]) -> Option<RangeInclusive<usize>> {
        let threads = self.pool.current_num_threads();
        let changes: usize = jobs.iter().map(|job| job.changes.len()).sum();
        let largest = changes / (threads * PARTS_PER_THREAD);
        (threads > 1).then(|| PART_CHANGES_MIN..=largest.max(PART_CHANGES_MIN))
    }

    /// Carries a plan out; its children are what `roots` are then.
    fn execute(&self, jobs: &[TrieJob], plan: Plan, roots: Roots) -> Result<Built, StateError> {
        let built = self.build_all(jobs, &plan.buckets, &plan.parts, true)?;
        self.assemble(jobs, plan.open, built, roots)
    }

    /// Puts together what has been built of a plan.
    pub(super) fn assemble(
        &self,
        jobs: &[TrieJob],
        mut open: Vec<Open>,
        built: Vec<Built>,
        mut roots: Roots,
    ) -> Result<Built, StateError> {
        let mut all = Built::default();
        for built in built {
            all.work.add(&built.work);
            all.written.extend(built.written);
            for (parent, job, child) in built.children {
                deliver(&mut open, &mut roots, parent, job, child);
            }
        }
        self.fold(jobs, open, &mut roots, &mut all.work)?;
        let roots = (roots.first..).zip(roots.children);
        all.children = roots.map(|(job, child)| (None, job, child)).collect();
        Ok(all)
    }

    /// Runs the tasks, on all threads where there is more than one.
    fn in_parallel<T, O>(&self, tasks: &[T], run: impl Fn(&T) -> O + Send + Sync) -> Vec<O>
    where
        T: Sync,
        O: Send,
    {
        if tasks.len() <= 1 {
            return tasks.iter().map(run).collect();
        }
        self.pool
            .install(|| tasks.par_iter().with_max_len(1).map(run).collect())
    }

    /// Begins to read what some buckets are built from.
    pub(super) fn read_ahead(
        &self,
        jobs: &[TrieJob],
        buckets: &[BucketJob],
        work: &mut TrieWork,
    ) -> ReadAhead {
        let started = Instant::now();
        let stored = buckets.iter().filter(|bucket| bucket.base == Base::Stored);
        let ahead = self.store.read_ahead(&mut stored.map(|bucket| {
            let trie = &jobs[bucket.job as usize].trie;
            let (from, to) = trie.range(&bucket.prefix);
            (trie.table(), from, to)
        }));
        spend(&mut work.load_ns, started);
        ahead
    }

    /// Builds and hashes some buckets, once what they are read from is there.
    pub(super) fn build(
        &self,
        forest: &mut Forest<'_>,
        jobs: &[TrieJob],
        buckets: &[BucketJob],
        ahead: ReadAhead,
        note: bool,
    ) -> Result<Built, StateError> {
        let started = Instant::now();
        ahead.wait()?;
        forest.clear();
        let mut built = Built::default();
        let mut written = Vec::new();
        let loaded = buckets
            .iter()
            .map(|bucket| {
                let job = &jobs[bucket.job as usize];
                let written = note.then_some(&mut written);
                let changes = &job.changes[bucket.changes.clone()];
                let held = self.held(bucket);
                let origin = Origin {
                    trie: &job.trie,
                    prefix: &bucket.prefix,
                    base: bucket.base,
                    held: held.as_deref().unwrap_or_default(),
                };
                load(self.store, &origin, changes, forest, written)
            })
            .collect::<Result<Vec<_>, _>>()?;
        if !written.is_empty() {
            built.written.push(written);
        }
        spend(&mut built.work.load_ns, started);
        let started = Instant::now();
        built.work.bucket_entries += forest.entry_count() as u64;
        let plant = |(bucket, entries): (&BucketJob, Range<usize>)| {
            let trie = &jobs[bucket.job as usize].trie;
            let plant = || forest.plant(trie, entries.clone(), bucket.prefix.len());
            (!entries.is_empty()).then(plant).transpose()
        };
        let planted = buckets.iter().zip(loaded.iter().cloned()).map(plant);
        let roots = planted.collect::<Result<Vec<_>, _>>()?;
        forest.hash();
        built.work.buckets += buckets.len() as u64;
        built.work.leaves_held += forest.leaves_held();
        built.work.count(forest.hashed());
        built.children = buckets
            .iter()
            .zip(loaded.into_iter().zip(roots))
            .map(|(bucket, (entries, root))| {
                let child = root.map_or(Child::Empty, |root| forest.child(root, self.entries_max));
                self.hold(bucket, &child, || forest.leaf_hashes(entries));
                (bucket.parent, bucket.job, child)
            })
            .collect();
        spend(&mut built.work.hash_ns, started);
        Ok(built)
    }

    /// The hashes that are held of the leaves of a bucket as it is stored.
    fn held(&self, bucket: &BucketJob) -> Option<BucketHashes> {
        let node = bucket.node.filter(|node| !node.is_inline())?;
        self.leaf_hashes?.take(&node.raw())
    }

    /// Holds the hashes of a bucket's leaves as they are now. What hangs in no branch is not looked for.
    fn hold(
        &self,
        bucket: &BucketJob,
        child: &Child,
        leaves: impl FnOnce() -> Option<BucketHashes>,
    ) {
        if let (Some(held), Some(_)) = (self.leaf_hashes, bucket.parent)
            && let Child::Bucket { node, entries: 2.. } = child
            && !node.is_inline()
            && let Some(leaves) = leaves()
        {
            held.put(node.raw(), leaves);
        }
    }

    /// Closes the open branches, the deepest first.
    fn fold(
        &self,
        jobs: &[TrieJob],
        mut open: Vec<Open>,
        roots: &mut Roots,
        work: &mut TrieWork,
    ) -> Result<(), StateError> {
        let mut order: Vec<usize> = (0..open.len()).collect();
        order.sort_by_key(|i| Reverse(open[*i].branch.path().len()));
        let mut level = order.as_slice();
        while let Some(first) = level.first() {
            let depth = open[*first].branch.path().len();
            let same = level.partition_point(|i| open[*i].branch.path().len() == depth);
            let (now, rest) = level.split_at(same);
            self.fold_level(jobs, now, &mut open, roots, work)?;
            level = rest;
        }
        Ok(())
    }

    fn fold_level(
        &self,
        jobs: &[TrieJob],
        level: &[usize],
        open: &mut [Open],
        roots: &mut Roots,
        work: &mut TrieWork,
    ) -> Result<(), StateError> {
        let mut closed = Vec::new();
        let mut merged = Vec::new();
        for index in level {
            let this = &open[*index];
            let branch = &this.branch;
            match self.shape(branch) {
                Shape::Gone => deliver_from(open, roots, *index, Child::Empty),
                Shape::Branch => closed.push((*index, Arc::clone(branch))),
                Shape::Only(below) => closed.push((*index, below)),
                Shape::Bucket => merged.push(BucketJob {
                    job: this.job,
                    prefix: branch.path().prefix(this.slot_depth),
                    base: jobs[this.job as usize].base,
                    node: None,
                    changes: this.changes.clone(),
                    parent: this.parent,
                }),
            }
        }
        for built in self.build_all(jobs, &merged, &[], false)? {
            work.add(&built.work);
            work.buckets_merged += built.children.len() as u64;
            for (parent, job, child) in built.children {
                deliver(open, roots, parent, job, child);
            }
        }
        let slots: Vec<_> = closed
            .iter()
            .map(|(index, branch)| (&**branch, open[*index].slot_depth))
            .collect();
        let nodes = self.hash_branches(&slots, work);
        for ((index, branch), node) in closed.into_iter().zip(nodes) {
            deliver_from(open, roots, index, Child::Branch { node, branch });
        }
        Ok(())
    }

    /// What a branch is, now that its children are known.
    fn shape(&self, branch: &Branch) -> Shape {
        let only = branch.nibbles().next();
        match (branch.len(), only) {
            (0, _) | (_, None) => Shape::Gone,
            (1, Some(nibble)) => branch
                .branch(nibble)
                .map_or(Shape::Bucket, |below| Shape::Only(Arc::clone(below))),
            _ => match branch.entries_of_buckets() {
                Some(entries) if entries <= self.entries_max / 2 => Shape::Bucket,
                _ => Shape::Branch,
            },
        }
    }

    /// References of branches, each behind the extension that leads from its slot to it.
    fn hash_branches(&self, branches: &[(&Branch, usize)], work: &mut TrieWork) -> Vec<NodeRef> {
        let chunks: Vec<_> = branches.chunks(BRANCHES_TOGETHER).collect();
        let hashed = self.in_parallel(&chunks, |chunk| hash_branches(self.hasher, chunk));
        let mut nodes = Vec::with_capacity(branches.len());
        for (refs, chunk) in hashed {
            work.add(&chunk);
            work.branches += refs.len() as u64;
            nodes.extend(refs);
        }
        nodes
    }
}

impl<R: LeafRead> Updater<'_, R> {
    /// Computes tries from their stored entries alone.
    pub(crate) fn rebuild(&self, tries: &[Extent]) -> Result<Updated, StateError> {
        let mut plan = Plan::default();
        let mut jobs = Vec::with_capacity(tries.len());
        for (number, extent) in (0u32..).zip(tries) {
            let job = TrieJob {
                trie: extent.trie,
                top: None,
                base: Base::Stored,
                changes: Vec::new(),
            };
            let depth = split_depth(extent.entries).min(extent.shallowest);
            plan.whole(number, &job, Path::EMPTY, depth, 0..0, None);
            jobs.push(job);
        }
        let roots = Roots::of(0, jobs.len());
        Ok(self.execute(&jobs, plan, roots)?.into())
    }
}

/// What has been built of some buckets, or of whole tries.
#[derive(Debug, Default)]
pub(super) struct Built {
    pub(super) children: Vec<(Parent, u32, Child)>,
    /// By task: they are put together once.
    written: Vec<Vec<Written>>,
    pub(super) work: TrieWork,
}

impl From<Built> for Updated {
    /// Of whole tries.
    fn from(built: Built) -> Self {
        let children = built.children.into_iter();
        let mut parts = built.written;
        let written = match parts.len() {
            1 => parts.remove(0),
            _ => {
                let mut written = Vec::with_capacity(parts.iter().map(Vec::len).sum());
                for mut part in parts {
                    written.append(&mut part);
                }
                written
            }
        };
        Self {
            tries: children
                .map(|(_, _, child)| TrieResult::from(child))
                .collect(),
            written,
            work: built.work,
        }
    }
}

/// What a branch turns out to be once its children are known.
enum Shape {
    /// It has no child.
    Gone,
    /// It is a branch.
    Branch,
    /// Its only child is this branch, which takes its place.
    Only(Arc<Branch>),
    /// It has few enough entries to be a bucket.
    Bucket,
}

fn deliver(open: &mut [Open], roots: &mut Roots, parent: Parent, job: u32, child: Child) {
    match parent {
        Some((index, nibble)) => {
            Arc::make_mut(&mut open[index as usize].branch).set(nibble, child);
        }
        None => roots.children[(job - roots.first) as usize] = child,
    }
}

fn deliver_from(open: &mut [Open], roots: &mut Roots, index: usize, child: Child) {
    let Open { parent, job, .. } = open[index];
    deliver(open, roots, parent, job, child);
}

impl From<Child> for TrieResult {
    fn from(child: Child) -> Self {
        Self {
            root: child.root_hash(),
            top: match child {
                Child::Branch { branch, .. } => Some(branch),
                Child::Empty | Child::Bucket { .. } => None,
            },
        }
    }
}
