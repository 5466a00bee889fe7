use super::*;
use crate::HashKind;
use proptest::prelude::*;

/// The definition, word for word.
fn by_definition(hasher: &NodeHasher, digests: &[B256]) -> B256 {
    match digests {
        [] => B256::ZERO,
        [one] => *one,
        _ => {
            let split = (digests.len() - 1).ilog2();
            let (left, right) = digests.split_at(1 << split);
            node(
                hasher,
                by_definition(hasher, left),
                by_definition(hasher, right),
            )
        }
    }
}

fn digests(count: usize, seed: u64) -> Vec<B256> {
    let digest =
        |n: usize| alloy_primitives::keccak256([seed.to_le_bytes(), n.to_le_bytes()].concat());
    (0..count).map(digest).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_tree_differs_from_the_definition(count in 0usize..140, seed: u64) {
        let hasher = NodeHasher::default();
        let list = digests(count, seed);
        let expected = by_definition(&hasher, &list);
        let tree = ListTree::build(&hasher, list.clone());
        prop_assert_eq!(root(&hasher, &list), expected);
        prop_assert_eq!(tree.root(), expected);
        prop_assert_eq!(tree.path(count), None);
        for (index, digest) in list.iter().enumerate() {
            let path = tree.path(index).expect("within the list");
            let len = count as u64;
            let found = root_by_path(&hasher, *digest, index as u64, len, &path);
            prop_assert_eq!(found, Ok(expected));
        }
    }

    #[test]
    fn many_paths_never_lead_elsewhere_than_each_alone(
        counts in prop::collection::vec(1usize..70, 1..4),
        picks in prop::collection::vec((0usize..4, 0usize..70, any::<bool>(), 0usize..8), 0..60),
        sorted: bool,
    ) {
        let hasher = NodeHasher::default();
        let lists: Vec<_> = (1..).zip(&counts).map(|(seed, count)| digests(*count, seed)).collect();
        let trees: Vec<_> = lists.iter().map(|l| ListTree::build(&hasher, l.clone())).collect();
        let mut wanted: Vec<(usize, usize, B256, Vec<B256>)> = Vec::new();
        for (list, index, altered, at) in picks {
            let list = list % lists.len();
            let index = index % lists[list].len();
            let mut path = trees[list].path(index).expect("within the list");
            let mut digest = lists[list][index];
            match path.get_mut(at) {
                Some(sibling) if altered => sibling.0[at] ^= 1,
                None if altered => digest.0[at] ^= 1,
                _ => {}
            }
            wanted.push((list, index, digest, path));
        }
        if sorted {
            wanted.sort();
        }
        let placed = |(list, index, digest, siblings): &(usize, usize, B256, Vec<B256>)| (
            *list, *digest, *index as u64, lists[*list].len() as u64, siblings.clone(),
        );
        let owned: Vec<_> = wanted.iter().map(placed).collect();
        let paths: Vec<_> = owned
            .iter()
            .map(|(list, digest, index, len, siblings)| Placed {
                list: *list as u64, digest: *digest, index: *index, len: *len, siblings,
            })
            .collect();
        let each: Result<Vec<_>, _> = paths
            .iter()
            .map(|p| root_by_path(&hasher, p.digest, p.index, p.len, p.siblings))
            .collect();
        let (roots, hashes) = roots_by_paths(&hasher, &paths).expect("all of them fit");
        prop_assert_eq!(Ok(roots), each);
        prop_assert!(hashes <= owned.iter().map(|p| p.4.len() as u64).sum());
    }

    #[test]
    fn no_change_leaves_another_tree_than_building_it(
        steps in prop::collection::vec((0usize..4, 0usize..80, any::<u64>()), 1..60),
    ) {
        let hasher = NodeHasher::default();
        let mut tree = ListTree::default();
        let mut list: Vec<B256> = Vec::new();
        for (kind, at, seed) in steps {
            let digest = digests(1, seed)[0];
            match kind {
                0 => {
                    tree.truncate(&hasher, at);
                    list.truncate(at);
                }
                1 if at < list.len() => {
                    prop_assert!(tree.set(&hasher, at, digest));
                    list[at] = digest;
                }
                _ => {
                    prop_assert!(tree.set(&hasher, list.len(), digest));
                    list.push(digest);
                }
            }
            prop_assert!(!tree.set(&hasher, list.len() + 1, digest));
            prop_assert_eq!(&tree, &ListTree::build(&hasher, list.clone()));
        }
    }
}

#[test]
fn no_path_of_another_length_or_place_is_taken() {
    for kind in HashKind::ALL {
        let hasher = NodeHasher::new(kind);
        let list = digests(13, 1);
        let tree = ListTree::build(&hasher, list.clone());
        let path = tree.path(12).expect("within the list");
        assert_eq!(path.len(), 2);
        let at = |index, len, path: &[B256]| root_by_path(&hasher, list[12], index, len, path);
        assert_eq!(at(12, 13, &path), Ok(tree.root()));
        let outside = ListPathError::Outside { index: 13, len: 13 };
        assert_eq!(at(13, 13, &path), Err(outside));
        let short = ListPathError::Siblings {
            got: 1,
            expected: 2,
        };
        assert_eq!(at(12, 13, &path[..1]), Err(short));
        let swapped: Vec<_> = path.iter().rev().copied().collect();
        assert_ne!(at(12, 13, &swapped), Ok(tree.root()));
        assert!(at(4, 13, &path).is_err());
        assert!(at(u64::MAX, u64::MAX, &path).is_err());
    }
}

#[test]
fn paths_of_one_list_never_hash_a_node_twice() {
    let hasher = NodeHasher::default();
    let list = digests(64, 3);
    let tree = ListTree::build(&hasher, list.clone());
    let siblings: Vec<_> = (0..64).map(|at| tree.path(at).expect("within")).collect();
    let paths: Vec<_> = (0..64)
        .map(|index| Placed {
            list: 0,
            digest: list[index],
            index: index as u64,
            len: 64,
            siblings: &siblings[index],
        })
        .collect();
    let (roots, hashes) = roots_by_paths(&hasher, &paths).expect("all of them fit");
    assert_eq!(roots, vec![tree.root(); 64]);
    assert_eq!(hashes, 63);
    let short = Placed {
        siblings: &paths[0].siblings[1..],
        ..paths[0]
    };
    let refused = roots_by_paths(&hasher, &[paths[1], short]);
    let (got, expected) = (5, 6);
    assert_eq!(refused, Err(ListPathError::Siblings { got, expected }));
    assert_eq!(roots_by_paths(&hasher, &[]), Ok((Vec::new(), 0)));
}
