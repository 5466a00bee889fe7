//! Checking a segment.

use super::{
    cells::Place,
    fault::{Part, SegmentFault},
    layout::HEADER_BYTES,
    segment::{Page, Segment},
};
use thinstate_formats::counted::{Node, Subtree, join_pages};

impl Segment {
    /// Checks all but the pages: header, checksums, that the pages lie one behind the other, and that
    /// the tree over their nodes is the one in the levels and has the footer's root.
    pub(super) fn check_structure(&self) -> Result<(), SegmentFault> {
        let place = Place {
            part: Part::Header,
            offset: 0,
        };
        self.read_header()?.expect(place, self.header())?;
        let footer = self.footer();
        self.check_sum(
            Part::Directory,
            footer.directory_at,
            footer.directory_bytes(),
            footer.directory_crc,
        )?;
        self.check_sum(
            Part::Levels,
            footer.levels_at(),
            footer.levels_bytes(),
            footer.levels_crc,
        )?;
        self.check_directory()?;
        self.check_levels()
    }

    fn check_sum(
        &self,
        part: Part,
        offset: u64,
        len: u64,
        expected: u32,
    ) -> Result<(), SegmentFault> {
        let place = Place { part, offset };
        place.checksum(expected, crc32fast::hash(self.bytes(place, len)?))
    }

    /// Pages lie one behind the other, from the header to the directory.
    fn check_directory(&self) -> Result<(), SegmentFault> {
        let place = Place {
            part: Part::Directory,
            offset: self.footer().directory_at,
        };
        let mut end = HEADER_BYTES as u64;
        for page in 0..self.header().pages() {
            let entry = self.entry(page)?;
            place.field("offset of a page", end, entry.offset)?;
            end = entry.end();
        }
        place.field("end of the pages", place.offset, end)
    }

    /// Joins the pages' nodes again.
    fn check_levels(&self) -> Result<(), SegmentFault> {
        let bits = self.header().page_bits;
        let pages: Vec<Node> = (0..self.header().pages())
            .map(|page| self.node(0, page))
            .collect::<Result<_, _>>()?;
        let place = Place {
            part: Part::Levels,
            offset: self.node_at(0, 0),
        };
        let counts: u128 = pages.iter().map(|node| u128::from(node.count)).sum();
        if counts != u128::from(self.root().count) {
            let got = u64::try_from(counts).unwrap_or(u64::MAX);
            return place.field("leaf count", self.root().count, got);
        }
        if let Some(node) = pages
            .iter()
            .find(|node| node.is_empty() && **node != Node::EMPTY)
        {
            return Err(hash_fault(place, *node, Node::EMPTY));
        }
        let levels = join_pages(&self.hasher, pages)
            .expect("there are 2^bits pages, and their counts add up to one that fits");
        for (level, nodes) in (0..=bits).zip(&levels) {
            for (index, computed) in (0..).zip(nodes) {
                self.check_node(level, index, *computed)?;
            }
        }
        match levels.last().map(Vec::as_slice) {
            Some([root]) if *root != self.root() => Err(hash_fault(place, self.root(), *root)),
            _ => Ok(()),
        }
    }

    fn check_node(&self, level: u32, index: u64, computed: Node) -> Result<(), SegmentFault> {
        let stored = self.node(level, index)?;
        if stored == computed {
            return Ok(());
        }
        let place = Place {
            part: Part::Levels,
            offset: self.node_at(level, index),
        };
        place.field("leaf count", stored.count, computed.count)?;
        Err(hash_fault(place, stored, computed))
    }

    /// Checks every page: its place, its checksum, its leaves, their order and their tree.
    pub(super) fn check_pages(&self) -> Result<(), SegmentFault> {
        (0..self.header().pages()).try_for_each(|page| {
            let node = self.node(0, page)?;
            if node.is_empty() {
                // It has a header all the same.
                return self.page_bytes(page, node).map(drop);
            }
            self.tree(&self.page(page, node)?, node).map(drop)
        })
    }

    /// The tree of a page, which must have the page's node as its root.
    pub(super) fn tree(&self, page: &Page, node: Node) -> Result<Subtree, SegmentFault> {
        let offset = page.offset;
        let tree = Subtree::build(&self.hasher, &page.leaves)
            .map_err(|source| SegmentFault::LeafOrder { offset, source })?;
        if tree.root() == node {
            return Ok(tree);
        }
        let part = Part::Page;
        Err(hash_fault(Place { part, offset }, node, tree.root()))
    }
}

fn hash_fault(place: Place, expected: Node, got: Node) -> SegmentFault {
    SegmentFault::Hash {
        part: place.part,
        offset: place.offset,
        expected: expected.hash,
        got: got.hash,
    }
}
