//! What sealing needs of an archive.

use crate::archive::periods::{PeriodArchive, PeriodWriter};
use thinstate_formats::{
    PeriodId,
    counted::{Leaf, Node},
};

/// Why an archive refused.
pub(crate) type SinkError = Box<dyn core::error::Error + Send + Sync>;

/// Takes the leaves of sealed periods.
pub(crate) trait PeriodSink: Send + Sync {
    /// The segment of a period, to be gone on with after `pages_done` pages; what it has beyond
    /// those is cut off, and with none done whatever there was is replaced. A segment that was
    /// finished may be gone on with too.
    fn segment(
        &self,
        period: PeriodId,
        page_bits: u32,
        pages_done: &[Node],
    ) -> Result<Box<dyn SegmentSink>, SinkError>;
}

/// A segment being written.
pub(crate) trait SegmentSink: Send + Sync {
    /// Appends the next page: its sorted leaves, and the node above them.
    fn append_page(&mut self, leaves: &[Leaf], node: Node) -> Result<(), SinkError>;

    /// Makes the pages durable.
    fn sync(&mut self) -> Result<(), SinkError>;

    /// All pages are there: makes the segment whole, and durable.
    fn finish(&mut self) -> Result<(), SinkError>;
}

impl PeriodSink for PeriodArchive {
    fn segment(
        &self,
        period: PeriodId,
        page_bits: u32,
        pages_done: &[Node],
    ) -> Result<Box<dyn SegmentSink>, SinkError> {
        let writer = self.resume(period, page_bits, pages_done)?;
        Ok(Box::new(ArchiveSegment(Some(writer))))
    }
}

/// A segment of the archive, until it is finished.
struct ArchiveSegment(Option<PeriodWriter>);

impl ArchiveSegment {
    fn writer(&mut self) -> Result<&mut PeriodWriter, SinkError> {
        self.0.as_mut().ok_or_else(|| FINISHED.into())
    }
}

const FINISHED: &str = "the segment is finished, expected no more pages";

impl SegmentSink for ArchiveSegment {
    fn append_page(&mut self, leaves: &[Leaf], node: Node) -> Result<(), SinkError> {
        Ok(self.writer()?.append_page(leaves, node)?)
    }

    fn sync(&mut self) -> Result<(), SinkError> {
        Ok(self.writer()?.sync()?)
    }

    fn finish(&mut self) -> Result<(), SinkError> {
        self.0.take().ok_or(FINISHED)?.finish()?;
        Ok(())
    }
}
