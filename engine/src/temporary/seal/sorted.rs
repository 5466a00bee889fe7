//! The seal of a period whose leaves are at hand, sorted: no steps, nothing to resume.

use super::{PeriodSink, SinkError, sealer::page_bits};
use crate::temporary::error::SealError;
use rayon::prelude::*;
use thinstate_formats::{
    NodeHasher, PeriodId,
    counted::{Leaf, Node, check_order, join_pages, page_of, root_of_sorted},
};

/// The root of the tree of `leaves`, and its segment in the archive, finished and durable. A period
/// without leaves has no segment.
pub(in crate::temporary) fn seal_sorted(
    id: PeriodId,
    leaves: &[Leaf],
    hasher: &NodeHasher,
    archive: Option<&dyn PeriodSink>,
) -> Result<Node, SealError> {
    let refused = |error: SinkError| SealError::Archive {
        period: id,
        message: error.to_string(),
    };
    check_order(leaves).map_err(|error| refused(error.into()))?;
    if leaves.is_empty() {
        return Ok(Node::EMPTY);
    }
    let bits = page_bits(leaves.len().try_into().unwrap_or(u32::MAX));
    let pages = pages(leaves, bits);
    let root = |page: &&[Leaf]| root_of_sorted(hasher, page);
    let nodes: Result<Vec<Node>, _> = pages.par_iter().map(root).collect();
    let nodes = nodes.map_err(|error| refused(error.into()))?;
    if let Some(archive) = archive {
        write_segment(archive, id, bits, &pages, &nodes).map_err(refused)?;
    }
    let levels = join_pages(hasher, nodes).map_err(|error| refused(error.into()))?;
    Ok(levels.last().map_or(Node::EMPTY, |top| top[0]))
}

/// The leaves of each page, empty ones included.
fn pages(leaves: &[Leaf], bits: u32) -> Vec<&[Leaf]> {
    let mut rest = leaves;
    let page = |page| {
        let len = rest.partition_point(|leaf| page_of(&leaf.location, bits) <= page);
        let (page, behind) = rest.split_at(len);
        rest = behind;
        page
    };
    (0..1u64 << bits).map(page).collect()
}

fn write_segment(
    archive: &dyn PeriodSink,
    id: PeriodId,
    bits: u32,
    pages: &[&[Leaf]],
    nodes: &[Node],
) -> Result<(), SinkError> {
    let mut segment = archive.segment(id, bits, &[])?;
    for (leaves, node) in pages.iter().zip(nodes) {
        segment.append_page(leaves, *node)?;
    }
    segment.finish()
}
