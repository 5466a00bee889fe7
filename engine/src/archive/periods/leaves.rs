//! All leaves of an archived period.

use super::{error::PeriodArchiveError, fault::SegmentFault, segment::Segment};
use std::{sync::Arc, vec};
use thinstate_formats::counted::Leaf;

/// The leaves of a period, ascending, one page in memory at a time. Ends after an error.
#[derive(Debug)]
pub struct Leaves {
    segment: Arc<Segment>,
    next_page: u64,
    current: vec::IntoIter<Leaf>,
}

impl Leaves {
    pub(super) fn new(segment: Arc<Segment>) -> Self {
        Self {
            segment,
            next_page: 0,
            current: Vec::new().into_iter(),
        }
    }

    fn read_page(&self, page: u64) -> Result<Vec<Leaf>, SegmentFault> {
        let node = self.segment.node(0, page)?;
        Ok(self.segment.page(page, node)?.leaves)
    }
}

impl Iterator for Leaves {
    type Item = Result<Leaf, PeriodArchiveError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(leaf) = self.current.next() {
                return Some(Ok(leaf));
            }
            if self.next_page == self.segment.header().pages() {
                return None;
            }
            match self.read_page(self.next_page) {
                Ok(leaves) => self.current = leaves.into_iter(),
                Err(fault) => {
                    self.next_page = self.segment.header().pages();
                    return Some(Err(self.segment.damaged()(fault)));
                }
            }
            self.next_page += 1;
        }
    }
}
