//! An archive in memory, which forgets what was not synced.

use crate::temporary::seal::{PeriodSink, SegmentSink, SinkError};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use thinstate_formats::{
    LeafIndex, NodeHasher, PeriodId,
    counted::{InclusionProof, Leaf, Node, Subtree},
};

#[derive(Clone, Debug, Default)]
struct Segment {
    page_bits: u32,
    pages: Vec<(Vec<Leaf>, Node)>,
    synced: usize,
    finished: bool,
    /// Pages ever appended, to see what is done twice.
    leaves_appended: u64,
}

#[derive(Debug, Default)]
struct State {
    segments: BTreeMap<PeriodId, Segment>,
    failing: bool,
}

/// Segments by period. Clones are the same archive.
#[derive(Clone, Debug, Default)]
pub(super) struct MemoryArchive(Arc<Mutex<State>>);

impl MemoryArchive {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The power went.
    pub(super) fn crash(&self) {
        for segment in self.lock().segments.values_mut() {
            segment.pages.truncate(segment.synced);
        }
    }

    pub(super) fn fail(&self, failing: bool) {
        self.lock().failing = failing;
    }

    /// The leaves of a finished period.
    pub(super) fn leaves(&self, period: PeriodId) -> Option<Vec<Leaf>> {
        let state = self.lock();
        let segment = state.segments.get(&period).filter(|s| s.finished)?;
        assert_eq!(segment.pages.len(), 1 << segment.page_bits, "whole");
        let leaves = segment.pages.iter().flat_map(|(leaves, _)| leaves);
        Some(leaves.copied().collect())
    }

    pub(super) fn leaves_appended(&self, period: PeriodId) -> u64 {
        let state = self.lock();
        state.segments.get(&period).map_or(0, |s| s.leaves_appended)
    }

    /// The proof of a leaf by its index.
    pub(super) fn prove(&self, period: PeriodId, index: u64) -> (Leaf, InclusionProof) {
        let leaves = self.leaves(period).expect("the period is archived");
        let tree = Subtree::build(&NodeHasher::default(), &leaves).expect("sorted");
        let proof = tree.prove(LeafIndex(index)).expect("there is such a leaf");
        (leaves[index as usize], proof)
    }
}

impl PeriodSink for MemoryArchive {
    fn segment(
        &self,
        period: PeriodId,
        page_bits: u32,
        pages_done: &[Node],
    ) -> Result<Box<dyn SegmentSink>, SinkError> {
        let mut state = self.lock();
        let segment = state.segments.entry(period).or_default();
        if pages_done.is_empty() {
            *segment = Segment {
                page_bits,
                leaves_appended: segment.leaves_appended,
                ..Segment::default()
            };
        }
        if segment.page_bits != page_bits || segment.synced < pages_done.len() {
            return Err("pages that a block knows of are missing".into());
        }
        segment.pages.truncate(pages_done.len());
        (segment.synced, segment.finished) = (pages_done.len(), false);
        for ((_, node), done) in segment.pages.iter().zip(pages_done) {
            assert_eq!(node, done, "the store and the segment have the same pages");
        }
        Ok(Box::new(Writer {
            archive: self.clone(),
            period,
        }))
    }
}

struct Writer {
    archive: MemoryArchive,
    period: PeriodId,
}

impl Writer {
    fn with(&self, change: impl FnOnce(&mut Segment)) -> Result<(), SinkError> {
        let mut state = self.archive.lock();
        if state.failing {
            return Err("no space left".into());
        }
        change(state.segments.get_mut(&self.period).ok_or("no segment")?);
        Ok(())
    }
}

impl SegmentSink for Writer {
    fn append_page(&mut self, leaves: &[Leaf], node: Node) -> Result<(), SinkError> {
        self.with(|segment| {
            segment.pages.push((leaves.to_vec(), node));
            segment.leaves_appended += leaves.len() as u64;
        })
    }

    fn sync(&mut self) -> Result<(), SinkError> {
        self.with(|segment| segment.synced = segment.pages.len())
    }

    fn finish(&mut self) -> Result<(), SinkError> {
        self.with(|segment| segment.finished = true)
    }
}
