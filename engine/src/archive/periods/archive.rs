//! The archive itself: the segments of a folder.

use super::{
    error::PeriodArchiveError,
    folder::Folder,
    layout::Header,
    leaves::Leaves,
    reads::{ReadCount, Reads},
    segment::Segment,
    writer::PeriodWriter,
};
use alloy_primitives::B256;
use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};
use thinstate_formats::{
    HashKind, LeafIndex, PeriodId,
    counted::{Leaf, LocationProof, MAX_PAGE_BITS, MultiProof, Node, page_of},
};

/// How much of the segments is read when the archive is opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Check {
    /// All but the pages; of these every byte that is served later is checked then.
    Structure,
    /// Everything: each leaf is decoded and hashed.
    #[default]
    Everything,
}

/// The archived periods of a folder. Cheap to clone; shared between threads.
#[derive(Clone, Debug)]
pub struct PeriodArchive {
    shared: Arc<Shared>,
}

/// What is known of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentInfo {
    /// Its period.
    pub period: PeriodId,
    /// The root of the period's tree, with the number of leaves.
    pub root: Node,
    /// Bits of its pages' prefixes.
    pub page_bits: u32,
    /// Bytes of the file.
    pub file_bytes: u64,
}

/// What archive and writers share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) folder: Folder,
    hash: HashKind,
    segments: RwLock<BTreeMap<PeriodId, Arc<Segment>>>,
    reads: Arc<Reads>,
}

impl PeriodArchive {
    /// Opens the archive in a folder, which is made if it is not there, and checks its segments. They
    /// must be of trees with this hash function. Partial segments are left alone.
    pub fn open(
        folder: impl Into<PathBuf>,
        hash: HashKind,
        check: Check,
    ) -> Result<Self, PeriodArchiveError> {
        let shared = Shared {
            folder: Folder::open(folder.into())?,
            hash,
            segments: RwLock::default(),
            reads: Arc::default(),
        };
        for period in shared.folder.periods()? {
            shared.add(period)?;
        }
        let archive = Self {
            shared: Arc::new(shared),
        };
        if check == Check::Everything {
            archive
                .periods()
                .into_iter()
                .try_for_each(|period| archive.verify(period))?;
        }
        Ok(archive)
    }

    /// The periods that are kept, ascending.
    pub fn periods(&self) -> Vec<PeriodId> {
        self.shared.read().keys().copied().collect()
    }

    /// What is known of each segment, by period.
    pub fn segments(&self) -> Vec<SegmentInfo> {
        let segments = self.shared.read();
        segments.values().map(|segment| segment.info()).collect()
    }

    /// What is known of a period's segment.
    pub fn segment(&self, period: PeriodId) -> Result<SegmentInfo, PeriodArchiveError> {
        Ok(self.shared.segment(period)?.info())
    }

    /// Reads and checks all of a period.
    pub fn verify(&self, period: PeriodId) -> Result<(), PeriodArchiveError> {
        let segment = self.shared.segment(period)?;
        let checked = segment
            .check_structure()
            .and_then(|()| segment.check_pages());
        checked.map_err(segment.damaged())
    }

    /// Proves what a period has at a location.
    pub fn prove(
        &self,
        period: PeriodId,
        location: &B256,
    ) -> Result<LocationProof, PeriodArchiveError> {
        let segment = self.shared.segment(period)?;
        segment.prove(location).map_err(segment.damaged())
    }

    /// Proves many leaves of a period at once. `locations` ascend.
    pub fn prove_many(
        &self,
        period: PeriodId,
        locations: &[B256],
    ) -> Result<(Vec<Leaf>, MultiProof), PeriodArchiveError> {
        let segment = self.shared.segment(period)?;
        check_locations(locations)?;
        segment
            .prove_many(locations)
            .map_err(segment.damaged())?
            .map_err(|location| PeriodArchiveError::Absent { period, location })
    }

    /// The leaf of a period at a location, without proof.
    pub fn leaf(
        &self,
        period: PeriodId,
        location: &B256,
    ) -> Result<Option<Leaf>, PeriodArchiveError> {
        let segment = self.shared.segment(period)?;
        let page = page_of(location, segment.header().page_bits);
        let read = segment
            .node(0, page)
            .and_then(|node| segment.page(page, node));
        let leaves = read.map_err(segment.damaged())?.leaves;
        let found = leaves.binary_search_by(|leaf| leaf.location.cmp(location));
        Ok(found.ok().map(|at| leaves[at]))
    }

    /// The leaf of a period with an index, without proof.
    pub fn leaf_at(&self, period: PeriodId, index: LeafIndex) -> Result<Leaf, PeriodArchiveError> {
        let segment = self.shared.segment(period)?;
        let no_such_leaf = PeriodArchiveError::NoSuchLeaf {
            period,
            leaves: segment.root().count,
            got: index,
        };
        if index.0 >= segment.root().count {
            return Err(no_such_leaf);
        }
        let read = segment.locate(index).and_then(|(page, at)| {
            let node = segment.node(0, page)?;
            Ok((segment.page(page, node)?.leaves, at as usize))
        });
        let (leaves, at) = read.map_err(segment.damaged())?;
        leaves.get(at).copied().ok_or(no_such_leaf)
    }

