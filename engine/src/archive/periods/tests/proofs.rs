//! What is served is what was archived, with few reads.

use super::*;
use crate::archive::periods::{ReadCount, page_bits};
use alloy_primitives::U256;
use proptest::prelude::*;
use thinstate_formats::{
    LeafIndex,
    counted::{LocationProof, MAX_PAGE_BITS},
};

fn check_location(archive: &PeriodArchive, all: &[Leaf], location: B256) {
    let hasher = NodeHasher::new(HASH);
    let found = all.binary_search_by(|leaf| leaf.location.cmp(&location));
    let leaf = archive.leaf(PERIOD, &location).expect("no damage");
    assert_eq!(leaf, found.ok().map(|at| all[at]));
    match archive.prove(PERIOD, &location).expect("no damage") {
        LocationProof::Included { leaf, index, proof } => {
            assert_eq!(Ok(index.0 as usize), found);
            assert_eq!(proof.verify(&hasher, root(all), &leaf), Ok(index));
            assert_eq!(archive.leaf_at(PERIOD, index).expect("no damage"), leaf);
        }
        LocationProof::Excluded(proof) => {
            assert!(found.is_err(), "{location} is there");
            assert_eq!(proof.verify(&hasher, root(all), &location), Ok(()));
        }
    }
}

fn beside(location: B256) -> [B256; 2] {
    let number = U256::from_be_bytes(location.0);
    let one = U256::from(1);
    [number.wrapping_add(one), number.wrapping_sub(one)].map(B256::from)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn no_proof_from_the_archive_differs(count in 0u64..80, bits in 0u32..6, other: [u8; 32]) {
        let (folder, all) = (folder(), leaves(count));
        let archive = open(folder.path());
        write(&archive, PERIOD, &all, bits);
        let mut locations: Vec<B256> = all.iter().map(|leaf| leaf.location).collect();
        locations.extend(locations.clone().into_iter().flat_map(beside));
        locations.extend([B256::ZERO, B256::repeat_byte(0xff), other.into()]);
        for location in locations {
            check_location(&archive, &all, location);
        }
        let listed: Result<Vec<_>, _> = archive.leaves(PERIOD).expect("archived").collect();
        prop_assert_eq!(listed.expect("no damage"), all);
    }

    #[test]
    fn no_proof_of_many_differs(
        chosen in proptest::collection::btree_set(0usize..60, 1..20),
        bits in 0u32..5,
    ) {
        let (folder, all) = (folder(), leaves(60));
        let archive = open(folder.path());
        write(&archive, PERIOD, &all, bits);
        let chosen: Vec<_> = chosen.into_iter().collect();
        let locations: Vec<_> = chosen.iter().map(|&at| all[at].location).collect();
        let (leaves, proof) = archive.prove_many(PERIOD, &locations).expect("all are there");
        let hasher = NodeHasher::new(HASH);
        let indexes = proof.verify(&hasher, root(&all), &leaves).expect("a good proof");
        let expected: Vec<_> = chosen.iter().map(|&at| LeafIndex(at as u64)).collect();
        prop_assert_eq!(indexes, expected);
        prop_assert_eq!(leaves, chosen.iter().map(|&at| all[at]).collect::<Vec<_>>());
    }
}

/// One page and its node's siblings for a leaf; two pages, three loads and two descents for absence.
#[test]
fn no_proof_reads_more_than_its_bound() {
    let (folder, bits) = (folder(), 7);
    let all = leaves(300);
    let archive = open(folder.path());
    write(&archive, PERIOD, &all, bits);
    let cost = |location: &B256| {
        let before = archive.reads();
        archive.prove(PERIOD, location).expect("no damage");
        archive.reads() - before
    };
    let bits = u64::from(bits);
    for leaf in &all {
        let ReadCount {
            pages,
            directory_entries,
            nodes,
            ..
        } = cost(&leaf.location);
        assert_eq!((pages, directory_entries, nodes), (1, 1, bits + 1));
    }
    let mut empty_pages = 0;
    for page in 0..=u8::MAX {
        let mut location = B256::ZERO;
        location[0] = page;
        let ReadCount {
            pages,
            directory_entries,
            nodes,
            ..
        } = cost(&location);
        assert!((1..=2).contains(&pages), "{pages} pages");
        assert_eq!(directory_entries, pages);
        assert!(nodes <= 5 * bits + 3, "{nodes} nodes");
        empty_pages += u32::from(!all.iter().any(|leaf| leaf.location[0] >> 1 == page >> 1));
    }
    assert!(empty_pages > 0, "some locations lie in empty pages");
    let before = archive.reads();
    archive.leaf(PERIOD, &all[7].location).expect("no damage");
    let read = archive.reads() - before;
    assert_eq!((read.pages, read.directory_entries, read.nodes), (1, 1, 1));
    assert!(read.page_bytes < 65 * 20);
    let before = archive.reads();
    let many: Vec<_> = all.iter().map(|leaf| leaf.location).collect();
    archive.prove_many(PERIOD, &many).expect("all are there");
    assert!((archive.reads() - before).pages <= 128, "each page once");
}

#[test]
fn no_page_is_far_from_its_size() {
    assert_eq!(page_bits(0), 0);
    assert_eq!(page_bits(255), 0);
    for leaves in [1_000, 1_000_000, 100_000_000, 3_000_000_000u64] {
        let page = leaves >> page_bits(leaves);
        assert!((100..=600).contains(&page), "{page} leaves of {leaves}");
    }
    assert_eq!(page_bits(u64::MAX), MAX_PAGE_BITS);
}
