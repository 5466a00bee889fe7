//! No archived period is served damaged, and no crash changes one.

mod crashes;
mod damage;
mod proofs;
mod refusals;

use super::{Check, PeriodArchive, PeriodArchiveError, PeriodWriter};
use alloy_primitives::{B256, keccak256};
use std::path::Path;
use tempfile::TempDir;
use thinstate_formats::{
    HashKind, NodeHasher, PeriodId,
    counted::{Leaf, Node, Subtree, page_of, root_of_sorted},
};

const PERIOD: PeriodId = PeriodId(12);
const HASH: HashKind = HashKind::Blake3;

fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

fn open(folder: &Path) -> PeriodArchive {
    PeriodArchive::open(folder, HASH, Check::Everything).expect("an archive without damage")
}

/// Leaves with hashed locations, sorted; every fourth value is long.
fn leaves(count: u64) -> Vec<Leaf> {
    let leaf = |seed: u64| Leaf {
        location: keccak256(seed.to_be_bytes()),
        value: match seed % 4 {
            0 => keccak256([seed as u8]),
            _ => B256::left_padding_from(&seed.to_be_bytes()),
        },
    };
    let mut leaves: Vec<_> = (0..count).map(leaf).collect();
    leaves.sort();
    leaves
}

fn root(leaves: &[Leaf]) -> Node {
    root_of_sorted(&NodeHasher::new(HASH), leaves).expect("sorted")
}

/// The leaves of a page, and its node.
fn page(leaves: &[Leaf], bits: u32, page: u64) -> (Vec<Leaf>, Node) {
    let in_page = |leaf: &&Leaf| page_of(&leaf.location, bits) == page;
    let leaves: Vec<_> = leaves.iter().filter(in_page).copied().collect();
    let tree = Subtree::build(&NodeHasher::new(HASH), &leaves).expect("sorted");
    (leaves, tree.root())
}

/// Appends the pages from where the writer is up to `until`.
fn append(writer: &mut PeriodWriter, all: &[Leaf], bits: u32, until: u64) {
    for number in writer.pages_done()..until {
        let (leaves, node) = page(all, bits, number);
        writer.append_page(&leaves, node).expect("a good page");
    }
}

/// Writes a whole period.
fn write(archive: &PeriodArchive, period: PeriodId, all: &[Leaf], bits: u32) {
    let mut writer = archive.writer(period, bits, 0).expect("a new segment");
    append(&mut writer, all, bits, 1 << bits);
    assert_eq!(writer.finish().expect("a whole segment"), root(all));
}