    /// All leaves of a period, ascending.
    pub fn leaves(&self, period: PeriodId) -> Result<Leaves, PeriodArchiveError> {
        Ok(Leaves::new(self.shared.segment(period)?))
    }

    /// Writes the segment of a period, from its page `pages_done` on: the pages before it are there, from
    /// an earlier writer that synced them; what comes behind them is cut off. A finished segment of the
    /// period stays, and is served, until the new one takes its place.
    pub fn writer(
        &self,
        period: PeriodId,
        page_bits: u32,
        pages_done: u64,
    ) -> Result<PeriodWriter, PeriodArchiveError> {
        if page_bits > MAX_PAGE_BITS {
            return Err(PeriodArchiveError::PageBits { got: page_bits });
        }
        let header = self.shared.header(period, page_bits);
        PeriodWriter::open(self.shared.clone(), header, pages_done)
    }

    /// As [`Self::writer`], from behind pages with these nodes. A finished segment that starts with
    /// other pages is of another past of the period, which lived on when blocks were undone; it goes.
    pub fn resume(
        &self,
        period: PeriodId,
        page_bits: u32,
        pages_done: &[Node],
    ) -> Result<PeriodWriter, PeriodArchiveError> {
        if let Ok(finished) = self.shared.segment(period) {
            let is = |(page, node): (u64, &Node)| finished.node(0, page).ok() == Some(*node);
            let header = self.shared.header(period, page_bits);
            let same = *finished.header() == header && (0..).zip(pages_done).all(is);
            if !same && !pages_done.is_empty() {
                self.delete(period)?;
            }
        }
        self.writer(period, page_bits, pages_done.len() as u64)
    }

    /// Deletes a period. Proofs that are being made from it are not disturbed.
    pub fn delete(&self, period: PeriodId) -> Result<(), PeriodArchiveError> {
        let segment = { self.shared.write() }.remove(&period);
        let segment = segment.ok_or(PeriodArchiveError::NotArchived { period })?;
        fs::remove_file(segment.path())
            .map_err(PeriodArchiveError::io("delete", segment.path()))?;
        self.shared.folder.sync()
    }

    /// What was read since it was opened, opening included.
    pub fn reads(&self) -> ReadCount {
        self.shared.reads.count()
    }
}

impl Shared {
    /// Maps the finished segment of a period.
    pub(super) fn add(&self, period: PeriodId) -> Result<(), PeriodArchiveError> {
        let path = self.folder.segment(period);
        let header = |page_bits| self.header(period, page_bits);
        let segment = Segment::open(path, header, self.reads.clone())?;
        self.write().insert(period, Arc::new(segment));
        Ok(())
    }

    /// What a new partial segment starts with, before it is continued at a page: its header where it
    /// starts afresh; header and pages of the finished segment where there is one. `None` where the
    /// partial segment that is there is continued.
    pub(super) fn front(
        &self,
        header: &Header,
        pages: u64,
    ) -> Result<Option<Vec<u8>>, PeriodArchiveError> {
        if pages == 0 {
            return Ok(Some(header.encode().to_vec()));
        }
        match self.segment(header.period) {
            Ok(finished) if finished.header() == header => {
                let front = finished.front(pages).map_err(finished.damaged())?;
                Ok(Some(front.to_vec()))
            }
            _ => Ok(None),
        }
    }

    const fn header(&self, period: PeriodId, page_bits: u32) -> Header {
        Header {
            hash: self.hash,
            page_bits,
            period,
        }
    }

    fn segment(&self, period: PeriodId) -> Result<Arc<Segment>, PeriodArchiveError> {
        let found = self.read().get(&period).cloned();
        found.ok_or(PeriodArchiveError::NotArchived { period })
    }

    /// The map is whole whenever the lock is free, also after a panic of its holder.
    fn read(&self) -> RwLockReadGuard<'_, BTreeMap<PeriodId, Arc<Segment>>> {
        self.segments.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, BTreeMap<PeriodId, Arc<Segment>>> {
        self.segments
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Segment {
    const fn info(&self) -> SegmentInfo {
        SegmentInfo {
            period: self.header().period,
            root: self.root(),
            page_bits: self.header().page_bits,
            file_bytes: self.footer().file_bytes(),
        }
    }
}

fn check_locations(locations: &[B256]) -> Result<(), PeriodArchiveError> {
    if locations.is_empty() {
        let (index, got) = (0, B256::ZERO);
        return Err(PeriodArchiveError::Locations { index, got });
    }
    match locations.windows(2).position(|pair| pair[0] >= pair[1]) {
        None => Ok(()),
        Some(at) => Err(PeriodArchiveError::Locations {
            index: at as u64 + 1,
            got: locations[at + 1],
        }),
    }
}
