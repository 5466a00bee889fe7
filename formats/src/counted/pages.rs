//! Pages: the subtrees under all prefixes of one length, joined to the tree of them all.

use super::{CountOverflow, Node, Sibling, Side, joins::Joins};
use crate::NodeHasher;
use alloy_primitives::B256;

/// Nodes cannot be the pages of a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PagesError {
    /// There is one page for each prefix. Give empty ones as [`Node::EMPTY`].
    #[error("expected pages by the power of two, got {got}")]
    NotPowerOfTwo {
        /// Pages given.
        got: u64,
    },
    /// A page's count is wrong.
    #[error(transparent)]
    CountOverflow(#[from] CountOverflow),
}

/// Most bits of a page's prefix.
pub const MAX_PAGE_BITS: u32 = 24;

/// The page of a location: its first `bits` bits, at most [`MAX_PAGE_BITS`].
pub fn page_of(location: &B256, bits: u32) -> u64 {
    let first = u32::from_be_bytes([location[0], location[1], location[2], location[3]]);
    u64::from(first) >> (32 - bits.min(MAX_PAGE_BITS))
}

/// The levels of the complete binary tree over pages: the pages themselves first, the root's level,
/// of one node, last. One level is one batch.
pub fn join_pages(hasher: &NodeHasher, pages: Vec<Node>) -> Result<Vec<Vec<Node>>, PagesError> {
    if !pages.len().is_power_of_two() {
        return Err(PagesError::NotPowerOfTwo {
            got: pages.len() as u64,
        });
    }
    let mut levels = vec![pages];
    while let Some(below) = levels.last().filter(|level| level.len() > 1) {
        let above = join_level(hasher, below)?;
        levels.push(above);
    }
    Ok(levels)
}

/// Hashes where both halves have leaves; the others are let through.
fn join_level(hasher: &NodeHasher, below: &[Node]) -> Result<Vec<Node>, CountOverflow> {
    let full = |pair: &[Node]| !pair[0].is_empty() && !pair[1].is_empty();
    let terminals: Vec<Node> = below
        .chunks_exact(2)
        .filter(|pair| full(pair))
        .flatten()
        .copied()
        .collect();
    let first_join = terminals.len();
    let mut joins = Joins::new(terminals);
    for left in (0..first_join).step_by(2) {
        joins.join(Joins::terminal(left), Joins::terminal(left + 1));
    }
    joins.hash(hasher)?;
    let mut next = first_join;
    let above = below.chunks_exact(2).map(|pair| match pair {
        pair if full(pair) => {
            next += 1;
            joins.node(next - 1)
        }
        [left, right] if left.is_empty() => *right,
        pair => pair[0],
    });
    Ok(above.collect())
}

/// The siblings of a page, from the page upwards, in a tree of `2^bits` pages; they continue those of
/// a leaf in its page. `node` gives the node `index` of a level, levels counted from the pages, and
/// is asked once for each level.
pub fn page_siblings<E>(
    bits: u32,
    page: u64,
    mut node: impl FnMut(u32, u64) -> Result<Node, E>,
) -> Result<Vec<Sibling>, E> {
    let mut siblings = Vec::with_capacity(bits as usize);
    for level in 0..bits {
        let index = page >> level;
        let sibling = node(level, index ^ 1)?;
        let side = if index & 1 == 1 {
            Side::Left
        } else {
            Side::Right
        };
        if !sibling.is_empty() {
            siblings.push(Sibling::new(side, sibling));
        }
    }
    Ok(siblings)
}
